package ledger

import (
	"testing"
	"testing/synctest"
	"time"
)

// acquireIn returns the release and how long acquire took.
func acquireIn(token *writeToken) (release func(), took time.Duration) {
	begin := time.Now()
	release = token.acquire()
	return release, time.Since(begin)
}

func TestWriteTokenIsHeldByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := newWriteToken()
		release, took := acquireIn(token)
		if took != 0 {
			t.Errorf("acquiring a free token took %s", took)
		}
		go func() {
			time.Sleep(30 * time.Millisecond)
			release()
			release() // has no effect: the token is held by the next writer
		}()
		_, took = acquireIn(token)
		if took != 30*time.Millisecond {
			t.Errorf("acquired after %s, before or long after its release", took)
		}
		if _, took := acquireIn(token); took != tokenTimeout {
			t.Errorf("a token released twice was acquired after %s", took)
		}
	})
}

func TestWriteTokenTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := newWriteToken()
		release := token.acquire()
		without, took := acquireIn(token)
		if took != tokenTimeout {
			t.Errorf("waited %s for a blocked holder", took)
		}
		without() // does not release the holder's token
		if _, took := acquireIn(token); took != time.Millisecond {
			t.Errorf("waited %s after a wait that timed out", took)
		}
		release()
		release, took = acquireIn(token)
		if took != 0 {
			t.Errorf("waited %s for a released token", took)
		}
		if _, took := acquireIn(token); took != tokenTimeout {
			t.Errorf("waited %s for a holder that is not overdue", took)
		}
		release()
	})
}
