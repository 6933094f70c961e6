package password

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// The maximum number of waiting callers per class, and their maximum wait.
const (
	maxWaiting = 64
	maxWait    = 2 * time.Second
)

var (
	errQueueFull = errors.New("password: the queue is full")
	errTimeout   = errors.New("password: waited too long")
)

// queue limits concurrent hashing. Callers wait in two classes, each in order of
// arrival; the low class is served only while the normal one is empty.
type queue struct {
	mu   sync.Mutex
	free int
	// waiting are the callers by class; closing a channel admits one.
	waiting [2][]chan struct{}
}

const (
	normalPriority = iota
	lowPriority
)

// acquire waits until a hash may start; release ends it. It returns
// fault.Unavailable if the class's queue is full, or after maxWait.
func (q *queue) acquire(ctx context.Context, low bool) (release func(), err error) {
	class := normalPriority
	//mutant:drop ./web TestKnownBrowsersLogInDuringGuessing
	if low {
		class = lowPriority
	}
	q.mu.Lock()
	//mutant:replace q.free > 0 => true TestConcurrencyLimit
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return q.release, nil
	}
	//mutant:drop TestOverload
	if len(q.waiting[class]) >= maxWaiting {
		q.mu.Unlock()
		return nil, busy(errQueueFull)
	}
	admitted := make(chan struct{})
	q.waiting[class] = append(q.waiting[class], admitted)
	q.mu.Unlock()
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	select {
	case <-admitted:
		return q.release, nil
	case <-timeout.C:
		err = errTimeout
	case <-ctx.Done():
		err = ctx.Err()
	}
	if q.remove(class, admitted) {
		return nil, busy(err)
	}
	return q.release, nil // admitted meanwhile
}

// remove removes a caller from the queue. It reports false if the caller was
// admitted already.
func (q *queue) remove(class int, admitted chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting[class], admitted)
	if i < 0 {
		return false
	}
	q.waiting[class] = slices.Delete(q.waiting[class], i, i+1)
	return true
}

// release admits the next caller.
func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for class := range q.waiting {
		if len(q.waiting[class]) > 0 {
			close(q.waiting[class][0])
			q.waiting[class] = q.waiting[class][1:]
			return
		}
	}
	q.free++
}
