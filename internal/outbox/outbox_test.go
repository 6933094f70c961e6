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

// box is an outbox whose time goes on only when it is told to.
type box struct {
	t  *testing.T
	db *database.DB
	mu sync.Mutex
	at time.Time
}

func each(t *testing.T, test func(t *testing.T, b *box)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{
		"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &box{t: t, at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
			b.db = open(t, database.WithClock(b.now))
			test(t, b)
		})
	}
}

func (b *box) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *box) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

// tx runs an act in a transaction that must succeed.
func (b *box) tx(act func(ctx context.Context, tx *database.Tx) error) {
	b.t.Helper()
	if err := b.db.InTx(context.Background(), act); err != nil {
		b.t.Error(err)
	}
}

func (b *box) add(promises ...outbox.Message) {
	b.t.Helper()
	b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Add(ctx, tx, promises...) })
}

func (b *box) claim(lane string, n int) (tasks []outbox.LeasedMessage) {
	b.t.Helper()
	b.tx(func(ctx context.Context, tx *database.Tx) (err error) {
		tasks, err = outbox.Acquire(ctx, tx, lane, n, time.Minute)
		return err
	})
	return tasks
}

// one claims the only task that is due.
func (b *box) one() outbox.LeasedMessage {
	b.t.Helper()
	tasks := b.claim("lane", 10)
	if len(tasks) != 1 {
		b.t.Fatalf("%d tasks are due", len(tasks))
	}
	return tasks[0]
}

func (b *box) none() {
	b.t.Helper()
	if tasks := b.claim("lane", 10); len(tasks) != 0 {
		b.t.Fatalf("%v is due", tasks)
	}
}

// row is a promise as it stands in the database.
type row struct {
	State   string
	Payload string
	Tries   int
	EndedAt *time.Time
}

func (b *box) row(key string) (r row) {
	b.t.Helper()
	if err := b.db.Gorm(context.Background()).Raw("SELECT * FROM promises WHERE key = ?", key).Scan(&r).Error; err != nil {
		b.t.Fatal(err)
	}
	return r
}

// stands wants a promise in a state; one that ended has forgotten
// its payload and knows when it ended.
func (b *box) stands(key, state string) {
	b.t.Helper()
	r := b.row(key)
	ended := state != "open"
	if r.State != state || (r.Payload == "") != ended || (r.EndedAt != nil) != ended {
		b.t.Errorf("%s is %+v, want %s", key, r, state)
	}
}

func promise(key string) outbox.Message {
	return outbox.Message{Queue: "lane", Key: key, Payload: map[string]string{"secret": key}}
}

func TestClaimAndKeep(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		b.add(promise("a"))
		task := b.one()
		var payload map[string]string
		if err := task.Read(&payload); err != nil || payload["secret"] != "a" || task.Key != "a" || task.Queue != "lane" || task.Attempts != 1 {
			t.Fatalf("%+v, %v, %v", task, payload, err)
		}
		b.none()
		b.stands("a", "open")
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, task) })
		b.stands("a", "kept")
		b.pass(time.Hour)
		b.none()
	})
}

// A promise is made with its transaction or not at all, and once an event.
func TestAddIsPartOfItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		refused := errors.New("refused")
		err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
			if err := outbox.Add(ctx, tx, promise("a")); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		b.none()
		b.add(promise("a"), outbox.Message{Queue: "other", Key: "a"})
		err = b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
			return outbox.Add(ctx, tx, promise("a"))
		})
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("promised twice: %v", err)
		}
		b.add() // nothing
		b.one()
	})
}

func TestWhatCanNotBeKeptIsNotPromised(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		for _, payload := range []any{make(chan int), strings.Repeat("x", 8001)} {
			err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
				return outbox.Add(ctx, tx, outbox.Message{Queue: "lane", Key: "k", Payload: payload})
			})
			if err == nil || strings.Contains(err.Error(), "xxxx") {
				t.Errorf("got %v", err)
			}
		}
		b.none()
	})
}

// A lane sees its own promises only, the earliest first, none before its time.
func TestDueInOrder(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		late, later := promise("late"), promise("later")
		late.NotBefore, later.NotBefore = b.now().Add(time.Minute), b.now().Add(2*time.Minute)
		b.add(later, late, promise("now"), outbox.Message{Queue: "other", Key: "x"})
		if got := b.one().Key; got != "now" {
			t.Errorf("%s came first", got)
		}
		if due, err := outbox.CountDue(context.Background(), b.db, "lane", 2); due != 0 || err != nil {
			t.Error("due before its time", err)
		}
		b.pass(time.Minute - time.Second)
		b.none()
		b.pass(3 * time.Second)
		if due, err := outbox.CountDue(context.Background(), b.db, "lane", 2); due != 2 || err != nil {
			t.Error("not due in its time", err)
		}
		b.pass(3 * time.Minute)
		tasks := b.claim("lane", 1)
		if len(tasks) != 1 || tasks[0].Key == "later" {
			t.Errorf("%v came before the earlier ones", tasks)
		}
	})
}

