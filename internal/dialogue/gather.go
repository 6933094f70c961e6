package dialogue

import (
	"context"
	"sync"
	"time"
)

// gather lets those who come at once share one statement: while one runs the
// next collects, and nobody waits for company.
type gather[Q, A any] struct {
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
	// patience bounds a statement: it isn't any one caller's.
	patience = 10 * time.Second
)

func newGather[Q, A any](do func(context.Context, []Q) ([]A, error)) *gather[Q, A] {
	return &gather[Q, A]{do: do}
}

func (g *gather[Q, A]) ask(ctx context.Context, asked Q) (A, error) {
	q := &question[Q, A]{asked: asked, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, q)
	first := !g.running
	g.running = true
	g.mu.Unlock()
	if first {
		go g.run(context.WithoutCancel(ctx))
	}
	select {
	case <-q.done:
		return q.answer, q.err
	case <-ctx.Done():
		var none A
		return none, ctx.Err()
	}
}

func (g *gather[Q, A]) run(ctx context.Context) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), gathered)
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.running = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		g.serve(ctx, batch)
	}
}

func (g *gather[Q, A]) serve(ctx context.Context, batch []*question[Q, A]) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := make([]Q, len(batch))
	for i, q := range batch {
		asked[i] = q.asked
	}
	answers, err := g.do(ctx, asked)
	for i, q := range batch {
		if q.err = err; err == nil {
			q.answer = answers[i]
		}
		close(q.done)
	}
}
