package ledger

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// outcome is what a batch decided about one of its postings.
type outcome struct {
	receipt Receipt
	err     error
}

// post decides and writes a batch in the transaction. The number of its
// statements doesn't grow with the batch.
//
// Nearly always no key was seen before and nothing is to be refused, so the
// first try takes that for granted; whatever isn't so reruns the batch.
func (f *flight) post(ctx context.Context, tx *database.Tx, batch []*job, careful bool) ([]outcome, error) {
	b := &book{tx: tx, now: tx.Now(), batch: batch, shared: f.isShared, stripe: f.stripe}
	write := b.swiftly
	if careful {
		write = b.carefully
	}
	err := write(ctx)
	return b.outcomes, err
}

// errRefused says that something in a batch is to be refused.
var errRefused = errors.New("ledger: refused at the first try")

// swiftly debits the wallets before anything else: what locks them is what
// refuses them, and whatever is read behind it is what earlier batches left.
func (b *book) swiftly(ctx context.Context) error {
	b.begin(nil)
	for i, j := range b.batch {
		b.outcomes[i] = b.decideOne(j, nil)
	}
	// What one wallet takes may be what another needs to give: the sums alone
	// would let two give each other what neither has.
	//mutant:replace || b.crossed => TestLedgerIsLinearizable
	if b.refused() || b.crossed {
		return errRefused
	}
	wallets, shared := b.sums()
	if b.onlyInserts() {
		return b.record(ctx, wallets, shared)
	}
	// Whoever judges, and what is locked beside accounts, comes behind the
	// wallets' locks.
	if err := b.tx.Change(adding(wallets)); err != nil {
		return err
	}
	repeats := func(i int) bool { return b.outcomes[i].receipt.Replayed } // of one in the batch
	verdicts, err := b.judges(ctx, repeats)
	if err != nil {
		return err
	}
	for i := range b.batch {
		for _, verdict := range verdicts[i] {
			//mutant:drop TestJudgeSeesWhatWasAccepted
			if verdict() != nil {
				return errRefused
			}
		}
	}
	return b.record(ctx, nil, shared)
}

// carefully locks the wallets, looks for what was posted before, and decides
// each posting by itself.
func (b *book) carefully(ctx context.Context) error {
	// Wallets are locked first and in id order, so that batches wait for each
	// other and never in a ring.
	var err error
	if b.accounts, err = lockAccounts(b.tx, accountsOf(b.batch)); err != nil {
		return err
	}
	//mutant:replace err := readPosted(b.tx, keysOf(b.batch)) => err := map[string]postedRow{}, error(nil) TestHistoriesAreLinearizable
	posted, err := readPosted(b.tx, keysOf(b.batch))
	if err != nil {
		return err
	}
	//mutant:replace err := b.decide(ctx, posted); err => clear(posted); b.decide(ctx, posted) TestOnceOnly
	//mutant:replace err := b.decide(ctx, posted); err => clear(posted); b.decide(ctx, posted) ./internal/simulation TestLives
	if err := b.decide(ctx, posted); err != nil {
		return err
	}
	if len(b.accepted) == 0 {
		//mutant:drop ./internal/cashin TestNothingIsFinalWithoutTheStandby
		if b.replayed() {
			// The first answer is given again from a row, which may stand on this
			// server alone: see database.Confirm.
			return b.tx.WaitAsWriter()
		}
		return nil
	}
	wallets, shared := b.sums()
	return b.record(ctx, wallets, shared)
}

// book is one batch's view of the accounts that it touches.
type book struct {
	tx       *database.Tx
	now      time.Time
	batch    []*job
	shared   func(account int64) bool // whether it is in stripes
	stripe   int64                    // of shared accounts, where the batch adds
	accounts map[int64]lockedAccount  // those with a floor, as they were locked
	deltas   map[int64]money.Amount   // what the batch adds to every account
	ceilings map[int64]money.Amount   // the least of what each may hold, where that is bounded
	posted   map[string]postedRow     // by request key: earlier ones, and this batch's
	crossed  bool                     // a wallet both gives and takes: the order counts
	accepted []*acceptedPosting
	outcomes []outcome
}

