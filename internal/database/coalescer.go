package database

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"elsom/internal/fault"
)

// A Coalescer combines concurrent calls of Do into one statement. Calls that
// arrive while a statement runs form the next batch; a lone call is not delayed.
// A result is never older than its call. A statement that takes longer than a
// second delays only its own batch: the next one runs beside it.
//
// If the statement fails, all calls of the batch return its error, so arguments
// must have been checked before.
type Coalescer[Q, A any] struct {
	do func(ctx context.Context, asked []Q) ([]A, error)

	mu      sync.Mutex
	waiting []*call[Q, A]
	running bool
}

type call[Q, A any] struct {
	arg    Q
	answer A
	err    error
	done   chan struct{}
}

const (
	// maxBatch is the number of calls in one statement at most.
	maxBatch = 200
	// batchTimeout limits a statement, which has the context of no single caller.
	batchTimeout = 10 * time.Second
	// batchStall is the time after which the next batch no longer waits.
	batchStall = time.Second
)

// NewCoalescer returns a coalescer for do, which returns one answer for each
// argument, in the same order.
func NewCoalescer[Q, A any](do func(context.Context, []Q) ([]A, error)) *Coalescer[Q, A] {
	return &Coalescer[Q, A]{do: do}
}

// Do returns the answer for arg. When ctx ends first the error is that of ctx, or
// fault.Unavailable after a deadline.
func (g *Coalescer[Q, A]) Do(ctx context.Context, arg Q) (A, error) {
	q := &call[Q, A]{arg: arg, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, q)
	first := !g.running
	g.running = true
	g.mu.Unlock()
	if first {
		go g.run()
	}
	select {
	case <-q.done:
		return q.answer, q.err
	case <-ctx.Done():
		var none A
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return none, fault.New(fault.Unavailable, "database.coalescer", "").Because(ctx.Err())
		}
		return none, ctx.Err()
	}
}

func (g *Coalescer[Q, A]) run() {
	for {
		runtime.Gosched() // lets callers that are about to call join
		g.mu.Lock()
		n := min(len(g.waiting), maxBatch)
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.running = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		//mutant:replace batchStall => batchTimeout TestCoalescerRunsBesideStalledBatch
		another := time.AfterFunc(batchStall, g.run)
		g.serve(batch)
		if !another.Stop() {
			return // run has been started again
		}
	}
}

func (g *Coalescer[Q, A]) serve(batch []*call[Q, A]) {
	asked := make([]Q, len(batch))
	for i, q := range batch {
		asked[i] = q.arg
	}
	answers, err := g.answer(asked)
	for i, q := range batch {
		if q.err = err; err == nil {
			q.answer = answers[i]
		}
		close(q.done)
	}
}

// answer runs the statement of a batch. A panic fails this batch only.
func (g *Coalescer[Q, A]) answer(asked []Q) (answers []A, err error) {
	defer func() {
		//mutant:drop TestCoalescerRecoversFromPanic
		if p := recover(); p != nil {
			err = fmt.Errorf("database: coalescer: panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	answers, err = g.do(ctx, asked)
	switch {
	case fault.Is(err, fault.Unknown):
		return nil, err // also after a deadline: the commit may still be waiting
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fault.New(fault.Unavailable, "database.coalescer", "").Because(err)
	case err == nil && len(answers) != len(asked):
		return nil, fmt.Errorf("database: coalescer: %d answers for %d calls", len(answers), len(asked))
	}
	return answers, err
}

// RetrySingly adapts a function that processes a list in one transaction to a
// Coalescer: if the whole list fails, each item is processed alone, so that one
// bad item fails no other. The answers are the errors of the items.
func RetrySingly[Q any](do func(ctx context.Context, list []Q) error) func(ctx context.Context, list []Q) ([]error, error) {
	return func(ctx context.Context, list []Q) ([]error, error) {
		failed := make([]error, len(list))
		err := do(ctx, list)
		if err == nil {
			return failed, nil
		}
		//mutant:replace len(list) == 1 || fault.Is(err, fault.Unavailable) => true ./internal/payment TestUnrecordableAnswerDoesNotStopOthers
		if len(list) == 1 || fault.Is(err, fault.Unavailable) {
			return nil, err
		}
		for i := range list {
			failed[i] = do(ctx, list[i:i+1])
		}
		return failed, nil
	}
}

// AlignRows returns rows in the order of the requested keys, with nil for a key
// that has no row.
//
//mutant:replace for i, key := range keys { if row, ok : => var row R; for i, key := range keys { var ok bool; if row, ok TestAlignRows
func AlignRows[K comparable, R any](keys []K, rows []R, of func(R) K) []*R {
	byKey := make(map[K]R, len(rows))
	for _, row := range rows {
		byKey[of(row)] = row
	}
	found := make([]*R, len(keys))
	for i, key := range keys {
		if row, ok := byKey[key]; ok {
			found[i] = &row // a copy for each key
		}
	}
	return found
}
