package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
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

// fly takes whatever waits, writes it in one transaction, and again. While one
// batch commits, the next collects by itself: nobody waits for a timer.
func (l *Ledger) fly() {
	for first := range l.queue {
		batch := append(make([]*job, 0, 64), first)
	collect:
		for len(batch) < MaxBatch {
			select {
			case j, open := <-l.queue:
				if !open {
					break collect
				}
				batch = append(batch, j)
			default:
				break collect
			}
		}
		l.run(batch)
	}
}

// maxTries bounds how often a batch is rerun before its postings go singly.
const maxTries = 5

// run writes a batch and answers each of its jobs exactly once.
func (l *Ledger) run(batch []*job) {
	var outcomes []outcome
	var err error
	unknown := false
	for try := range maxTries {
		if try > 0 {
			time.Sleep(time.Duration(1+rand.IntN(10<<try)) * time.Millisecond) //nolint:gosec // jitter
		}
		outcomes, err = l.try(batch)
		if err == nil {
			for i, j := range batch {
				j.end(outcomes[i].receipt, outcomes[i].err)
			}
			return
		}
		// A commit whose answer was lost is asked again under the same keys:
		// what it did is found, what it didn't is done now.
		unknown = unknown || fault.Is(err, fault.Unknown)
		again := fault.Is(err, fault.Unknown) || database.Taken(err) || errors.Is(err, errStale) ||
			(unknown && fault.Is(err, fault.Unavailable))
		if !again {
			break
		}
	}
	if len(batch) > 1 && !unknown && (!fault.Is(err, fault.Unavailable) || database.Contended(err)) {
		// One posting spoils the rest, or so many can't get past others; alone
		// each spoils only itself and locks little.
		for _, j := range batch {
			l.run([]*job{j})
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

func (l *Ledger) try(batch []*job) (outcomes []outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	defer func() {
		// A rider that panics spoils its own posting, not the process.
		if r := recover(); r != nil {
			slog.ErrorContext(ctx, "ledger: panic", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	err = l.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		outcomes, err = post(ctx, tx, batch)
		return err
	})
	if err != nil && ctx.Err() != nil && !fault.Is(err, fault.Unknown) {
		// The database hangs; it would for each posting alone.
		err = fault.New(fault.Unavailable, "ledger.post", "").Because(err)
	}
	return outcomes, err
}

// outcome is what a batch decided about one of its postings.
type outcome struct {
	receipt Receipt
	err     error
}

// post decides and writes a batch in the transaction. The number of its
// statements doesn't grow with the batch.
func post(ctx context.Context, tx *database.Tx, batch []*job) ([]outcome, error) {
	b := &book{tx: tx, now: tx.Now(), outcomes: make([]outcome, len(batch))}
	// Wallets are locked first and in id order, so that batches wait for each
	// other and never in a ring; whatever is read behind this lock is what
	// earlier batches left.
	err := readByIndex(tx)
	if err != nil {
		return nil, err
	}
	if b.accounts, err = lockAccounts(tx, accountsOf(batch)); err != nil {
		return nil, err
	}
	if b.posted, err = readPosted(tx, keysOf(batch)); err != nil {
		return nil, err
	}
	verdicts, err := b.judges(ctx, batch)
	if err != nil {
		return nil, err
	}
	for i, j := range batch {
		b.decide(i, j, verdicts)
	}
	return b.outcomes, b.write(ctx)
}

// book is one batch's view of the accounts that it touches.
type book struct {
	tx       *database.Tx
	now      time.Time
	accounts map[int64]*lockedAccount // those with a floor
	deltas   map[int64]money.Amount   // of those without
	posted   map[string]postedRow     // by request key: earlier ones, and this batch's
	accepted []*acceptedPosting
	outcomes []outcome
}

type lockedAccount struct {
	ID      int64
	Balance money.Amount
	Floor   money.Amount
	changed bool
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

// judges asks every family that judges for its verdicts on all the riders of
// the batch at once. The result has a list of verdicts for each posting.
func (b *book) judges(ctx context.Context, batch []*job) ([][]func() error, error) {
	riders := map[string][]database.Rider{}
	owners := map[string][]int{}
	for i, j := range batch {
		if _, replay := b.posted[j.posting.Key]; replay {
			continue
		}
		for _, r := range j.posting.Riders {
			riders[r.FamilyName()] = append(riders[r.FamilyName()], r)
			owners[r.FamilyName()] = append(owners[r.FamilyName()], i)
		}
	}
	verdicts := make([][]func() error, len(batch))
	for _, name := range sortedKeys(riders) {
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

// decide accepts a posting into the batch or answers it.
func (b *book) decide(i int, j *job, verdicts [][]func() error) {
	p := j.posting
	if row, seen := b.posted[p.Key]; seen {
		if row.RequestHash != j.hash {
			b.outcomes[i].err = fault.New(fault.Conflict, p.Act, "")
			return
		}
		b.outcomes[i].receipt = Receipt{Transfer: row.ID, PostedAt: row.PostedAt, Replayed: true}
		return
	}
	changes := b.changes(p)
	if err := b.judge(p, changes); err != nil {
		b.outcomes[i].err = err
		return
	}
	for _, verdict := range verdicts[i] {
		if err := verdict(); err != nil {
			b.outcomes[i].err = err
			return
		}
	}
	for _, c := range changes {
		if account, ok := b.accounts[c.account]; ok {
			account.Balance += c.delta
			account.changed = true
			continue
		}
		if b.deltas == nil {
			b.deltas = map[int64]money.Amount{}
		}
		b.deltas[c.account] += c.delta
	}
	row := postedRow{ID: b.tx.NewID(), RequestKey: p.Key, RequestHash: j.hash, PostedAt: b.now}
	b.posted[p.Key] = row
	b.accepted = append(b.accepted, &acceptedPosting{row.ID, j})
	b.outcomes[i].receipt = Receipt{Transfer: row.ID, PostedAt: b.now}
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
		after, fits := account.Balance.Add(c.delta)
		switch {
		case !fits:
			return fault.New(fault.Limit, p.Act, "").Because(&AboveMost{c.account, account.Balance})
		case c.delta < 0 && after < account.Floor:
			return fault.New(fault.Insufficient, p.Act, "").Because(&BelowFloor{c.account, account.Balance})
		case c.most > 0 && c.delta > 0 && after > c.most:
			return fault.New(fault.Limit, p.Act, "").Because(&AboveMost{c.account, account.Balance})
		}
	}
	return nil
}

// write puts the accepted postings down: transfers, entries, riders, balances;
// last the accounts that everybody shares, so that their rows are locked for
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
	if err := insertEntries(b.tx, b.accepted); err != nil {
		return err
	}
	if err := b.writeRiders(ctx); err != nil {
		return err
	}
	if err := updateBalances(b.tx, b.accounts); err != nil {
		return err
	}
	return addToBalances(b.tx, b.deltas)
}

func (b *book) writeRiders(ctx context.Context) error {
	riders := map[string][]database.Rider{}
	for _, a := range b.accepted {
		for _, r := range a.job.posting.Riders {
			riders[r.FamilyName()] = append(riders[r.FamilyName()], r)
		}
	}
	for _, name := range sortedKeys(riders) {
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

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
