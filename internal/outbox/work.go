package outbox

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"elsom/internal/database"
)

// Worker does the work of one lane in this process.
type Worker struct {
	Queue string
	// Width is how many tasks are done at once.
	Concurrency int
	// Lease is how long a claim lasts; Do must end well before it.
	Lease time.Duration
	// Claim takes up to n tasks; nil: Claim of this package in a transaction
	// of its own.
	Acquire func(ctx context.Context, n int) ([]LeasedMessage, error)
	// Do does one task and records how it went.
	Do func(ctx context.Context, task LeasedMessage)
	// Room, where there is one, tells how many more may be claimed now. Who
	// makes room rings the bell.
	Capacity func() int
	// Idle, where there is one, is called when nothing is due, and at the end.
	Idle func(ctx context.Context)
}

// pollInterval is how often a lane looks for work that another process made
// due, or that became due by time. Work of this process comes with Wake.
const pollInterval = 300 * time.Millisecond

// Notifier wakes the workers of a lane in this process.
type Notifier struct {
	mu     sync.Mutex
	queues map[string]chan struct{}
}

// NewNotifier makes a bell.
func NewNotifier() *Notifier { return &Notifier{queues: map[string]chan struct{}{}} }

// Notify tells the lane's worker that something was promised. It never waits.
func (b *Notifier) Notify(lane string) {
	select {
	case b.queue(lane) <- struct{}{}:
	default: // it is awake already
	}
}

func (b *Notifier) queue(name string) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.queues[name]
	if !ok {
		c = make(chan struct{}, 1)
		b.queues[name] = c
	}
	return c
}

// Work does a lane's work until ctx ends, then waits for what is under way.
func Work(ctx context.Context, db *database.DB, bell *Notifier, w Worker) {
	if w.Acquire == nil {
		w.Acquire = func(ctx context.Context, n int) (tasks []LeasedMessage, err error) {
			err = db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				tasks, err = Acquire(ctx, tx, w.Queue, n, w.Lease)
				return err
			})
			return tasks, err
		}
	}
	if w.Idle == nil {
		w.Idle = func(context.Context) {}
	}
	var running sync.WaitGroup
	defer func() {
		//mutant:drop TestWorkDrains
		running.Wait()
		w.Idle(context.WithoutCancel(ctx))
	}()
	free := make(chan struct{}, w.Concurrency)
	for range w.Concurrency {
		free <- struct{}{}
	}
	for ctx.Err() == nil {
		n := takeAll(ctx, free)
		tasks, err := w.acquireDue(ctx, db, w.withinCapacity(n))
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "outbox: claim", "lane", w.Queue, "error", err)
		}
		for range n - len(tasks) {
			free <- struct{}{}
		}
		for _, task := range tasks {
			running.Go(func() {
				defer func() { free <- struct{}{} }()
				w.do(ctx, task)
			})
		}
		if len(tasks) == 0 {
			wait(ctx, bell.queue(w.Queue))
		}
	}
}

func (w Worker) withinCapacity(n int) int {
	if w.Capacity == nil {
		return n
	}
	return max(0, min(n, w.Capacity()))
}

func (w Worker) acquireDue(ctx context.Context, db *database.DB, n int) ([]LeasedMessage, error) {
	if n == 0 {
		return nil, nil
	}
	due, err := CountDue(ctx, db, w.Queue, n)
	if err != nil {
		return nil, err
	}
	if due == 0 {
		w.Idle(ctx)
		return nil, nil
	}
	return w.Acquire(ctx, due)
}

// do contains a panic: one bad task must not end the process. Its lease runs
// out and it is tried again, later and later by the lane's own rule.
func (w Worker) do(ctx context.Context, task LeasedMessage) {
	defer func() {
		//mutant:drop TestPanicIsContained
		if r := recover(); r != nil {
			slog.ErrorContext(ctx, "outbox: panic", "lane", w.Queue, "task", task.ID, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	w.Do(context.WithoutCancel(ctx), task)
}

// takeAll waits for one free place and takes the others that are free too.
func takeAll(ctx context.Context, free chan struct{}) int {
	select {
	case <-free:
	case <-ctx.Done():
		return 0
	}
	n := 1
	for {
		select {
		case <-free:
			n++
		default:
			return n
		}
	}
}

func wait(ctx context.Context, bell <-chan struct{}) {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-bell:
	case <-timer.C:
	case <-ctx.Done():
	}
}
