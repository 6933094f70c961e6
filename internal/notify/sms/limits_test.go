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

// slowGateway blocks every message except codes until release is closed.
type slowGateway struct {
	release chan struct{}
	codes   chan Rendered
}

func (g *slowGateway) Send(ctx context.Context, r Rendered) error {
	if strings.Contains(r.Text, "471193") {
		g.codes <- r
		return nil
	}
	select {
	case <-g.release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A code is sent although more messages are queued than are sent concurrently and
// the gateway accepts none of them.
func TestCodesDoNotWaitForOtherMessages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSealer(t, "the server's secret")
		f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{}}
		g := &slowGateway{release: make(chan struct{}), codes: make(chan Rendered, 1)}
		for i := range 3 * concurrency {
			f.add(OutboxMessage(fmt.Sprint(i), plainMessage))
		}
		ctx, cancel := context.WithCancel(context.Background())
		var working sync.WaitGroup
		working.Go(func() { NewSender(db, s, g, Options{}).Run(ctx, outbox.NewNotifier()) })
		f.waitForCount("messages at the gateway", "SELECT COUNT(*) FROM messages WHERE asked_by <> 0", concurrency)
		f.add(s.OutboxMessage("code", secretMessage()))
		select {
		case <-g.codes:
		case <-time.After(15 * time.Second):
			t.Error("the code was not sent while other messages were blocked")
		}
		close(g.release)
		cancel()
		working.Wait()
	})
}

// A code does not wait behind messages that are not sent, such as those for numbers without
// a wallet: steps follow each other without a pause until nothing is due.
func TestCodesDoNotWaitForMessagesThatAreNotSent(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		for i := range 3 * concurrency {
			f.add(f.sealer.OutboxMessage(fmt.Sprint(i), Message{Key: NoMessage}))
		}
		f.add(f.sealer.OutboxMessage("code", secretMessage()))
		w := &worker{
			Sender: NewSender(f.db, f.sealer, f.gateway, Options{}), queue: CodeQueue, limit: concurrency,
			calls: make(chan Acquired, concurrency), search: true, paced: true,
		}
		for w.ready() {
			w.step(f.Context())
			w.paced = false
		}
		if len(w.calls) != 1 {
			f.Errorf("%d codes are passed to the gateway", len(w.calls))
		}
	})
}

// A phone number with more notices than the limit still gets the limit each day,
// instead of none at all from the second day on.
func TestDroppedNoticesDoNotCount(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64
			db := open(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
			s := newSealer(t, "the server's secret")
			f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 3}}
			notice := plainMessage
			notice.Notice = true
			const hours = 72
			for hour := range hours {
				f.add(OutboxMessage(fmt.Sprint("notice ", hour), notice))
				f.deliver()
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

// Other customers cause notices of incoming money. These must not use up the limit of
// the notices of outgoing money, by which a customer notices a theft.
func TestIncomingNoticesUseHalfOfTheLimit(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSealer(t, "the server's secret")
		f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 4}}
		incoming, outgoing := plainMessage, plainMessage
		incoming.Notice, incoming.Incoming, outgoing.Notice = true, true, true
		for i := range 6 {
			f.add(OutboxMessage(fmt.Sprint("incoming ", i), incoming))
			f.deliver()
		}
		f.add(OutboxMessage("outgoing", outgoing))
		f.deliver()
		f.wantState("incoming 1", Sent)
		f.wantState("incoming 2", Failed)
		f.wantState("outgoing", Sent)
	})
}

// Above the daily limit of a phone number its notices are dropped, and no other
// messages. Each number has a limit of its own.
func TestNoticesHaveADailyLimit(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead, dropped atomic.Int64
			db := open(t, database.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
			s := newSealer(t, "the server's secret")
			f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{DailyNotices: 4, Dropped: func() { dropped.Add(1) }}}
			notice, other := plainMessage, plainMessage
			notice.Notice, other.Notice, other.Phone = true, true, phone.Number("+996700654321")
			f.add(s.OutboxMessage("code 1", secretMessage()))
			f.deliver()
			for i := range 6 {
				f.add(OutboxMessage(fmt.Sprint("notice ", i), notice))
				f.deliver()
			}
			f.add(OutboxMessage("other", other), OutboxMessage("no notice", plainMessage), s.OutboxMessage("code 2", secretMessage()))
			f.deliver()
			for key, state := range map[string]State{
				"notice 0": Sent, "notice 2": Sent, "notice 3": Failed, "notice 5": Failed, "other": Sent, "no notice": Sent, "code 1": Sent, "code 2": Sent,
			} {
				f.wantState(key, state)
			}
			if n := dropped.Load(); n != 3 {
				t.Errorf("%d notices dropped", n)
			}
			ahead.Add(int64(25 * time.Hour))
			f.add(OutboxMessage("the next day", notice))
			f.deliver()
			f.wantState("the next day", Sent)
			if n := dropped.Load(); n != 3 {
				t.Errorf("%d notices dropped a day later", n)
			}
		})
	}
}
