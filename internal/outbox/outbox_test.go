package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
)

// fixture is an outbox on a database whose clock advances by pass only.
type fixture struct {
	t  *testing.T
	db *database.DB
	mu sync.Mutex
	at time.Time
}

func each(t *testing.T, test func(t *testing.T, b *fixture)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fixture{t: t, at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
			b.db = open(t, database.WithClock(b.now))
			test(t, b)
		})
	}
}

func (b *fixture) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *fixture) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

// tx runs a function in a transaction that must succeed.
func (b *fixture) tx(run func(ctx context.Context, tx *database.Tx) error) {
	b.t.Helper()
	if err := b.db.InTx(context.Background(), run); err != nil {
		b.t.Error(err)
	}
}

func (b *fixture) add(messages ...outbox.Message) {
	b.t.Helper()
	b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Add(ctx, tx, messages...) })
}

func (b *fixture) acquire(queue string, n int) (messages []outbox.LeasedMessage) {
	b.t.Helper()
	b.tx(func(ctx context.Context, tx *database.Tx) (err error) {
		messages, err = outbox.Acquire(ctx, tx, queue, n, time.Minute)
		return err
	})
	return messages
}

// one acquires the only message that is due.
func (b *fixture) one() outbox.LeasedMessage {
	b.t.Helper()
	messages := b.acquire("test", 10)
	if len(messages) != 1 {
		b.t.Fatalf("%d messages are due", len(messages))
	}
	return messages[0]
}

func (b *fixture) none() {
	b.t.Helper()
	if messages := b.acquire("test", 10); len(messages) != 0 {
		b.t.Fatalf("%v is due", messages)
	}
}

// storedMessage is a message as it is in the database.
type storedMessage struct {
	State   string
	Payload string
	Tries   int
	EndedAt *time.Time
}

func (b *fixture) row(key string) (r storedMessage) {
	b.t.Helper()
	if err := b.db.Gorm(context.Background()).Raw("SELECT * FROM promises WHERE key = ?", key).Scan(&r).Error; err != nil {
		b.t.Fatal(err)
	}
	return r
}

// wantState checks a message's state. A message that has ended has no payload
// but the time of its end.
func (b *fixture) wantState(key, state string) {
	b.t.Helper()
	r := b.row(key)
	ended := state != "open"
	if r.State != state || (r.Payload == "") != ended || (r.EndedAt != nil) != ended {
		b.t.Errorf("%s is %+v, want %s", key, r, state)
	}
}

func message(key string) outbox.Message {
	return outbox.Message{Queue: "test", Key: key, Payload: map[string]string{"secret": key}}
}

func TestAcquireAndComplete(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		b.add(message("a"))
		m := b.one()
		var payload map[string]string
		if err := m.Read(&payload); err != nil || payload["secret"] != "a" || m.Key != "a" || m.Queue != "test" || m.Attempts != 1 {
			t.Fatalf("%+v, %v, %v", m, payload, err)
		}
		b.none()
		b.wantState("a", "open")
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, m) })
		b.wantState("a", "kept")
		b.pass(time.Hour)
		b.none()
	})
}

// A message is added with its transaction or not at all, and once for an event.
func TestAddIsPartOfItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		refused := errors.New("refused")
		err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
			if err := outbox.Add(ctx, tx, message("a")); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		b.none()
		b.add(message("a"), outbox.Message{Queue: "other", Key: "a"})
		err = b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
			return outbox.Add(ctx, tx, message("a"))
		})
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("added twice: %v", err)
		}
		b.add() // nothing
		b.one()
	})
}

func TestAddRefusesPayloads(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		for _, payload := range []any{make(chan int), strings.Repeat("x", 8001)} {
			err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
				return outbox.Add(ctx, tx, outbox.Message{Queue: "test", Key: "k", Payload: payload})
			})
			if err == nil || strings.Contains(err.Error(), "xxxx") {
				t.Errorf("got %v", err)
			}
		}
		b.none()
	})
}