// However many workers claim at once, each task goes to one of them, and none
// gets more than it asked for.
func TestClaimedOnce(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		const n = 60
		for i := range n {
			b.add(promise(fmt.Sprint(i)))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		claimed := map[string]int{}
		for range 6 {
			wg.Go(func() {
				for range 40 {
					tasks := b.claim("lane", 3)
					if len(tasks) > 3 {
						t.Errorf("asked for 3, got %d", len(tasks))
					}
					mu.Lock()
					for _, task := range tasks {
						claimed[task.Key]++
					}
					done := len(claimed) == n
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
		wg.Wait()
		for key, times := range claimed {
			if times != 1 {
				t.Errorf("%s was claimed %d times", key, times)
			}
		}
		if len(claimed) != n {
			t.Errorf("%d of %d were claimed", len(claimed), n)
		}
	})
}

// A lease that ends gives the task to another; the first can't put it off or
// give it up any more, but what it has done is done.
func TestLeaseRunsOut(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		b.add(promise("a"))
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
		b.stands("a", "open")
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return outbox.Postpone(ctx, tx, outbox.Postponement{Message: second, At: b.now()})
		})
		b.pass(time.Second)
		third := b.one()
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, first) })
		b.stands("a", "kept")
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return errors.Join(outbox.Fail(ctx, tx, third), outbox.Postpone(ctx, tx, outbox.Postponement{Message: third, At: b.now()}))
		})
		b.stands("a", "kept")
		b.pass(time.Hour)
		b.none()
	})
}

func TestPostpone(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		b.add(promise("a"))
		task := b.one()
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return outbox.Postpone(ctx, tx, outbox.Postponement{Message: task, At: b.now().Add(10 * time.Minute)})
		})
		b.pass(9 * time.Minute) // longer than the lease
		b.none()
		b.pass(2 * time.Minute)
		if again := b.one(); again.Attempts != 2 || string(again.Payload) != `{"secret":"a"}` {
			t.Errorf("%+v", again)
		}
	})
}

func TestGiveUp(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		b.add(promise("a"))
		task := b.one()
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Fail(ctx, tx, task) })
		b.stands("a", "failed")
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, task) })
		b.stands("a", "failed")
		b.pass(time.Hour)
		b.none()
	})
}

// Promises are made and kept in the transaction of those whose riders they are.
func TestRiders(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return database.WriteRiders(tx, [][]database.Rider{{
				outbox.AddRider(promise("a")), outbox.AddRider(promise("b")), outbox.AddRider(promise("c")),
				outbox.AddRider(outbox.Message{Queue: "other", Key: "d"}),
			}}, database.WriteSet{})
		})
		task := b.claim("lane", 1)[0]
		kept := []string{task.Key, map[string]string{"a": "b", "b": "c", "c": "a"}[task.Key]}
		b.tx(func(ctx context.Context, tx *database.Tx) error {
			return database.WriteRiders(tx, [][]database.Rider{{
				outbox.CompleteRider(outbox.MessageKey{Queue: "lane", Key: kept[0]}), // claimed, and open still
				outbox.CompleteRider(outbox.MessageKey{Queue: "lane", Key: kept[1]}), // never claimed
				outbox.CompleteRider(outbox.MessageKey{Queue: "lane", Key: "d"}),     // of another lane
				outbox.CompleteRider(outbox.MessageKey{Queue: "lane", Key: "never promised"}),
			}}, database.WriteSet{})
		})
		b.stands(kept[0], "kept")
		b.stands(kept[1], "kept")
		if r := b.row("d"); r.State != "open" {
			t.Errorf("another lane's: %+v", r)
		}
		b.one()
	})
}

func TestLanesWithOpenPromises(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		want := func(lanes ...string) {
			t.Helper()
			got, err := outbox.OpenQueues(context.Background(), b.db)
			if slices.Sort(got); err != nil || !slices.Equal(got, lanes) {
				t.Errorf("got %v, %v", got, err)
			}
		}
		want()
		b.add(promise("a"), promise("b"), outbox.Message{Queue: "biller:one", Key: "a"}, outbox.Message{Queue: "biller:Two", Key: "a"})
		want("biller:Two", "biller:one", "lane")
		task := b.claim("biller:one", 1)[0]
		want("biller:Two", "biller:one", "lane")
		b.tx(func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, task) })
		want("biller:Two", "lane")
	})
}
