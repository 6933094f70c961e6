package ledger

import (
	"errors"
)

// errNotOptimistic is returned by the optimistic path when its assumptions do
// not hold for a batch. It is not a refusal: the batch is retried on the
// pessimistic path.
var errNotOptimistic = errors.New("ledger: the optimistic path does not apply")

// postOptimistic writes a batch on the assumption that no posting was made
// before and none is refused, which nearly always holds: it reads no balances
// and no earlier keys. The conditions of the writing statements fail where the
// assumption is wrong, by database.ErrRowCount (floor, ceiling, limits, closed account, not counted, a slow clock)
// or a duplicate request key; the batch is then written by postPessimistic,
// which also answers refusals one by one.
//
// Both paths have the same outcomes and balances for the same batch.
func (b *batchTx) postOptimistic() error {
	b.begin(nil)
	refused := false
	for i, j := range b.jobs {
		b.outcomes[i] = b.decide(j, nil)
		refused = refused || b.outcomes[i].err != nil
	}
	// Floors are checked for the sum of the batch only. Of two postings of one
	// account in opposite directions, the debit could be accepted although it
	// comes before the credit that covers it.
	//mutant:replace || b.mixed => TestLedgerIsLinearizable
	if refused || b.mixed {
		return errNotOptimistic
	}
	oneRow, striped := b.sums()
	if b.onlyInserts() {
		return b.record(oneRow, striped)
	}
	// Riders read after the accounts are locked, so that they see what earlier
	// batches of these accounts wrote.
	oneRow, err := b.updateAllBut(oneRow)
	if err == nil {
		err = b.tx.UpdateWithNext(addToAccounts(oneRow))
	}
	if err != nil {
		return err
	}
	replayInBatch := func(i int) bool { return b.outcomes[i].receipt.Replayed }
	verdicts, err := b.verdicts(replayInBatch)
	if err != nil {
		return err
	}
	for i := range b.jobs {
		for _, verdict := range verdicts[i] {
			//mutant:drop TestVerdictsCountAcceptedRiders
			if verdict() != nil {
				return errNotOptimistic
			}
		}
	}
	return b.record(nil, striped)
}
