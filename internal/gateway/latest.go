package gateway

import (
	"context"
	"sync"
	"time"

	"elsom/internal/database"
)

// latest lets requests that come at once share one look at the register. Who
// asks gets a row that was read after they asked, so that a gateway which was
// shut out is met outside by its next request.
type latest struct {
	mu    sync.Mutex
	looks map[string]*look
}

// look is a reading; next is the one that begins once it has ended.
type look struct {
	next *look
	done chan struct{}
	row  row
	err  error
}

// patience bounds a reading: it isn't any one caller's.
const patience = 10 * time.Second

func (l *latest) read(ctx context.Context, db *database.DB, code string) (row, error) {
	l.mu.Lock()
	if l.looks == nil {
		l.looks = map[string]*look{}
	}
	current := l.looks[code]
	if current == nil {
		current = &look{done: make(chan struct{})}
		l.looks[code] = current
		go l.run(context.WithoutCancel(ctx), db, code, current)
	} else {
		if current.next == nil {
			current.next = &look{done: make(chan struct{})}
		}
		current = current.next
	}
	l.mu.Unlock()
	select {
	case <-current.done:
		return current.row, current.err
	case <-ctx.Done():
		return row{}, ctx.Err()
	}
}

// run reads again and again while somebody has asked meanwhile.
func (l *latest) run(ctx context.Context, db *database.DB, code string, current *look) {
	for current != nil {
		bounded, cancel := context.WithTimeout(ctx, patience)
		current.row, current.err = read(bounded, db, code)
		cancel()
		l.mu.Lock()
		next := current.next
		if next == nil {
			delete(l.looks, code)
		} else {
			l.looks[code] = next
		}
		l.mu.Unlock()
		close(current.done)
		current = next
	}
}
