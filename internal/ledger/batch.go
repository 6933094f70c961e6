package ledger

import (
	"maps"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// outcome is the answer to one posting of a batch.
type outcome struct {
	receipt Receipt
	err     error
}

// batchTx is a batch in its transaction. The number of statements does not grow
// with the number of postings.
type batchTx struct {
	tx       *database.Tx
	now      time.Time
	jobs     []*job
	striped  func(account int64) bool // Ledger.isStriped
	stripe   int64                    // the stripe that the batch adds to
	accounts map[int64]lockedAccount  // accounts with a floor; pessimistic path only
	totals   map[int64]*sum           // by account, what the batch adds, and the lowest bounds of its entries
	posted   map[string]postedRow     // by request key: earlier transfers and this batch's
	mixed    bool                     // an unstriped account is debited and credited, so the order matters
	accepted []*acceptedPosting
	outcomes []outcome
}

type lockedAccount struct {
	ID         int64
	Balance    money.Amount
	Floor      money.Amount
	Closed     bool
	NotCounted bool
	Spent      Spent // what counts toward limits, with what the batch has accepted so far
}

type acceptedPosting struct {
	id  int64
	job *job
}

type postedRow struct {
	ID          int64
	RequestKey  string
	RequestHash string
	PostedAt    time.Time
}

func (b *batchTx) begin(posted map[string]postedRow) {
	b.posted, b.totals = posted, map[int64]*sum{}
	if b.posted == nil {
		b.posted = make(map[string]postedRow, len(b.jobs))
	}
	b.outcomes = make([]outcome, len(b.jobs))
}

// onlyInserts reports whether all riders of the batch only insert rows.
func (b *batchTx) onlyInserts() bool {
	return !slices.ContainsFunc(b.jobs, func(j *job) bool { return !database.OnlyInserts(j.posting.Riders) })
}

// verdicts runs the checks of all riders except those of replays. The result has
// a list of functions for each posting of the batch; each returns a rider's
// refusal or nil, and must be called in the order of the batch.
func (b *batchTx) verdicts(replay func(i int) bool) ([][]func() error, error) {
	riders := map[string][]database.Rider{}
	owners := map[string][]int{}
	for i, j := range b.jobs {
		if replay(i) {
			continue
		}
		for _, r := range j.posting.Riders {
			riders[r.KindName()] = append(riders[r.KindName()], r)
			owners[r.KindName()] = append(owners[r.KindName()], i)
		}
	}
	verdicts := make([][]func() error, len(b.jobs))
	for _, name := range slices.Sorted(maps.Keys(riders)) {
		verdict, err := database.CheckRiders(b.tx, riders[name])
		if err != nil {
			return nil, err
		}
		for n, owner := range owners[name] {
			verdicts[owner] = append(verdicts[owner], func() error { return verdict(n) })
		}
	}
	return verdicts, nil
}

// decide accepts a posting into the batch and returns its receipt. A refusal is
// the outcome's error; a posting made before has the receipt of the first one.
func (b *batchTx) decide(j *job, verdicts []func() error) outcome {
	p := j.posting
	//mutant:drop TestOnceOnly
	if row, seen := b.posted[p.Key]; seen {
		//mutant:drop TestOnceOnly
		if row.RequestHash != j.hash {
			return outcome{err: fault.New(fault.Conflict, p.Op, "")}
		}
		//mutant:replace return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: row.PostedAt, Replayed: true}} => b.accepted = append(b.accepted, &acceptedPosting{b.tx.NewID(), j}) TestReplayWritesNoRiders
		return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: row.PostedAt, Replayed: true}}
	}
	changes := b.changes(p)
	if err := b.checkBounds(p, changes); err != nil {
		return outcome{err: err}
	}
	for _, verdict := range verdicts {
		if err := verdict(); err != nil {
			//mutant:replace return => b.accepted = nil; return TestRefusalDoesNotFailOthersInBatch
			return outcome{err: err}
		}
	}
	//mutant:drop TestLimitsOfTheDebit
	//mutant:drop TestHistoriesAreLinearizable
	if err := b.checkLimits(p); err != nil {
		return outcome{err: err}
	}
	for _, c := range changes {
		s := b.total(c.account)
		if s.amount != 0 && (s.amount < 0) != (c.delta < 0) && !b.striped(c.account) {
			b.mixed = true
		}
		//mutant:replace delta => delta + 1 TestBalanceIsItsEntries
		s.amount += c.delta
		if c.delta > 0 {
			s.ceiling = lowest(s.ceiling, c.ceiling)
		}
	}
	b.countEntries(p)
	row := postedRow{ID: b.tx.NewID(), RequestKey: p.Key, RequestHash: j.hash, PostedAt: b.now}
	//mutant:drop TestCases
	b.posted[p.Key] = row
	b.accepted = append(b.accepted, &acceptedPosting{row.ID, j})
	return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: b.now}}
}