type lockedAccount struct {
	ID      int64
	Balance money.Amount
	Floor   money.Amount
	Closed  bool
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

func (b *book) begin(posted map[string]postedRow) {
	b.posted, b.deltas, b.ceilings = posted, map[int64]money.Amount{}, map[int64]money.Amount{}
	if b.posted == nil {
		b.posted = make(map[string]postedRow, len(b.batch))
	}
	b.outcomes = make([]outcome, len(b.batch))
}

// decide decides the batch: accepts a posting into it, or answers it.
func (b *book) decide(ctx context.Context, posted map[string]postedRow) error {
	b.begin(posted)
	repeats := func(i int) bool {
		_, seen := b.posted[b.batch[i].posting.Key]
		return seen
	}
	verdicts, err := b.judges(ctx, repeats)
	if err != nil {
		return err
	}
	for i, j := range b.batch {
		b.outcomes[i] = b.decideOne(j, verdicts[i])
	}
	return nil
}

func (b *book) refused() bool {
	return slices.ContainsFunc(b.outcomes, func(o outcome) bool { return o.err != nil })
}

func (b *book) replayed() bool {
	return slices.ContainsFunc(b.outcomes, func(o outcome) bool { return o.receipt.Replayed })
}

// onlyInserts tells whether the batch's riders are nothing but new rows.
func (b *book) onlyInserts() bool {
	return !slices.ContainsFunc(b.batch, func(j *job) bool { return !database.OnlyInserts(j.posting.Riders) })
}

// judges asks every family that judges for its verdicts on all the riders of
// the batch at once, save those of repeats. The result has a list of verdicts
// for each posting.
func (b *book) judges(ctx context.Context, repeats func(i int) bool) ([][]func() error, error) {
	riders := map[string][]database.Rider{}
	owners := map[string][]int{}
	for i, j := range b.batch {
		if repeats(i) {
			continue
		}
		for _, r := range j.posting.Riders {
			riders[r.FamilyName()] = append(riders[r.FamilyName()], r)
			owners[r.FamilyName()] = append(owners[r.FamilyName()], i)
		}
	}
	verdicts := make([][]func() error, len(b.batch))
	for _, name := range slices.Sorted(maps.Keys(riders)) {
		verdict, err := database.Judge(ctx, b.tx, riders[name])
		if err != nil {
			return nil, err
		}
		if verdict == nil {
			continue
		}
		for n, owner := range owners[name] {
			verdicts[owner] = append(verdicts[owner], func() error { return verdict(n) })
		}
	}
	return verdicts, nil
}

func (b *book) decideOne(j *job, verdicts []func() error) outcome {
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
	if err := b.judge(p, changes); err != nil {
		return outcome{err: err}
	}
	for _, verdict := range verdicts {
		if err := verdict(); err != nil {
			//mutant:replace return => b.accepted = nil; return TestRefusalNeverFailsNeighbours
			return outcome{err: err}
		}
	}
	for _, c := range changes {
		if sum := b.deltas[c.account]; sum != 0 && (sum < 0) != (c.delta < 0) && !b.shared(c.account) {
			b.crossed = true
		}
		//mutant:replace delta => delta + 1 TestBalanceIsItsEntries
		b.deltas[c.account] += c.delta
		if before, bounded := b.ceilings[c.account]; c.ceiling > 0 && c.delta > 0 && (!bounded || c.ceiling < before) {
			b.ceilings[c.account] = c.ceiling
		}
	}
	row := postedRow{ID: b.tx.NewID(), RequestKey: p.Key, RequestHash: j.hash, PostedAt: b.now}
	//mutant:drop TestCases
	b.posted[p.Key] = row
	b.accepted = append(b.accepted, &acceptedPosting{row.ID, j})
	return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: b.now}}
}

type change struct {
	account int64
	delta   money.Amount
	ceiling money.Amount
}

// changes sums a posting's entries by account: only the end counts, not the
// way there.
func (b *book) changes(p Posting) []change {
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

// judge holds "no debt", and the entries' own bounds.
func (b *book) judge(p Posting, changes []change) error {
	for _, c := range changes {
		account, ok := b.accounts[c.account]
		if !ok {
			continue
		}
		balance := account.Balance + b.deltas[c.account]
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

// record puts the accepted postings down: transfers with entries and riders,
// and what they add to accounts.
func (b *book) record(ctx context.Context, wallets, shared []sum) error {
	// Two batches with the same keys must meet them in the same order.
	slices.SortFunc(b.accepted, func(x, y *acceptedPosting) int {
		return strings.Compare(x.job.posting.Key, y.job.posting.Key)
	})
	riders := map[string][]database.Rider{}
	for _, a := range b.accepted {
		for _, r := range a.job.posting.Riders {
			riders[r.FamilyName()] = append(riders[r.FamilyName()], r)
		}
	}
	//mutant:replace families => for i, a := range b.accepted { a.job.posting.Key = a.job.posting.Key + b.now.String() + strings.Repeat("+", i); }; families TestHistoriesAreLinearizable
	families := make([][]database.Rider, 0, len(riders))
	for _, name := range slices.Sorted(maps.Keys(riders)) {
		families = append(families, riders[name])
	}
	return database.Write(ctx, b.tx, families, database.Record{
		First: adding(wallets), Rows: append(rowsOf(b.accepted, b.now), striped(shared, b.stripe)...),
	})
}

// sums are what the batch adds, in the order of the accounts' ids.
func (b *book) sums() (wallets, shared []sum) {
	for _, id := range slices.Sorted(maps.Keys(b.deltas)) {
		s := sum{id, b.deltas[id], b.ceilings[id]}
		if _, judged := b.accounts[id]; judged {
			s.ceiling = 0 // one posting at a time, each by its own bound
		}
		//mutant:drop TestSharedAccountsAreNotWaitedFor
		if b.shared(id) {
			shared = append(shared, s)
		} else {
			wallets = append(wallets, s)
		}
	}
	return wallets, shared
}

func accountsOf(batch []*job) []int64 {
	var ids []int64
	for _, j := range batch {
		for _, e := range j.posting.Entries {
			ids = append(ids, e.Account)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func keysOf(batch []*job) []string {
	keys := make([]string, len(batch))
	for i, j := range batch {
		keys[i] = j.posting.Key
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
