package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// job is a posting that waits for its answer.
type job struct {
	posting Posting
	hash    string
	receipt Receipt
	err     error
	done    chan struct{}
}

func (j *job) end(receipt Receipt, err error) {
	j.receipt, j.err = receipt, err
	close(j.done)
}

// A writer writes one batch at a time. Of striped balances it updates its own
// stripe, which it rarely shares with a writer of another process.
type writer struct {
	*Ledger
	stripe  int64
	release func() // of the write token
}

// run writes the queued postings in batches until the queue is closed and empty.
func (w *writer) run() {
	for first := range w.queue {
		release := w.token.acquire()
		batch := w.collect(first)
		c := newCommit(len(batch))
		w.release = sync.OnceFunc(func() {
			w.token.commits(c)
			release()
		})
		w.write(batch, true)
		w.release()
		c.end()
	}
}

// collect returns the queued postings as a batch. While a larger batch is being committed
// it waits for more: each batch has a fixed cost, which several processes on one database
// would otherwise pay for half as many postings.
func (w *writer) collect(first *job) []*job {
	// Callers that were just answered can post again first, which fills
	// batches without a timer.
	runtime.Gosched()
	batch := append(make([]*job, 0, 64), first)
	for len(batch) < MaxBatch {
		select {
		case j, open := <-w.queue:
			if !open {
				return batch
			}
			batch = append(batch, j)
			continue
		default:
		}
		before := w.token.larger(len(batch))
		if before == nil {
			return batch
		}
		select {
		case j, open := <-w.queue:
			if !open {
				return batch
			}
			batch = append(batch, j)
		case <-before.done:
			runtime.Gosched()
		}
	}
	return batch
}

// write writes a batch, retries it by the retry policy, and answers each of its
// jobs exactly once. Only the first try may be optimistic.
func (w *writer) write(batch []*job, optimistic bool) {
	var outcomes []outcome
	var err error
	unknown := false
	for try := range maxTries {
		if try > 1 || unknown {
			time.Sleep(time.Duration(1+rand.IntN(10<<try)) * time.Millisecond) //nolint:gosec // jitter
		}
		//mutant:replace optimistic && try == 0 => true TestOnceOnly
		//mutant:replace optimistic && try == 0 => true TestHistoriesWithLostCommits
		outcomes, err = w.transact(batch, optimistic && try == 0)
		if err == nil {
			for i, j := range batch {
				j.end(outcomes[i].receipt, outcomes[i].err)
			}
			return
		}
		class := classify(err)
		unknown = unknown || class == outcomeUnknown
		switch actions[class][stateOf(try, optimistic && try == 0, unknown)] {
		case retry:
			continue
		case split:
			//mutant:drop TestRefusalDoesNotFailOthersInBatch
			if len(batch) > 1 {
				for _, j := range batch {
					w.write([]*job{j}, false)
				}
				return
			}
		case fail:
		}
		break
	}
	err = failure(err, unknown)
	for _, j := range batch {
		j.end(Receipt{}, err)
	}
}

// transact writes a batch in one transaction. The write token is released
// before the commit.
func (w *writer) transact(batch []*job, optimistic bool) (outcomes []outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	defer func() {
		// A rider that panics fails its own posting, not the process.
		//mutant:drop TestRefusalDoesNotFailOthersInBatch
		if r := recover(); r != nil {
			slog.ErrorContext(ctx, "ledger: panic", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	err = w.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		b := &batchTx{tx: tx, now: tx.Now(), jobs: batch, striped: w.isStriped, stripe: w.stripe}
		if optimistic {
			err = b.postOptimistic()
		} else {
			err = b.postPessimistic()
		}
		outcomes = b.outcomes
		w.release()
		return err
	})
	if err != nil && (ctx.Err() != nil || (fault.Is(err, fault.Unavailable) && w.db.HasDetachedCommits())) && !fault.Is(err, fault.Unknown) {
		// The database does not respond. An earlier request under one of these
		// keys may still be committing, so the outcome is unknown; splitting the
		// batch would not help.
		err = fault.New(fault.Unknown, "ledger.post", "").Because(err)
	}
	return outcomes, err
}
