package ledger

import (
	"context"
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
// Few postings were made before, so their keys are looked up only on a rerun,
// or when something is to be refused that may be a replay: one that is
// accepted again runs into the unique key, and the batch is rerun.
func post(ctx context.Context, tx *database.Tx, batch []*job, rerun bool) ([]outcome, error) {
	b := &book{tx: tx, now: tx.Now(), batch: batch}
	// Wallets are locked first and in id order, so that batches wait for each
	// other and never in a ring; whatever is read behind this lock is what
	// earlier batches left.
	var err error
	if b.accounts, err = lockAccounts(tx, accountsOf(batch)); err != nil {
		return nil, err
	}
	if !rerun {
		if err := b.decide(ctx, nil); err != nil {
			return nil, err
		}
	}
	if rerun || b.refused() {
		posted, err := readPosted(tx, keysOf(batch))
		if err != nil {
			return nil, err
		}
		if err := b.decide(ctx, posted); err != nil {
			return nil, err
		}
	}
	return b.outcomes, b.write(ctx)
}

// book is one batch's view of the accounts that it touches.
type book struct {
	tx       *database.Tx
	now      time.Time
	batch    []*job
	accounts map[int64]lockedAccount // those with a floor, as they were read
	deltas   map[int64]money.Amount  // what the batch adds to every account
	posted   map[string]postedRow    // by request key: earlier ones, and this batch's
	accepted []*acceptedPosting
	outcomes []outcome
}

type lockedAccount struct {
	ID      int64
	Balance money.Amount
	Floor   money.Amount
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

// decide decides the whole batch from the start: accepts a posting into it, or
// answers it.
func (b *book) decide(ctx context.Context, posted map[string]postedRow) error {
	b.posted, b.deltas = maps.Clone(posted), map[int64]money.Amount{}
	if b.posted == nil {
		b.posted = map[string]postedRow{}
	}
	b.accepted, b.outcomes = nil, make([]outcome, len(b.batch))
	verdicts, err := b.judges(ctx)
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

// judges asks every family that judges for its verdicts on all the riders of
// the batch at once. The result has a list of verdicts for each posting.
func (b *book) judges(ctx context.Context) ([][]func() error, error) {
	riders := map[string][]database.Rider{}
	owners := map[string][]int{}
	for i, j := range b.batch {
		if _, replay := b.posted[j.posting.Key]; replay {
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
	if row, seen := b.posted[p.Key]; seen {
		if row.RequestHash != j.hash {
			return outcome{err: fault.New(fault.Conflict, p.Act, "")}
		}
		return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: row.PostedAt, Replayed: true}}
	}
	changes := b.changes(p)
	if err := b.judge(p, changes); err != nil {
		return outcome{err: err}
	}
	for _, verdict := range verdicts {
		if err := verdict(); err != nil {
			return outcome{err: err}
		}
	}
	for _, c := range changes {
		b.deltas[c.account] += c.delta
	}
	row := postedRow{ID: b.tx.NewID(), RequestKey: p.Key, RequestHash: j.hash, PostedAt: b.now}
	b.posted[p.Key] = row
	b.accepted = append(b.accepted, &acceptedPosting{row.ID, j})
	return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: b.now}}
}

type change struct {
	account int64
	delta   money.Amount
	most    money.Amount
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
		if e.Most > 0 {
			list[n].most = e.Most
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
		case !fits:
			return fault.New(fault.Limit, p.Act, "").Because(&AboveMost{c.account, balance})
		case c.delta < 0 && after < account.Floor:
			return fault.New(fault.Insufficient, p.Act, "").Because(&BelowFloor{c.account, balance})
		case c.most > 0 && c.delta > 0 && after > c.most:
			return fault.New(fault.Limit, p.Act, "").Because(&AboveMost{c.account, balance})
		}
	}
	return nil
}

// write puts the accepted postings down: transfers with entries, riders, and
// last the balances, with them the accounts that everybody shares, so that their rows are locked for
// the shortest time.
func (b *book) write(ctx context.Context) error {
	if len(b.accepted) == 0 {
		return nil
	}
	// Two batches with the same keys must meet them in the same order.
	slices.SortFunc(b.accepted, func(x, y *acceptedPosting) int {
		return strings.Compare(x.job.posting.Key, y.job.posting.Key)
	})
	if err := insertTransfers(b.tx, b.accepted, b.now); err != nil {
		return err
	}
	if err := b.writeRiders(ctx); err != nil {
		return err
	}
	return b.addToBalances()
}

// addToBalances also locks the accounts without a floor, which every batch
// shares; where there are several, in order: two batches must not meet
// crosswise.
func (b *book) addToBalances() error {
	var shared []int64
	for id := range b.deltas {
		if _, locked := b.accounts[id]; !locked {
			shared = append(shared, id)
		}
	}
	slices.Sort(shared)
	if err := lockShared(b.tx, shared); err != nil {
		return err
	}
	return addToBalances(b.tx, b.deltas, shared)
}

func (b *book) writeRiders(ctx context.Context) error {
	riders := map[string][]database.Rider{}
	for _, a := range b.accepted {
		for _, r := range a.job.posting.Riders {
			riders[r.FamilyName()] = append(riders[r.FamilyName()], r)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(riders)) {
		if err := database.Write(ctx, b.tx, riders[name]); err != nil {
			return err
		}
	}
	return nil
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
