package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/outbox"
)

// working runs workers until the test lets them go home.
func (b *box) working(bell *outbox.Notifier, workers ...outbox.Worker) (home func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() { outbox.Work(ctx, b.db, bell, w) })
	}
	home = func() { cancel(); wg.Wait() }
	b.t.Cleanup(home)
	return home
}

func (b *box) keeper(did func(outbox.LeasedMessage)) outbox.Worker {
	return outbox.Worker{Queue: "lane", Concurrency: 3, Lease: time.Minute, Do: func(ctx context.Context, task outbox.LeasedMessage) {
		did(task)
		err := b.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, task) })
		if err != nil {
			b.t.Error(err)
		}
	}}
}

func (b *box) waitFor(there func() bool) {
	b.t.Helper()
	for range 20_000 {
		if there() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatal("it never came")
}

func (b *box) open() (n int) {
	if err := b.db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM promises WHERE state = 'open'").Scan(&n).Error; err != nil {
		b.t.Error(err)
	}
	return n
}

// Several workers of one lane, in several processes as it were: each task is
// done once, never more of them at once than the widths allow.
func TestWorkersShareALane(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		var mu sync.Mutex
		done := map[string]int{}
		var now, most atomic.Int64
		did := func(task outbox.LeasedMessage) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			mu.Lock()
			done[task.Key]++
			mu.Unlock()
			now.Add(-1)
		}
		for i := range 40 {
			b.add(promise(fmt.Sprint(i)))
		}
		b.pass(time.Second)
		home := b.working(outbox.NewNotifier(), b.keeper(did), b.keeper(did))
		b.waitFor(func() bool { return b.open() == 0 })
		home()
		if len(done) != 40 || most.Load() > 6 {
			t.Errorf("%d tasks done, %d at once", len(done), most.Load())
		}
		for key, times := range done {
			if times != 1 {
				t.Errorf("%s was done %d times", key, times)
			}
		}
	})
}

// A panic spoils one task, not the worker and not the process; the task comes
// again after its lease.
func TestPanicIsContained(t *testing.T) {
	slog.SetLogLoggerLevel(slog.LevelError + 1)
	each(t, func(t *testing.T, b *box) {
		b.add(promise("bad"), promise("good"))
		b.pass(time.Second)
		var again atomic.Bool
		b.working(outbox.NewNotifier(), b.keeper(func(task outbox.LeasedMessage) {
			if task.Key == "bad" && task.Attempts == 1 {
				panic("a bug")
			}
			again.Store(again.Load() || task.Key == "bad")
		}))
		b.waitFor(func() bool { return b.row("good").State == "kept" && b.row("bad").Tries == 1 })
		b.pass(2 * time.Minute)
		b.waitFor(func() bool { return again.Load() && b.open() == 0 })
	})
}

// At the end Work takes nothing new and waits for what is under way, which may
// finish as if nothing had happened.
func TestWorkDrains(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		b.add(promise("a"))
		b.pass(time.Second)
		begun, carryOn := make(chan struct{}), make(chan struct{})
		worker := b.keeper(func(outbox.LeasedMessage) { close(begun); <-carryOn })
		worker.Concurrency = 1
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		bell := outbox.NewNotifier()
		go func() { outbox.Work(ctx, b.db, bell, worker); close(ended) }()
		<-begun
		cancel()
		b.add(promise("b"))
		bell.Notify("lane")
		select {
		case <-ended:
			t.Error("left while a task was under way")
		case <-time.After(20 * time.Millisecond):
		}
		close(carryOn)
		<-ended
		b.stands("a", "kept")
		if r := b.row("b"); r.Tries != 0 {
			t.Error("took something new")
		}
	})
}

// The bell wakes a lane at once, also when it rang while the lane was at work;
// without it the lane finds its work a little later.
func TestBell(t *testing.T) {
	each(t, func(t *testing.T, b *box) {
		bell := outbox.NewNotifier()
		done := make(chan string, 10)
		var claims atomic.Int64
		worker := b.keeper(func(task outbox.LeasedMessage) { done <- task.Key })
		worker.Acquire = func(ctx context.Context, n int) (tasks []outbox.LeasedMessage, err error) {
			claims.Add(1)
			err = b.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				tasks, err = outbox.Acquire(ctx, tx, "lane", n, time.Minute)
				return err
			})
			return tasks, err
		}
		b.working(bell, worker)
		begun := time.Now()
		const n = 20
		for i := range n {
			b.add(promise(fmt.Sprint(i)))
			b.pass(time.Second)
			bell.Notify("lane")
			bell.Notify("lane") // never waits
			bell.Notify("nobody's")
			if got := <-done; got != fmt.Sprint(i) {
				t.Errorf("did %s", got)
			}
		}
		// Unheard, each would have waited half an interval, taken together.
		if took := time.Since(begun); took > n*outbox.PollInterval/2 {
			t.Errorf("nobody heard the bell: %v for %d", took, n)
		}
		b.add(promise("unrung"))
		b.pass(time.Second)
		<-done
		if claims.Load() > 3*n {
			t.Errorf("an idle lane claimed %d times", claims.Load())
		}
	})
}

// A database that is away for a moment doesn't end the work.
func TestWorkOutlivesErrors(t *testing.T) {
	slog.SetLogLoggerLevel(slog.LevelError + 1)
	each(t, func(t *testing.T, b *box) {
		var failed atomic.Bool
		worker := b.keeper(func(outbox.LeasedMessage) {})
		worker.Acquire = func(ctx context.Context, n int) (tasks []outbox.LeasedMessage, err error) {
			if !failed.Swap(true) {
				return nil, errors.New("away")
			}
			err = b.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				tasks, err = outbox.Acquire(ctx, tx, "lane", n, time.Minute)
				return err
			})
			return tasks, err
		}
		b.add(promise("a"))
		b.pass(time.Second)
		b.working(outbox.NewNotifier(), worker)
		b.waitFor(func() bool { return b.open() == 0 })
	})
}
