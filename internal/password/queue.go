package password

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// How many callers of each class may wait for a turn, and how long.
const (
	maxWaiting = 64
	patience   = 2 * time.Second
)

var (
	errCrowded = errors.New("password: too many wait for a turn")
	errLate    = errors.New("password: no turn came in time")
)

// queue gives out turns to hash. Callers wait in two classes, each first come,
// first served; those behind get a turn only while nobody else waits.
type queue struct {
	mu   sync.Mutex
	free int
	// waiting are those in front and those behind; a turn closes the channel.
	waiting [2][]chan struct{}
}

const (
	front = iota
	back
)

// turn waits for leave to hash; release gives it back. A caller that finds too
// many of its class waiting, or waits too long, gets fault.Unavailable.
func (q *queue) turn(ctx context.Context, behind bool) (release func(), err error) {
	class := front
	if behind {
		class = back
	}
	q.mu.Lock()
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

// leave takes a caller out of the queue; false where it has its turn already.
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
