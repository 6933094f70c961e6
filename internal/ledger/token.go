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
	last    atomic.Pointer[commit]
}

// A commit is a batch that is being committed by a writer that has released the token.
type commit struct {
	size int
	// done is closed by end, or tokenTimeout after the token's release: the commit
	// probably waits for a standby then.
	done chan struct{}
	end  func()
}

func newCommit(size int) *commit {
	done := make(chan struct{})
	return &commit{size, done, sync.OnceFunc(func() { close(done) })}
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

// commits records that a batch is about to be committed, until its end is called.
func (t *writeToken) commits(c *commit) {
	t.last.Store(c)
	//mutant:drop TestCollectWaitsForALargerCommit
	time.AfterFunc(tokenTimeout, c.end)
}

// larger returns the last commit if it is of more than size postings and is not done;
// else nil.
func (t *writeToken) larger(size int) *commit {
	c := t.last.Load()
	if c == nil || c.size <= size {
		return nil
	}
	select {
	case <-c.done:
		return nil
	default:
		return c
	}
}