// total returns what the batch adds to an account, to be added to.
func (b *batchTx) total(account int64) *sum {
	s := b.totals[account]
	if s == nil {
		s = &sum{account: account}
		b.totals[account] = s
	}
	return s
}

// countEntries adds an accepted posting to the sums of its accounts.
func (b *batchTx) countEntries(p Posting) {
	today := DayOf(b.now)
	for _, e := range p.Entries {
		s := b.total(e.Account)
		s.tally.add(e, today)
		if e.LimitUse == nil {
			continue
		}
		s.limits.Day, s.limits.Month = lowest(s.limits.Day, e.LimitUse.Limits.Day), lowest(s.limits.Month, e.LimitUse.Limits.Month)
		if account, ok := b.accounts[e.Account]; ok {
			var one tally
			one.add(e, today)
			//mutant:replace min(one.spent.On, today) => one.spent.On TestSlowerClockIsLimited
			//mutant:drop TestHistoriesAreLinearizable
			account.Spent.add(min(one.spent.On, today), one.spent.Day)
			b.accounts[e.Account] = account
		}
	}
}

// lowest returns the lower of two bounds; 0 is none.
func lowest(a, b money.Amount) money.Amount {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// checkLimits returns the refusal of a posting that would spend more than its limits.
func (b *batchTx) checkLimits(p Posting) error {
	for _, e := range p.Entries {
		account, ok := b.accounts[e.Account]
		if !ok || e.LimitUse == nil || !e.LimitUse.Returns.IsZero() {
			continue
		}
		limits := e.LimitUse.Limits
		day, month := account.Spent.At(DayOf(b.now))
		over := &OverLimit{Account: e.Account}
		switch {
		case limits.Day != 0 && day-e.Amount > limits.Day:
			over.Left = max(0, limits.Day-day)
		case limits.Month != 0 && month-e.Amount > limits.Month:
			over.Month, over.Left = true, max(0, limits.Month-month)
		default:
			continue
		}
		return fault.New(fault.Limit, p.Op, "").Because(over)
	}
	return nil
}

type change struct {
	account int64
	delta   money.Amount
	ceiling money.Amount
}

// changes sums a posting's entries by account, because floors and ceilings apply
// to the sum and not to each entry.
func (b *batchTx) changes(p Posting) []change {
	list := make([]change, 0, len(p.Entries))
	for _, e := range p.Entries {
		n := slices.IndexFunc(list, func(c change) bool { return c.account == e.Account })
		if n < 0 {
			n = len(list)
			list = append(list, change{account: e.Account})
		}
		list[n].delta += e.Amount
		if e.Ceiling > 0 {
			list[n].ceiling = e.Ceiling
		}
	}
	return list
}

// checkBounds returns the refusal of a posting that would break a floor ("no
// debt") or an entry's ceiling, or that touches a closed account.
func (b *batchTx) checkBounds(p Posting, changes []change) error {
	for _, c := range changes {
		account, ok := b.accounts[c.account]
		if !ok {
			continue
		}
		balance := account.Balance
		if s := b.totals[c.account]; s != nil {
			balance += s.amount
		}
		after, fits := balance.Add(c.delta)
		switch {
		case account.Closed:
			return fault.New(fault.Forbidden, p.Op, "").Because(&Closed{c.account})
		case !fits:
			return fault.New(fault.Limit, p.Op, "").Because(&AboveCeiling{c.account, balance})
		//mutant:drop TestNoDebt
		case c.delta < 0 && after < account.Floor:
			return fault.New(fault.Insufficient, p.Op, "").Because(&BelowFloor{c.account, balance})
		//mutant:drop TestCases
		case c.ceiling > 0 && c.delta > 0 && after > c.ceiling:
			return fault.New(fault.Limit, p.Op, "").Because(&AboveCeiling{c.account, balance})
		}
	}
	return nil
}

// record writes the accepted postings: transfers with entries and riders, and
// the sums to be added to balances in one row and to striped ones.
//
// On PostgreSQL most of it is one statement with several data-modifying parts,
// which the database runs in no defined order. No part depends on another: each
// writes a table of its own and reads none of the others; foreign keys (accounts
// of stripes, corrected transfers) are checked when the statement ends; and an
// error of any part, like a wrong row count, takes all of them back.
func (b *batchTx) record(oneRow, striped []sum) error {
	// Batches with the same keys insert them in the same order, so that they
	// don't deadlock.
	slices.SortFunc(b.accepted, func(x, y *acceptedPosting) int {
		return strings.Compare(x.job.posting.Key, y.job.posting.Key)
	})
	riders := map[string][]database.Rider{}
	for _, a := range b.accepted {
		for _, r := range a.job.posting.Riders {
			riders[r.KindName()] = append(riders[r.KindName()], r)
		}
	}
	//mutant:replace groups => for i, a := range b.accepted { a.job.posting.Key = a.job.posting.Key + b.now.String() + strings.Repeat("+", i); }; groups TestHistoriesAreLinearizable
	groups := make([][]database.Rider, 0, len(riders))
	for _, name := range slices.Sorted(maps.Keys(riders)) {
		groups = append(groups, riders[name])
	}
	oneRow, err := b.updateAllBut(oneRow)
	if err != nil {
		return err
	}
	return database.WriteRiders(b.tx, groups, database.WriteSet{
		Update: addToAccounts(oneRow), Inserts: append(rowsOf(b.tx, b.accepted, b.now), addToStripes(striped, b.stripe)...),
	})
}

// maxSums is the largest number of sums in one statement: with its columns it stays under
// SQLite's 32,766 parameters.
const maxSums = 2000

// updateAllBut adds sums to balances as long as there are more than one statement may
// have, and returns the rest.
func (b *batchTx) updateAllBut(sums []sum) (rest []sum, err error) {
	for len(sums) > maxSums && err == nil {
		err = b.tx.Update(addToAccounts(sums[:maxSums]))
		sums = sums[maxSums:]
	}
	return sums, err
}

// sums returns what the batch adds to balances in one row and to striped ones,
// both ordered by account.
func (b *batchTx) sums() (oneRow, striped []sum) {
	for _, id := range slices.Sorted(maps.Keys(b.totals)) {
		s := *b.totals[id]
		if _, checked := b.accounts[id]; checked {
			s.ceiling, s.limits = 0, Limits{} // checked for each posting by its own bounds
		}
		//mutant:drop TestStripedAccountsAreNotLocked
		if b.striped(id) {
			striped = append(striped, s)
		} else {
			oneRow = append(oneRow, s)
		}
	}
	return oneRow, striped
}

func accountsOf(jobs []*job) []int64 {
	var ids []int64
	for _, j := range jobs {
		for _, e := range j.posting.Entries {
			ids = append(ids, e.Account)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func keysOf(jobs []*job) []string {
	keys := make([]string, len(jobs))
	for i, j := range jobs {
		keys[i] = j.posting.Key
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
