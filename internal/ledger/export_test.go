package ledger

import (
	"errors"

	"elsom/internal/database"
)

// Waiting returns how many postings wait for a writer.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Closed reports whether the ledger takes no more postings.
func (l *Ledger) Closed() bool {
	l.closing.RLock()
	defer l.closing.RUnlock()
	return l.closed
}

// Answer is the outcome of one posting of a batch.
type Answer struct {
	Receipt Receipt
	Err     error
}

// PostBatch writes postings in one transaction, on the optimistic path or the
// pessimistic one. applies is false where the optimistic path leaves the batch
// to the pessimistic one; nothing was written then.
func (l *Ledger) PostBatch(postings []Posting, optimistic bool) (answers []Answer, applies bool, err error) {
	w := &writer{Ledger: l, release: func() {}}
	jobs := make([]*job, len(postings))
	for i, p := range postings {
		jobs[i] = &job{posting: p, hash: p.hash()}
	}
	outcomes, err := w.transact(jobs, optimistic)
	if optimistic && (errors.Is(err, errNotOptimistic) || errors.Is(err, database.ErrRowCount) || database.IsUniqueViolation(err)) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	answers = make([]Answer, len(outcomes))
	for i, o := range outcomes {
		answers[i] = Answer{o.receipt, o.err}
	}
	return answers, true, nil
}
