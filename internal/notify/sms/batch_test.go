package sms

import (
	"context"
	"encoding/json"
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

// What an SMS costs where many are sent: all statements, from the look for
// what is due to the last commit. One at a time it would be nine.
func TestStatementsOfManyMessages(t *testing.T) {
	const n = 160
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			db := open(t, database.WithTrace(func(text string, _ []any) {
				if !strings.HasPrefix(text, "--") { // SQLite's word for a trigger
					sent.Add(1)
				}
			}))
			s := sealer(t, "the server's secret")
			p := &post{t, db, s, &recorder{}, NewMessages(db, s), Options{}}
			for i := range n {
				p.promise(OutboxMessage(fmt.Sprint(i), plainMessage))
			}
			sent.Store(0)
			ctx, cancel := context.WithCancel(context.Background())
			var working sync.WaitGroup
			working.Go(func() { outbox.Work(ctx, db, outbox.NewNotifier(), Workers(db, s, p.gateway, Options{})[1]) })
			p.until("all are sent", "SELECT COUNT(*) FROM promises WHERE state = 'kept'", n)
			cancel()
			working.Wait()
			all := sent.Load()
			t.Logf("%.2f statements a message", float64(all)/n)
			if all > 5*n {
				t.Errorf("%d statements for %d messages", all, n)
			}
			for i := range n {
				p.stands(fmt.Sprint(i), Sent, "kept")
			}
		})
	}
}

// One message that can't be written down stops none that came with it.
func TestWhatCantBeWrittenDown(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t) // SQLite takes a number of any length
	s := sealer(t, "the server's secret")
	d := newDesk(db, s, &recorder{})
	bad := plainMessage
	bad.Phone = phone.Number(strings.Repeat("7", 40))
	var list []asked
	for i, m := range []Message{plainMessage, bad, plainMessage} {
		p := OutboxMessage(fmt.Sprint(i), m)
		body, err := json.Marshal(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		task := outbox.LeasedMessage{Queue: Queue, Key: p.Key, Payload: body, LeaseToken: int64(i + 1)}
		words, err := s.read(task)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, asked{task, words, &told{}})
	}
	failed, err := database.RetrySingly(d.askTogether)(t.Context(), list)
	if err != nil || failed[0] != nil || failed[1] == nil || failed[2] != nil {
		t.Fatalf("%v, %v", failed, err)
	}
	for i, by := range []int64{1, 0, 3} {
		if id := list[i].told.id; (id != 0) != (by != 0) {
			t.Errorf("no. %d: told %d", i, id)
		}
		var noted int64
		if err := db.Pool().QueryRow("SELECT COALESCE(SUM(asked_by), 0) FROM messages WHERE key = $1", fmt.Sprint(i)).Scan(&noted); err != nil {
			t.Fatal(err)
		}
		if noted != by {
			t.Errorf("no. %d is noted under %d, want %d", i, noted, by)
		}
	}
}

// until waits for a count.
func (p *post) until(what, query string, want int) {
	p.Helper()
	var n int
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if err := p.db.Pool().QueryRow(query).Scan(&n); err != nil {
			p.Fatal(err)
		}
		if n == want {
			return
		}
	}
	p.Fatalf("%s: %d, want %d", what, n, want)
}
