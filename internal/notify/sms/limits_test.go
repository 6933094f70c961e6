package sms

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// slow holds every message but codes until it is let go.
type slow struct {
	hold  chan struct{}
	codes chan Rendered
}

func (g *slow) Send(ctx context.Context, r Rendered) error {
	if strings.Contains(r.Text, "471193") {
		g.codes <- r
		return nil
	}
	select {
	case <-g.hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A code is sent although more messages wait than are handed over at once, and
// the gateway takes none of them.
func TestCodesGoBeforeEverythingElse(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sealer(t, "the server's secret")
		p := &post{t, db, s, &recorder{}, NewMessages(db, s), Options{}}
		g := &slow{hold: make(chan struct{}), codes: make(chan Rendered, 1)}
		for i := range 3 * width {
			p.promise(OutboxMessage(fmt.Sprint(i), plainMessage))
		}
		ctx, cancel := context.WithCancel(context.Background())
		var working sync.WaitGroup
		for _, worker := range Workers(db, s, g, Options{}) {
			working.Go(func() { outbox.Work(ctx, db, outbox.NewNotifier(), worker) })
		}
		p.until("they are at the gateway", "SELECT COUNT(*) FROM messages WHERE asked_by <> 0", width)
		p.promise(s.OutboxMessage("code", secretMessage()))
		select {
		case <-g.codes:
		case <-time.After(15 * time.Second):
			t.Error("the code waits for the others")
		}
		close(g.hold)
		cancel()
		working.Wait()
	})
}

// What is left out takes no room: a number that causes more notices than it gets
// still gets so many each day, instead of none at all from the second day on.
func TestNoticesLeftOutTakeNoRoom(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64
			db := open(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
			s := sealer(t, "the server's secret")
			p := &post{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 3}}
			notice := plainMessage
			notice.Notice = true
			const hours = 72
			for hour := range hours {
				p.promise(OutboxMessage(fmt.Sprint("notice ", hour), notice))
				p.carry()
				ahead.Add(int64(time.Hour))
			}
			var sent int
			if err := db.Pool().QueryRow("SELECT COUNT(*) FROM messages WHERE state = 'sent'").Scan(&sent); err != nil {
				t.Fatal(err)
			}
			if sent != 9 {
				t.Errorf("%d of %d notices in three days were sent, want 3 a day", sent, hours)
			}
		})
	}
}

// Others cause notices of money that came. They leave room for those of money
// that went, by which a holder notices a thief.
func TestNoticesOfMoneyThatCameLeaveRoom(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sealer(t, "the server's secret")
		p := &post{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 4}}
		came, went := plainMessage, plainMessage
		came.Notice, came.Incoming, went.Notice = true, true, true
		for i := range 6 {
			p.promise(OutboxMessage(fmt.Sprint("came ", i), came))
			p.carry()
		}
		p.promise(OutboxMessage("went", went))
		p.carry()
		p.stands("came 1", Sent, "kept")
		p.stands("came 2", Failed, "failed")
		p.stands("went", Sent, "kept")
	})
}

// A number gets so many messages a day; then notices are left out, and nothing
// else is. Another number gets its own.
func TestNoticesOfADayAreLimited(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead, dropped atomic.Int64
			db := open(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
			s := sealer(t, "the server's secret")
			p := &post{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 4, Dropped: func() { dropped.Add(1) }}}
			notice, other := plainMessage, plainMessage
			notice.Notice, other.Notice, other.Phone = true, true, phone.Number("+996700654321")
			p.promise(s.OutboxMessage("code 1", secretMessage()))
			p.carry()
			for i := range 6 {
				p.promise(OutboxMessage(fmt.Sprint("notice ", i), notice))
				p.carry()
			}
			p.promise(OutboxMessage("other", other), OutboxMessage("word", plainMessage), s.OutboxMessage("code 2", secretMessage()))
			p.carry()
			for key, state := range map[string]State{
				"notice 0": Sent, "notice 2": Sent, "notice 3": Failed, "notice 5": Failed, "other": Sent, "word": Sent, "code 1": Sent, "code 2": Sent,
			} {
				promised := "kept"
				if state == Failed {
					promised = "failed"
				}
				p.stands(key, state, promised)
			}
			if n := dropped.Load(); n != 3 {
				t.Errorf("%d notices left out", n)
			}
			ahead.Add(int64(25 * time.Hour))
			p.promise(OutboxMessage("the next day", notice))
			p.carry()
			p.stands("the next day", Sent, "kept")
			if n := dropped.Load(); n != 3 {
				t.Errorf("%d notices left out a day later", n)
			}
		})
	}
}
