package ledger

import (
	"context"
	"errors"
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

// job is a posting on its way.
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

// flight writes one batch at a time, and adds to shared accounts in a stripe
// that hardly anybody else uses.
type flight struct {
	*Ledger
	stripe int64
	give   func() // the turn to the next flight
}

// fly takes whatever waits, writes it in one transaction, and again. While one
// batch commits, the next is collected and written: batches are fuller than if
// two were written at once, and nobody waits for company.
func (f *flight) fly() {
	for first := range f.queue {
		f.give = f.takeTurn()
		// Whoever was just answered and is ready to ask again gets in: fuller
		// batches, and no timer.
		runtime.Gosched()
		batch := append(make([]*job, 0, 64), first)
	collect:
		for len(batch) < MaxBatch {
			select {
			case j, open := <-f.queue:
				if !open {
					break collect
				}
				batch = append(batch, j)
			default:
				break collect
			}
		}
		f.run(batch, false)
		f.give()
	}
}

// turnPatience is how long a flight waits for its turn. Who has it longer hangs
// on a lock: until it passes the turn on, the others write beside it.
const turnPatience = 100 * time.Millisecond

// takeTurn waits for the turn; give passes it on, however often it is called.
func (l *Ledger) takeTurn() (give func()) {
	wait := turnPatience
	if l.late.Load() {
		wait = time.Millisecond
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case l.turn <- struct{}{}:
		l.late.Store(false)
		return sync.OnceFunc(func() { <-l.turn })
	//mutant:replace patience.C => (chan time.Time)(nil) TestHangingBatchHoldsUpItsOwn
	case <-patience.C:
		l.late.Store(true)
		return func() {}
	}
}

// maxTries bounds how often a batch is rerun before its postings go singly.
const maxTries = 5

// run writes a batch and answers each of its jobs exactly once. What spoiled
// its batch is tried carefully from the start.
func (f *flight) run(batch []*job, careful bool) {
	var outcomes []outcome
	var err error
	unknown := false
	for try := range maxTries {
		if try > 1 || fault.Is(err, fault.Unknown) {
			time.Sleep(time.Duration(1+rand.IntN(10<<try)) * time.Millisecond) //nolint:gosec // jitter
		}
		//mutant:replace careful || try > 0 => false TestOnceOnly
		//mutant:replace careful || try > 0 => false TestHistoriesWithLostCommits
		outcomes, err = f.try(batch, careful || try > 0)
		if err == nil {
			for i, j := range batch {
				j.end(outcomes[i].receipt, outcomes[i].err)
			}
			return
		}
		// A commit whose answer was lost is asked again under the same keys:
		// what it did is found, what it didn't is done now.
		lost, away := fault.Is(err, fault.Unknown), fault.Is(err, fault.Unavailable)
		unknown = unknown || lost
		//mutant:replace ErrRowCount) | => ErrRowCount) && try == 0 | TestMiscountIsTriedAgain
		//mutant:replace lost || => TestLostAnswerOfACommit
		again := lost || database.Taken(err) || errors.Is(err, database.ErrRowCount) || (unknown && away) ||
			(try == 0 && !careful && !lost && !away) // it took much for granted
		if !again {
			break
		}
	}
	//mutant:drop TestRefusalNeverFailsNeighbours
	if len(batch) > 1 && !unknown && (!fault.Is(err, fault.Unavailable) || database.Contended(err)) {
		// One posting spoils the rest, or so many can't get past others; alone
		// each spoils only itself and locks little.
		for _, j := range batch {
			f.run([]*job{j}, true)
		}
		return
	}
	err = failure(err, unknown)
	for _, j := range batch {
		j.end(Receipt{}, err)
	}
}

func failure(err error, unknown bool) error {
	switch {
	case unknown:
		return fault.New(fault.Unknown, "ledger.post", "").Because(err)
	case database.Taken(err):
		return fault.New(fault.Conflict, "ledger.post", "").Because(err)
	}
	return fault.Wrap("ledger.post", err)
}

func (f *flight) try(batch []*job, careful bool) (outcomes []outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	defer func() {
		// A rider that panics spoils its own posting, not the process.
		//mutant:drop TestRefusalNeverFailsNeighbours
		if r := recover(); r != nil {
			slog.ErrorContext(ctx, "ledger: panic", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	err = f.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		outcomes, err = f.post(ctx, tx, batch, careful)
		f.give() // what is left is the commit
		return err
	})
	if err != nil && (ctx.Err() != nil || (fault.Is(err, fault.Unavailable) && f.db.CommitsWait())) && !fault.Is(err, fault.Unknown) {
		// The database hangs, as it would for each posting alone. What it hangs on
		// may be the commit of an earlier request under one of these keys.
		err = fault.New(fault.Unknown, "ledger.post", "").Because(err)
	}
	return outcomes, err
}
