package payment

import "sync"

// endWatch wakes requests that wait for the end of a payment, if it ends in this
// process. Callers must read the payment's state from the database.
type endWatch struct {
	mu      sync.Mutex
	waiters map[int64]*waiter
}

type waiter struct {
	ended  chan struct{}
	closed bool
	count  int
}

func newEndWatch() *endWatch { return &endWatch{waiters: map[int64]*waiter{}} }

func (w *endWatch) subscribe(id int64) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	one, ok := w.waiters[id]
	if !ok {
		one = &waiter{ended: make(chan struct{})}
		w.waiters[id] = one
	}
	one.count++
	return one.ended
}

func (w *endWatch) unsubscribe(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.waiters[id]; one != nil {
		if one.count--; one.count == 0 {
			delete(w.waiters, id)
		}
	}
}

func (w *endWatch) notify(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.waiters[id]; one != nil && !one.closed {
		one.closed = true
		close(one.ended)
	}
}
