package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// TestStatementsPerMessage counts all statements, from the query for due messages to
// the last commit. A message that is sent alone takes nine.
func TestStatementsPerMessage(t *testing.T) {
	const n = 160
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			db := open(t, database.WithTrace(func(text string, _ []any) {
				if !strings.HasPrefix(text, "--") { // SQLite traces triggers as comments
					sent.Add(1)
				}
			}))
			s := newSealer(t, "the server's secret")
			f := &fixture{t, db, s, &recorder{}, NewMessages(db, s), Options{}}
			for i := range n {
				f.add(OutboxMessage(fmt.Sprint(i), plainMessage))
			}
			sent.Store(0)
			ctx, cancel := context.WithCancel(context.Background())
			var working sync.WaitGroup
			working.Go(func() {
				outbox.Work(ctx, db, outbox.NewNotifier(), Workers(db, s, f.gateway, Options{})[slices.Index(Queues(), Queue)])
			})
			f.waitForCount("sent messages", "SELECT COUNT(*) FROM promises WHERE state = 'kept'", n)
			cancel()
			working.Wait()
			total := sent.Load()
			t.Logf("%.2f statements per message", float64(total)/n)
			if total > 5*n {
				t.Errorf("%d statements for %d messages", total, n)
			}
			for i := range n {
				f.wantStates(fmt.Sprint(i), Sent, "kept")
			}
		})
	}
}

// A message whose row can't be inserted does not fail the others of its batch.
func TestInvalidRowFailsAlone(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t) // SQLite accepts a phone number of any length
	s := newSealer(t, "the server's secret")
	sender := newSender(db, s, &recorder{})
	bad := plainMessage
	bad.Phone = phone.Number(strings.Repeat("7", 40))
	var list []candidate
	for i, m := range []Message{plainMessage, bad, plainMessage} {
		p := OutboxMessage(fmt.Sprint(i), m)
		body, err := json.Marshal(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		leased := outbox.LeasedMessage{Queue: Queue, Key: p.Key, Payload: body, LeaseToken: int64(i + 1)}
		content, err := s.read(leased)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, candidate{leased, content, &decision{}})
	}
	failed, err := database.RetrySingly(sender.startBatch)(t.Context(), list)
	if err != nil || failed[0] != nil || failed[1] == nil || failed[2] != nil {
		t.Fatalf("%v, %v", failed, err)
	}
	for i, want := range []int64{1, 0, 3} {
		if id := list[i].decision.id; (id != 0) != (want != 0) {
			t.Errorf("message %d: id %d", i, id)
		}
		var askedBy int64
		if err := db.Pool().QueryRow("SELECT COALESCE(SUM(asked_by), 0) FROM messages WHERE key = $1", fmt.Sprint(i)).Scan(&askedBy); err != nil {
			t.Fatal(err)
		}
		if askedBy != want {
			t.Errorf("message %d: asked_by %d, want %d", i, askedBy, want)
		}
	}
}

// waitForCount waits for a count.
func (f *fixture) waitForCount(what, query string, want int) {
	f.Helper()
	var n int
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if err := f.db.Pool().QueryRow(query).Scan(&n); err != nil {
			f.Fatal(err)
		}
		if n == want {
			return
		}
	}
	f.Fatalf("%s: %d, want %d", what, n, want)
}