// A queue returns its own messages only, the earliest first, none before its time.
func TestDueInOrder(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		late, later := message("late"), message("later")
		late.NotBefore, later.NotBefore = b.now().Add(time.Minute), b.now().Add(2*time.Minute)
		b.add(later, late, message("now"), outbox.Message{Queue: "other", Key: "x"})
		if got := b.one().Key; got != "now" {
			t.Errorf("%s came first", got)
		}
		if due, err := outbox.CountDue(context.Background(), b.db, "test", 2); due != 0 || err != nil {
			t.Error("due before its time", err)
		}
		b.pass(time.Minute - time.Second)
		b.none()
		b.pass(3 * time.Second)
		if due, err := outbox.CountDue(context.Background(), b.db, "test", 2); due != 2 || err != nil {
			t.Error("not due in its time", err)
		}
		b.pass(3 * time.Minute)
		messages := b.acquire("test", 1)
		if len(messages) != 1 || messages[0].Key == "later" {
			t.Errorf("%v came before the earlier ones", messages)
		}
	})
}

// With many workers each message is acquired by one of them, and no worker gets
// more messages than it asked for.
func TestAcquiredOnce(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		const n = 60
		for i := range n {
			b.add(message(fmt.Sprint(i)))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		acquired := map[string]int{}
		for range 6 {
			wg.Go(func() {
				for range 40 {
					messages := b.acquire("test", 3)
					if len(messages) > 3 {
						t.Errorf("asked for 3, got %d", len(messages))
					}
					mu.Lock()
					for _, m := range messages {
						acquired[m.Key]++
					}
					done := len(acquired) == n
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
		wg.Wait()
		for key, times := range acquired {
			if times != 1 {
				t.Errorf("%s was acquired %d times", key, times)
			}
		}
		if len(acquired) != n {
			t.Errorf("%d of %d were acquired", len(acquired), n)
		}
	})
}

// After its lease a message is acquired again. The first worker can neither
// postpone nor fail it any more, but it can complete it.
func TestExpiredLease(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		b.add(message("a"))
		first := b.one()
		b.pass(59 * time.Second)
		b.none()
		b.pass(2 * time.Second)
		second := b.one()
		if second.Attempts != 2 || second.LeaseToken == first.LeaseToken {
			t.Errorf("%+v after %+v", second, first)
		}
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return outbox.Postpone(ctx, tx, outbox.Postponement{Message: first, At: b.now()})
		})
		b.none()
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Fail(ctx, tx, first) })
		b.wantState("a", "open")
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return outbox.Postpone(ctx, tx, outbox.Postponement{Message: second, At: b.now()})
		})
		b.pass(time.Second)
		third := b.one()
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, first) })
		b.wantState("a", "kept")
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return errors.Join(outbox.Fail(ctx, tx, third), outbox.Postpone(ctx, tx, outbox.Postponement{Message: third, At: b.now()}))
		})
		b.wantState("a", "kept")
		b.pass(time.Hour)
		b.none()
	})
}

func TestPostpone(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		b.add(message("a"))
		m := b.one()
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return outbox.Postpone(ctx, tx, outbox.Postponement{Message: m, At: b.now().Add(10 * time.Minute)})
		})
		b.pass(9 * time.Minute) // longer than the lease
		b.none()
		b.pass(2 * time.Minute)
		if again := b.one(); again.Attempts != 2 || string(again.Payload) != `{"secret":"a"}` {
			t.Errorf("%+v", again)
		}
	})
}

func TestFail(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		b.add(message("a"))
		m := b.one()
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Fail(ctx, tx, m) })
		b.wantState("a", "failed")
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, m) })
		b.wantState("a", "failed")
		b.pass(time.Hour)
		b.none()
	})
}

// Riders add messages in the transaction of their transfer.
func TestRiders(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		b.tx(func(_ context.Context, tx *database.Tx) error {
			return database.WriteRiders(tx, [][]database.Rider{{
				outbox.AddRider(message("a")), outbox.AddRider(outbox.Message{Queue: "other", Key: "b"}),
			}}, database.WriteSet{})
		})
		if m := b.one(); m.Key != "a" {
			t.Errorf("%+v", m)
		}
		if r := b.row("b"); r.State != "open" {
			t.Errorf("of another queue: %+v", r)
		}
	})
}

func TestOpenQueues(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		want := func(queues ...string) {
			t.Helper()
			got, err := outbox.OpenQueues(context.Background(), b.db)
			if slices.Sort(got); err != nil || !slices.Equal(got, queues) {
				t.Errorf("got %v, %v", got, err)
			}
		}
		want()
		b.add(message("a"), message("b"), outbox.Message{Queue: "biller:one", Key: "a"}, outbox.Message{Queue: "biller:Two", Key: "a"})
		want("biller:Two", "biller:one", "test")
		m := b.acquire("biller:one", 1)[0]
		want("biller:Two", "biller:one", "test")
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, m) })
		want("biller:Two", "test")
	})
}
