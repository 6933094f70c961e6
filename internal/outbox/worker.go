package outbox

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"elsom/internal/database"
)

// Worker processes the messages of one queue in this process.
type Worker struct {
	Queue string
	// Concurrency is the number of messages processed at once.
	Concurrency int
	// Lease is the duration of a lease. Do must end well before it.
	Lease time.Duration
	// CountDue returns the number of due messages, up to limit. nil stands for the
	// function CountDue.
	CountDue func(ctx context.Context, limit int) (int, error)
	// Acquire leases up to n messages. nil stands for the function Acquire in a
	// transaction of its own.
	Acquire func(ctx context.Context, n int) ([]LeasedMessage, error)
	// Do processes one message and records the result.
	Do func(ctx context.Context, m LeasedMessage)
	// Capacity is optional and returns how many more messages may be acquired
	// now. When it grows, the Notifier must be called.
	Capacity func() int
	// Idle is optional and called when nothing is due, and at the end.
	Idle func(ctx context.Context)
}

// pollInterval is the interval at which a queue is searched for messages that
// another process added or that became due. For messages added by this process a
// Notifier wakes the worker at once.
const pollInterval = 300 * time.Millisecond

// Notifier wakes the workers of queues in this process.
type Notifier struct {
	mu     sync.Mutex
	queues map[string]chan struct{}
}

// NewNotifier returns a notifier for any number of queues.
func NewNotifier() *Notifier { return &Notifier{queues: map[string]chan struct{}{}} }

// Notify wakes the queue's worker. It never blocks.
func (n *Notifier) Notify(queue string) {
	select {
	case n.queue(queue) <- struct{}{}:
	default: // a notification is pending
	}
}

// Notifications returns the channel of a queue's notifications, for its worker.
func (n *Notifier) Notifications(queue string) <-chan struct{} { return n.queue(queue) }

func (n *Notifier) queue(name string) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, ok := n.queues[name]
	if !ok {
		c = make(chan struct{}, 1)
		n.queues[name] = c
	}
	return c
}

// Work processes a queue until ctx ends, then waits for the messages in
// progress.
func Work(ctx context.Context, db *database.DB, notifier *Notifier, w Worker) {
	if w.Acquire == nil {
		w.Acquire = func(ctx context.Context, n int) (messages []LeasedMessage, err error) {
			err = db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				messages, err = Acquire(ctx, tx, w.Queue, n, w.Lease)
				return err
			})
			return messages, err
		}
	}
	if w.CountDue == nil {
		w.CountDue = func(ctx context.Context, limit int) (int, error) { return CountDue(ctx, db, w.Queue, limit) }
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
		messages, err := w.acquireDue(ctx, w.withinCapacity(n))
		if err != nil && ctx.Err() == nil {
			//mutant:drop TestWorkContinuesAfterErrors
			slog.WarnContext(ctx, "outbox: acquire failed", "queue", w.Queue, "error", err)
		}
		for range n - len(messages) {
			free <- struct{}{}
		}
		for _, m := range messages {
			running.Go(func() {
				defer func() { free <- struct{}{} }()
				w.do(ctx, m)
			})
		}
		if len(messages) == 0 {
			wait(ctx, notifier.queue(w.Queue))
		}
	}
}

func (w Worker) withinCapacity(n int) int {
	if w.Capacity == nil {
		return n
	}
	return max(0, min(n, w.Capacity()))
}

func (w Worker) acquireDue(ctx context.Context, n int) ([]LeasedMessage, error) {
	var none []LeasedMessage
	if n == 0 {
		return none, nil
	}
	due, err := w.CountDue(ctx, n)
	if err != nil {
		return nil, err
	}
	if due == 0 {
		w.Idle(ctx)
		return none, nil
	}
	return w.Acquire(ctx, due)
}

// do processes a message and recovers from a panic of w.Do: the message is
// processed again after its lease.
func (w Worker) do(ctx context.Context, m LeasedMessage) {
	defer func() {
		//mutant:drop TestWorkRecoversFromPanic
		if r := recover(); r != nil {
			slog.ErrorContext(ctx, "outbox: panic", "queue", w.Queue, "message", m.ID, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	w.Do(context.WithoutCancel(ctx), m)
}

// takeAll waits for one free slot, takes all that are free, and returns their
// number.
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

// wait returns after a notification, the poll interval or the end of ctx.
func wait(ctx context.Context, notified <-chan struct{}) {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-notified:
	case <-timer.C:
	case <-ctx.Done():
	}
}
