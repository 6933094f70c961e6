package ledger

import (
	"sync"
	"sync/atomic"
	"time"
)

// tokenTimeout is how long a writer waits for the write token. A holder that
// keeps the token longer is probably blocked on a row lock, so the other writer
// goes ahead without it.
const tokenTimeout = 100 * time.Millisecond

// A writeToken is the mutex between the writers of a ledger. A writer holds it
// while it collects and writes a batch, up to the commit: one batch commits
// while the next one is collected and written, and batches are fuller than if
// both were written at once.
//
// It affects throughput only. Correctness rests on the database's locks and
// unique keys, so a writer may go on without the token.
type writeToken struct {
	held    chan struct{} // has an element while the token is held
	overdue atomic.Bool   // the last wait ended by its timeout
}

func newWriteToken() *writeToken { return &writeToken{held: make(chan struct{}, 1)} }

// acquire waits for the token, at most tokenTimeout, or one millisecond after a
// wait that timed out. release gives the token back, if it was acquired; only
// the first call has an effect.
func (t *writeToken) acquire() (release func()) {
	timeout := tokenTimeout
	if t.overdue.Load() {
		timeout = time.Millisecond
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case t.held <- struct{}{}:
		t.overdue.Store(false)
		return sync.OnceFunc(func() { <-t.held })
	//mutant:replace timer.C => (chan time.Time)(nil) TestBlockedBatchDoesNotStopOthers
	case <-timer.C:
		t.overdue.Store(true)
		return func() {}
	}
}
