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

// Coalescer lets those who come at once share one statement: while one runs the
// next collects, and nobody waits for company. Who asks gets what was read, or
// written, after they asked. A statement that hangs keeps only those who share
// it: after a second the next one goes beside it.
//
// Where a statement fails, all who share it are told so: what is asked has been
// checked before.
type Coalescer[Q, A any] struct {
	do func(ctx context.Context, asked []Q) ([]A, error)

	mu      sync.Mutex
	waiting []*question[Q, A]
	running bool
}

type question[Q, A any] struct {
	asked  Q
	answer A
	err    error
	done   chan struct{}
}

const (
	// gathered is how many share one statement at most.
	gathered = 200
	// gatherPatience bounds a statement: it isn't any one caller's.
	gatherPatience = 10 * time.Second
	// gatherStall is after how long the next one doesn't wait for it any more.
	gatherStall = time.Second
)

// NewCoalescer gathers for do, which gives one answer for each that is asked, in
// the same order.
func NewCoalescer[Q, A any](do func(context.Context, []Q) ([]A, error)) *Coalescer[Q, A] {
	return &Coalescer[Q, A]{do: do}
}

// Do gives the answer, or the caller's own end.
func (g *Coalescer[Q, A]) Do(ctx context.Context, asked Q) (A, error) {
	q := &question[Q, A]{asked: asked, done: make(chan struct{})}
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
			return none, fault.New(fault.Unavailable, "database.gather", "").Because(ctx.Err())
		}
		return none, ctx.Err()
	}
}

func (g *Coalescer[Q, A]) run() {
	for {
		runtime.Gosched() // who is about to ask comes along
		g.mu.Lock()
		n := min(len(g.waiting), gathered)
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.running = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		//mutant:replace gatherStall => gatherPatience TestGatherBesideOneThatHangs
		another := time.AfterFunc(gatherStall, g.run)
		g.serve(batch)
		if !another.Stop() {
			return // the other one goes on
		}
	}
}

func (g *Coalescer[Q, A]) serve(batch []*question[Q, A]) {
	asked := make([]Q, len(batch))
	for i, q := range batch {
		asked[i] = q.asked
	}
	answers, err := g.answer(asked)
	for i, q := range batch {
		if q.err = err; err == nil {
			q.answer = answers[i]
		}
		close(q.done)
	}
}

// answer asks for all of a batch. A panic is a failure of this batch alone.
func (g *Coalescer[Q, A]) answer(asked []Q) (answers []A, err error) {
	defer func() {
		//mutant:drop TestGatherSurvives
		if p := recover(); p != nil {
			err = fmt.Errorf("database: gather: panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), gatherPatience)
	defer cancel()
	answers, err = g.do(ctx, asked)
	switch {
	case fault.Is(err, fault.Unknown):
		return nil, err // also one that waits still
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fault.New(fault.Unavailable, "database.gather", "").Because(err)
	case err == nil && len(answers) != len(asked):
		return nil, fmt.Errorf("database: gather: %d answers for %d questions", len(answers), len(asked))
	}
	return answers, err
}

// RetrySingly makes a Gather's act of one that does many things in one
// transaction or none of them: where that fails each is done alone, so that one
// that can't be done stops no other. The answers are the failures of each.
func RetrySingly[Q any](do func(ctx context.Context, list []Q) error) func(ctx context.Context, list []Q) ([]error, error) {
	return func(ctx context.Context, list []Q) ([]error, error) {
		failed := make([]error, len(list))
		err := do(ctx, list)
		if err == nil {
			return failed, nil
		}
		//mutant:replace len(list) == 1 || fault.Is(err, fault.Unavailable) => true ./internal/payment TestWhatCantBeRecorded
		if len(list) == 1 || fault.Is(err, fault.Unavailable) {
			return nil, err
		}
		for i := range list {
			failed[i] = do(ctx, list[i:i+1])
		}
		return failed, nil
	}
}

// AlignRows puts rows in the order of the keys that were asked; nil where there is
// no row for one.
//
//mutant:replace for i, key := range keys { if row, ok : => var row R; for i, key := range keys { var ok bool; if row, ok TestByKey
func AlignRows[K comparable, R any](keys []K, rows []R, of func(R) K) []*R {
	byKey := make(map[K]R, len(rows))
	for _, row := range rows {
		byKey[of(row)] = row
	}
	found := make([]*R, len(keys))
	for i, key := range keys {
		if row, ok := byKey[key]; ok {
			found[i] = &row // each its own; what it points to is shared
		}
	}
	return found
}
