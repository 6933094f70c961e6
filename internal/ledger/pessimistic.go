package ledger

import (
	"slices"
)

// postPessimistic writes a batch after it has locked the accounts and read
// their balances and the request keys posted before. It decides each posting by
// itself: a refusal does not affect the others of the batch.
func (b *batchTx) postPessimistic() error {
	// Locked in order of ids, so that batches do not deadlock.
	var err error
	if b.accounts, err = lockAccounts(b.tx, accountsOf(b.jobs)); err != nil {
		return err
	}
	//mutant:drop TestBooksFromBefore
	if err := countWallets(b.tx, b.accounts); err != nil {
		return err
	}
	//mutant:drop TestSlowerClockIsLimited
	if err := countLater(b.tx, b.accounts, DayOf(b.now)); err != nil {
		return err
	}
	//mutant:replace err := readPosted(b.tx, keysOf(b.jobs)) => err := map[string]postedRow{}, error(nil) TestHistoriesAreLinearizable
	posted, err := readPosted(b.tx, keysOf(b.jobs))
	if err != nil {
		return err
	}
	//mutant:replace err := b.decideAll(posted); err => clear(posted); b.decideAll(posted) TestOnceOnly
	//mutant:replace err := b.decideAll(posted); err => clear(posted); b.decideAll(posted) ./internal/simulation TestSimulation
	if err := b.decideAll(posted); err != nil {
		return err
	}
	if len(b.accepted) == 0 {
		//mutant:drop TestReplayIsUnknownWithoutTheStandby
		if slices.ContainsFunc(b.outcomes, func(o outcome) bool { return o.receipt.Replayed }) {
			// The receipts come from rows that may not have reached the standby
			// yet: see database.Tx.WaitForStandbys.
			return b.tx.WaitForStandbys()
		}
		return nil
	}
	oneRow, striped := b.sums()
	return b.record(oneRow, striped)
}

// decideAll decides all postings in the order of the batch.
func (b *batchTx) decideAll(posted map[string]postedRow) error {
	b.begin(posted)
	postedBefore := func(i int) bool {
		_, seen := b.posted[b.jobs[i].posting.Key]
		return seen
	}
	verdicts, err := b.verdicts(postedBefore)
	if err != nil {
		return err
	}
	for i, j := range b.jobs {
		b.outcomes[i] = b.decide(j, verdicts[i])
	}
	return nil
}
