package outbox_test

import (
	"bytes"
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

// work runs workers until stop is called or the test ends.
func (b *fixture) work(notifier *outbox.Notifier, workers ...outbox.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() { outbox.Work(ctx, b.db, notifier, w) })
	}
	stop = func() { cancel(); wg.Wait() }
	b.t.Cleanup(stop)
	return stop
}

func (b *fixture) completer(did func(outbox.LeasedMessage)) outbox.Worker {
	return outbox.Worker{Queue: "test", Concurrency: 3, Lease: time.Minute, Do: func(ctx context.Context, m outbox.LeasedMessage) {
		did(m)
		err := b.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error { return outbox.Complete(ctx, tx, m) })
		if err != nil {
			b.t.Error(err)
		}
	}}
}

func (b *fixture) waitFor(condition func() bool) {
	b.t.Helper()
	for range 20_000 {
		if condition() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatal("timed out waiting for the condition")
}

func (b *fixture) open() (n int) {
	if err := b.db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM promises WHERE state = 'open'").Scan(&n).Error; err != nil {
		b.t.Error(err)
	}
	return n
}

// Several workers of one queue, as in several processes, process each message
// once, and no more at a time than their concurrency allows.
func TestWorkersShareAQueue(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		var mu sync.Mutex
		done := map[string]int{}
		var now, most atomic.Int64
		did := func(m outbox.LeasedMessage) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			mu.Lock()
			done[m.Key]++
			mu.Unlock()
			now.Add(-1)
		}
		for i := range 40 {
			b.add(message(fmt.Sprint(i)))
		}
		b.pass(time.Second)
		stop := b.work(outbox.NewNotifier(), b.completer(did), b.completer(did))
		b.waitFor(func() bool { return b.open() == 0 })
		stop()
		if len(done) != 40 || most.Load() > 6 {
			t.Errorf("%d messages done, %d at once", len(done), most.Load())
		}
		for key, times := range done {
			if times != 1 {
				t.Errorf("%s was done %d times", key, times)
			}
		}
	})
}

// A panic ends neither the worker nor the process, and the message is processed
// again after its lease.
func TestWorkRecoversFromPanic(t *testing.T) {
	slog.SetLogLoggerLevel(slog.LevelError + 1)
	each(t, func(t *testing.T, b *fixture) {
		b.add(message("bad"), message("good"))
		b.pass(time.Second)
		var again atomic.Bool
		b.work(outbox.NewNotifier(), b.completer(func(m outbox.LeasedMessage) {
			if m.Key == "bad" && m.Attempts == 1 {
				panic("a bug")
			}
			again.Store(again.Load() || m.Key == "bad")
		}))
		b.waitFor(func() bool { return b.row("good").State == "kept" && b.row("bad").Tries == 1 })
		b.pass(2 * time.Minute)
		b.waitFor(func() bool { return again.Load() && b.open() == 0 })
	})
}

// When its context ends, Work acquires nothing more and waits for the messages
// in progress, whose own contexts have not ended.
func TestWorkDrains(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		b.add(message("a"))
		b.pass(time.Second)
		begun, carryOn := make(chan struct{}), make(chan struct{})
		worker := b.completer(func(outbox.LeasedMessage) { close(begun); <-carryOn })
		worker.Concurrency = 1
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		notifier := outbox.NewNotifier()
		go func() { outbox.Work(ctx, b.db, notifier, worker); close(ended) }()
		<-begun
		cancel()
		b.add(message("b"))
		notifier.Notify("test")
		select {
		case <-ended:
			t.Error("returned while a message was in progress")
		case <-time.After(20 * time.Millisecond):
		}
		close(carryOn)
		<-ended
		b.wantState("a", "kept")
		if r := b.row("b"); r.Tries != 0 {
			t.Error("acquired another message")
		}
	})
}

// A notification wakes a queue at once, also one that came while the queue was
// busy. Without one the queue finds its messages a little later.
func TestNotifier(t *testing.T) {
	each(t, func(t *testing.T, b *fixture) {
		notifier := outbox.NewNotifier()
		done := make(chan string, 10)
		var acquisitions atomic.Int64
		worker := b.completer(func(m outbox.LeasedMessage) { done <- m.Key })
		worker.Acquire = func(ctx context.Context, n int) (messages []outbox.LeasedMessage, err error) {
			acquisitions.Add(1)
			err = b.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				messages, err = outbox.Acquire(ctx, tx, "test", n, time.Minute)
				return err
			})
			return messages, err
		}
		b.work(notifier, worker)
		begun := time.Now()
		const n = 20
		for i := range n {
			b.add(message(fmt.Sprint(i)))
			b.pass(time.Second)
			notifier.Notify("test")
			notifier.Notify("test") // never blocks
			notifier.Notify("a queue without worker")
			if got := <-done; got != fmt.Sprint(i) {
				t.Errorf("did %s", got)
			}
		}
		// Without notifications each would wait half an interval on average.
		if took := time.Since(begun); took > n*outbox.PollInterval/2 {
			t.Errorf("notifications were lost: %v for %d", took, n)
		}
		b.add(message("not notified"))
		b.pass(time.Second)
		<-done
		if acquisitions.Load() > 3*n {
			t.Errorf("an idle queue acquired %d times", acquisitions.Load())
		}
	})
}

// warned reports whether a line of the log has a text.
type warned struct {
	text string
	seen atomic.Bool
}

func (w *warned) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(w.text)) {
		w.seen.Store(true)
	}
	return len(line), nil
}

// An unavailable database does not end the work, and is logged.
func TestWorkContinuesAfterErrors(t *testing.T) {
	usual := slog.Default()
	defer slog.SetDefault(usual)
	each(t, func(t *testing.T, b *fixture) {
		log := &warned{text: "outbox: acquire failed"}
		slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
		var failed atomic.Bool
		worker := b.completer(func(outbox.LeasedMessage) {})
		worker.Acquire = func(ctx context.Context, n int) (messages []outbox.LeasedMessage, err error) {
			if !failed.Swap(true) {
				return nil, errors.New("away")
			}
			err = b.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				messages, err = outbox.Acquire(ctx, tx, "test", n, time.Minute)
				return err
			})
			return messages, err
		}
		b.add(message("a"))
		b.pass(time.Second)
		b.work(outbox.NewNotifier(), worker)
		b.waitFor(func() bool { return b.open() == 0 })
		if !log.seen.Load() {
			t.Error("the error is not logged")
		}
	})
}
