package password

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Limits of the callers of each class that wait for a turn, and of their wait.
const (
	maxWaiting = 64
	patience   = 2 * time.Second
)

var (
	errCrowded = errors.New("password: too many wait for a turn")
	errLate    = errors.New("password: no turn came in time")
)

// queue bounds concurrent hashing. Callers wait in two classes, each in order of
// arrival; the back class gets a turn only while the front class is empty.
type queue struct {
	mu   sync.Mutex
	free int
	// waiting are the queues of front and back; closing a channel grants the turn.
	waiting [2][]chan struct{}
}

const (
	front = iota
	back
)

// turn waits for a turn to hash; release ends it. It returns fault.Unavailable if
// too many of the class wait, or after patience.
func (q *queue) turn(ctx context.Context, behind bool) (release func(), err error) {
	class := front
	//mutant:drop ./web TestKnownBrowsersLogInDuringAStorm
	if behind {
		class = back
	}
	q.mu.Lock()
	//mutant:replace q.free > 0 => true TestTurns
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return q.release, nil
	}
	if len(q.waiting[class]) >= maxWaiting {
		q.mu.Unlock()
		return nil, busy(errCrowded)
	}
	mine := make(chan struct{})
	q.waiting[class] = append(q.waiting[class], mine)
	q.mu.Unlock()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-mine:
		return q.release, nil
	case <-late.C:
		err = errLate
	case <-ctx.Done():
		err = ctx.Err()
	}
	if q.leave(class, mine) {
		return nil, busy(err)
	}
	return q.release, nil // the turn came at this moment
}

// leave removes a caller from the queue; false if it has its turn already.
func (q *queue) leave(class int, mine chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting[class], mine)
	if i < 0 {
		return false
	}
	q.waiting[class] = slices.Delete(q.waiting[class], i, i+1)
	return true
}

// release passes the turn on.
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
