package payment

import "sync"

// watch tells those who look at a receipt that its payment ended in this
// process. It is a hint: what counts is the database.
type watch struct {
	mu    sync.Mutex
	waits map[int64]*wait
}

type wait struct {
	ended   chan struct{}
	closed  bool
	lookers int
}

func newWatch() *watch { return &watch{waits: map[int64]*wait{}} }

func (w *watch) of(id int64) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	one, ok := w.waits[id]
	if !ok {
		one = &wait{ended: make(chan struct{})}
		w.waits[id] = one
	}
	one.lookers++
	return one.ended
}

func (w *watch) leave(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.waits[id]; one != nil {
		if one.lookers--; one.lookers == 0 {
			delete(w.waits, id)
		}
	}
}

func (w *watch) end(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.waits[id]; one != nil && !one.closed {
		one.closed = true
		close(one.ended)
	}
}
