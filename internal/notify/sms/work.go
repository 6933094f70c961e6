package sms

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"elsom/internal/outbox"
)

const (
	// concurrency is the number of concurrent calls to the gateway for each queue.
	concurrency = 16
	// maxAcquired limits the messages of a queue that a process has acquired; of codes
	// only those that are called at once, because codes whose call a crash interrupts
	// are never sent again.
	maxAcquired = 256
	// stepInterval is the shortest time between two transactions of a queue, unless all
	// messages that it could acquire were due.
	stepInterval = 50 * time.Millisecond
	// failurePause is the pause after a step that failed.
	failurePause = time.Second
	// pollInterval is the interval at which a queue is searched for messages that
	// another process added or that became due.
	pollInterval = 300 * time.Millisecond
)

// Run sends the messages of all queues until ctx ends, then waits for the calls in
// progress and stores their outcomes.
func (d *Sender) Run(ctx context.Context, notifier *outbox.Notifier) {
	var running sync.WaitGroup
	running.Go(func() { d.work(ctx, notifier.Notifications(CodeQueue), CodeQueue, concurrency) })
	running.Go(func() { d.work(ctx, notifier.Notifications(Queue), Queue, maxAcquired) })
	running.Go(func() { d.drain(ctx) })
	running.Wait()
}

// SendDue sends the messages that are due, one after the other in the order in which
// they were added, and returns their number.
func (d *Sender) SendDue(ctx context.Context) (int, error) {
	var due []Acquired
	for _, queue := range []string{CodeQueue, Queue} {
		acquired, err := d.Step(ctx, queue, nil, maxAcquired)
		if err != nil {
			return 0, err
		}
		due = append(due, acquired...)
	}
	slices.SortFunc(due, func(a, b Acquired) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range due {
		if _, err := d.Step(ctx, m.Queue, []Outcome{d.Send(ctx, m)}, 0); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// worker sends the messages of a queue. One goroutine runs its steps; calls run in
// others.
type worker struct {
	*Sender
	queue    string
	limit    int // of acquired messages
	calls    chan Acquired
	finished chan Outcome
	inFlight int       // acquired messages whose outcome hasn't arrived
	outcomes []Outcome // arrived, to be stored by the next step
	search   bool      // messages may be due
	full     bool      // for the last step as many messages were due as it could acquire
	paced    bool      // the pause after the last step has passed
	failed   bool      // the last step failed
}

func (d *Sender) work(ctx context.Context, notified <-chan struct{}, queue string, limit int) {
	w := &worker{Sender: d, queue: queue, limit: limit, calls: make(chan Acquired, limit), finished: make(chan Outcome, limit), search: true, paced: true}
	var calling sync.WaitGroup
	for range concurrency {
		calling.Go(func() {
			for m := range w.calls {
				w.finished <- w.send(ctx, m)
			}
		})
	}
	pace := time.NewTimer(0)
	defer pace.Stop()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for ctx.Err() == nil {
		select {
		case <-notified:
			w.search = true
		case <-poll.C:
			w.search = w.search || w.hasDue(ctx)
		case o := <-w.finished:
			w.take(o)
		case <-pace.C:
			w.paced = true
		case <-ctx.Done():
		}
		if w.ready() && ctx.Err() == nil {
			pace.Reset(w.step(ctx))
			w.paced = false
		}
	}
	close(w.calls)
	//mutant:drop TestRunStoresOutcomesAtItsEnd
	w.finish(ctx)
	calling.Wait()
}

// send calls the gateway, also while the process is told to end; messages that were not
// passed to it by then become due again.
func (w *worker) send(ctx context.Context, m Acquired) Outcome {
	//mutant:drop TestRunLeavesWaitingMessagesDue
	if ctx.Err() != nil {
		return Outcome{m, errNotCalled}
	}
	return w.Send(context.WithoutCancel(ctx), m)
}

// take takes the outcomes that have arrived.
func (w *worker) take(o Outcome) {
	for {
		w.inFlight--
		w.outcomes = append(w.outcomes, o)
		select {
		case o = <-w.finished:
		default:
			return
		}
	}
}

// window is the number of messages to have acquired: what is called at once, and twice
// what was finished since the last step, so that few wait for a slow gateway.
func (w *worker) window() int { return min(w.limit, concurrency+2*len(w.outcomes)) }

// ready reports whether a step is to be run.
func (w *worker) ready() bool {
	if w.full && 2*(w.window()-w.inFlight) >= w.window() {
		return true
	}
	return w.paced && (len(w.outcomes) > 0 || w.search && w.window() > w.inFlight)
}

// step runs a step and returns the pause after it.
func (w *worker) step(ctx context.Context) time.Duration {
	n := 0
	if w.search && !w.failed { // after a failure, first what has to be stored
		n = max(0, w.window()-w.inFlight)
	}
	s, err := w.transact(ctx, w.queue, w.outcomes, n)
	w.failed = err != nil
	if err != nil {
		if ctx.Err() == nil {
			slog.WarnContext(ctx, "sms: step failed", "queue", w.queue, "error", err)
		}
		w.full = false
		for _, m := range s.acquired {
			w.outcomes = append(w.outcomes, Outcome{m, errNotCalled})
		}
		return failurePause
	}
	w.outcomes = nil
	if n > 0 {
		// Of those, some may not be sent, as there is nothing to send or they are too old.
		//mutant:replace s.full => len(s.acquired) == n TestCodesDoNotWaitForMessagesThatAreNotSent
		w.full = s.full
		w.search = w.full
	}
	for _, m := range s.acquired {
		w.inFlight++
		w.calls <- m
	}
	return stepInterval
}

func (w *worker) hasDue(ctx context.Context) bool {
	found, err := w.isDue(ctx, w.queue)
	if err != nil && ctx.Err() == nil {
		slog.WarnContext(ctx, "sms: search failed", "queue", w.queue, "error", err)
	}
	return found
}

// finish waits for the calls in progress and stores what has not been stored.
func (w *worker) finish(ctx context.Context) {
	for w.inFlight > 0 {
		w.take(<-w.finished)
	}
	if len(w.outcomes) == 0 {
		return
	}
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if _, err := w.Step(storing, w.queue, w.outcomes, 0); err != nil {
		slog.ErrorContext(ctx, "sms: outcomes not stored", "queue", w.queue, "messages", len(w.outcomes), "error", err)
	}
}
