package ledger

import (
	"testing"
	"testing/synctest"
	"time"
)

// A batch that is smaller than the one that is being committed waits until that one has
// ended, or until it is as large, or 100 ms.
func TestCollectWaitsForALargerCommit(t *testing.T) {
	for _, c := range []struct {
		name                string
		size, queued        int           // of the batch that is committed, and postings that wait
		ends                time.Duration // of the commit
		more                time.Duration // between two further postings; 0: there are none
		wantSize            int
		wantWait            time.Duration
		withoutCommit, late bool
	}{
		{name: "none committed", queued: 3, withoutCommit: true, wantSize: 3},
		{name: "equal", size: 3, queued: 3, ends: time.Second, wantSize: 3},
		{name: "ended", size: 9, queued: 3, ends: 0, wantSize: 3},
		{name: "ends", size: 9, queued: 3, ends: 5 * time.Millisecond, wantSize: 3, wantWait: 5 * time.Millisecond},
		{name: "grows", size: 5, queued: 3, ends: time.Second, more: time.Millisecond, wantSize: 5, wantWait: 2 * time.Millisecond},
		{name: "hangs", size: 9, queued: 3, ends: time.Second, wantSize: 3, wantWait: tokenTimeout},
		{name: "has hung", size: 9, queued: 3, ends: time.Second, late: true, wantSize: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &Ledger{queue: make(chan *job, 100), token: newWriteToken()}
				if !c.withoutCommit {
					committing := newCommit(c.size)
					l.token.commits(committing)
					time.AfterFunc(c.ends, committing.end)
				}
				if c.late {
					time.Sleep(tokenTimeout)
				}
				synctest.Wait()
				for range c.queued - 1 {
					l.queue <- &job{}
				}
				stop := make(chan struct{})
				if c.more > 0 {
					go func() {
						for {
							select {
							case <-time.After(c.more):
								l.queue <- &job{}
							case <-stop:
								return
							}
						}
					}()
				}
				begin := time.Now()
				batch := (&writer{Ledger: l}).collect(&job{})
				if took := time.Since(begin); len(batch) != c.wantSize || took != c.wantWait {
					t.Errorf("%d postings after %v, want %d after %v", len(batch), took, c.wantSize, c.wantWait)
				}
				close(stop)
				time.Sleep(time.Second)
			})
		})
	}
}

// Postings that are collected when the ledger is closed are written.
func TestCollectEndsWithTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Ledger{queue: make(chan *job, 100), token: newWriteToken()}
		l.token.commits(newCommit(9))
		time.AfterFunc(time.Millisecond, func() { close(l.queue) })
		begin := time.Now()
		if batch := (&writer{Ledger: l}).collect(&job{}); len(batch) != 1 || time.Since(begin) != time.Millisecond {
			t.Errorf("%d postings after %v", len(batch), time.Since(begin))
		}
	})
}
