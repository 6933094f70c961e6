package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// ride is a row of the tests' own table.
type ride struct {
	Name   string
	Payer  int64
	Amount money.Amount
}

// rideRider allows a payer 100,00 in all, and fails on certain names.
var rideRider = &database.RiderKind[ride]{Name: "ride", Check: rideVerdicts, Write: writeRides}

var errTooFar = fault.New(fault.Limit, "ride", "ride.too_far")

// miscounted counts the writes of "miscounts twice".
var miscounted atomic.Int32

func rideVerdicts(tx *database.Tx, rows []ride) (func(int) error, error) {
	sums := map[int64]money.Amount{}
	var before []ride
	if err := tx.Gorm().Raw("SELECT payer, CAST(SUM(amount) AS BIGINT) AS amount FROM rides GROUP BY payer").Scan(&before).Error; err != nil {
		return nil, err
	}
	for _, r := range before {
		sums[r.Payer] = r.Amount
	}
	for _, r := range rows {
		if r.Name == "verdict fails" {
			return nil, errors.New("a broken verdict")
		}
	}
	return func(i int) error {
		if sums[rows[i].Payer]+rows[i].Amount > 100_00 {
			return errTooFar
		}
		sums[rows[i].Payer] += rows[i].Amount
		return nil
	}, nil
}

func writeRides(tx *database.Tx, rows []ride) error {
	values := make([]any, 0, 3*len(rows))
	for _, r := range rows {
		switch r.Name {
		case "panics":
			panic("a rider's bug")
		case "miscounts":
			return database.ErrRowCount
		case "miscounts twice":
			if miscounted.Add(1) <= 2 {
				return database.ErrRowCount
			}
		}
		values = append(values, r.Name, r.Payer, r.Amount)
	}
	return tx.Gorm().Exec("INSERT INTO rides (name, payer, amount) VALUES (?,?,?)"+strings.Repeat(",(?,?,?)", len(rows)-1), values...).Error
}

func createRides(t testing.TB, db *database.DB) {
	t.Helper()
	err := databasetest.Owner(t, db).Gorm(context.Background()).Exec("CREATE TABLE rides (name VARCHAR(40) NOT NULL UNIQUE, payer BIGINT NOT NULL, amount BIGINT NOT NULL CHECK (amount <> 13))").Error
	if err != nil {
		t.Fatal(err)
	}
}

// rideNames returns the names of the rows that were written.
func (b *books) rideNames() string {
	b.t.Helper()
	var names []string
	if err := b.db.Gorm(context.Background()).Raw("SELECT name FROM rides ORDER BY name").Scan(&names).Error; err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// withRide is a posting with a ride of its own name and amount.
func (b *books) withRide(name string, from int64, amount money.Amount) ledger.Posting {
	return between(name, from, b.bank, amount, rideRider.Row(ride{name, from, amount}))
}

func TestRidersCommitWithTheirTransfer(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := newBooks(t, db)
		a := b.wallet(50_00)
		if _, err := b.Post(context.Background(), b.withRide("first", a, 20_00)); err != nil {
			t.Fatal(err)
		}
		_, err := b.Post(context.Background(), b.withRide("short", a, 40_00))
		wantKind(t, err, fault.Insufficient)
		b.wantBalance(a, 30_00)
		if got := b.rideNames(); got != "first" {
			t.Errorf("written: %s", got)
		}
	})
}

// A replay writes nothing, also if it has other riders or is in the same batch as
// the first posting.
func TestReplayWritesNoRiders(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := oneWriter(t, db)
		a := b.wallet(80_00)
		g := block(t, b)
		again := g.withRide("k", a, 30_00)
		again.Riders = []database.Rider{rideRider.Row(ride{"again", a, 30_00})}
		first, same := g.queue(g.withRide("k", a, 30_00)), g.queue(again)
		g.release()
		later, err := g.Post(context.Background(), again)
		if first.err != nil || same.err != nil || err != nil {
			t.Fatal(first.err, same.err, err)
		}
		if first.Replayed || !same.Replayed || !later.Replayed || same.Transfer != first.Transfer || later.Transfer != first.Transfer {
			t.Errorf("%+v, %+v, %+v", first.Receipt, same.Receipt, later)
		}
		if !later.PostedAt.Equal(first.PostedAt) {
			t.Errorf("posted at %v, then at %v", first.PostedAt, later.PostedAt)
		}
		g.wantBalance(a, 50_00)
		if got := g.rideNames(); got != "k" {
			t.Errorf("written: %s", got)
		}
		g.wantAuditOK()
	})
}

// A rider's check counts what was accepted before, in the batch and in the
// database, and nothing that was refused.
func TestVerdictsCountAcceptedRiders(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := oneWriter(t, db)
		a, poor := b.wallet(500_00), b.wallet(10_00)
		g := block(t, b)
		answers := []*answer{
			g.queue(g.withRide("1", a, 40_00)),
			g.queue(g.withRide("2", a, 70_00)),    // above 100 with the first
			g.queue(g.withRide("3", a, 60_00)),    // exactly 100, since the second was refused
			g.queue(g.withRide("4", a, 1)),        // above
			g.queue(g.withRide("5", poor, 90_00)), // insufficient funds: no verdict
			g.queue(g.withRide("6", poor, 10_00)),
		}
		g.release()
		for i, kind := range []fault.Kind{-1, fault.Limit, -1, fault.Limit, fault.Insufficient, -1} {
			if kind < 0 && answers[i].err == nil {
				continue
			}
			wantKind(t, answers[i].err, kind)
		}
		if !errors.Is(answers[1].err, errTooFar) {
			t.Errorf("got %v, want the rider's error", answers[1].err)
		}
		_, err := g.Post(context.Background(), g.withRide("7", a, 1))
		wantKind(t, err, fault.Limit)
		if got := g.rideNames(); got != "1 3 6" {
			t.Errorf("written: %s", got)
		}
		g.wantBalance(a, 400_00)
		g.wantAuditOK()
	})
}

// A posting that fails does not affect the others of its batch.
func TestRefusalDoesNotFailOthersInBatch(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := oneWriter(t, db)
		a, poor, full := b.wallet(900_00), b.wallet(1), b.wallet(90_00)
		b.mustPost("taken", a, b.bank, 1_00)
		b.mustPost("ridden", a, b.bank, 1_00)
		if _, err := b.Post(context.Background(), b.withRide("name taken", a, 1_00)); err != nil {
			t.Fatal(err)
		}
		toFull := between("above", a, full, 20_00)
		toFull.Entries[1].Ceiling = 100_00
		for name, bad := range map[string]struct {
			posting ledger.Posting
			kind    fault.Kind
		}{
			"short":            {between("short", poor, b.bank, 2), fault.Insufficient},
			"above":            {toFull, fault.Limit},
			"conflict":         {between("taken", a, b.bank, 2_00), fault.Conflict},
			"verdict":          {b.withRide("verdict", a, 101_00), fault.Limit},
			"verdict fails":    {b.withRide("verdict fails", a, 1_00), fault.Internal},
			"panics":           {b.withRide("panics", a, 1_00), fault.Internal},
			"miscounts":        {b.withRide("miscounts", a, 1_00), fault.Internal},
			"check":            {b.withRide("check", a, 13), fault.Internal},
			"unique":           {between("unique", a, b.bank, 1_00, rideRider.Row(ride{"name taken", 1, 1})), fault.Conflict},
			"no such account":  {between("nowhere", a, 4711, 1_00), fault.Internal},
			"corrects nothing": {ledger.Posting{Key: "corrects", Op: "test", Corrects: 4711, Entries: between("", a, b.bank, 1).Entries}, fault.Internal},
		} {
			t.Run(name, func(t *testing.T) {
				payer := b.wallet(10_00)
				g := block(t, b)
				before := g.queue(g.withRide(name+" before", payer, 1_00))
				wrong := g.queue(bad.posting)
				after := g.queue(g.withRide(name+" after", payer, 2_00))
				g.release()
				if before.err != nil || after.err != nil {
					t.Errorf("others of the batch: %v, %v", before.err, after.err)
				}
				wantKind(t, wrong.err, bad.kind)
				b.wantBalance(payer, 7_00)
			})
		}
		b.wantBalance(a, 897_00)
		b.wantBalance(full, 90_00)
		b.wantAuditOK()
		if got := b.rideNames(); strings.Contains(got, "panics ") && !strings.Contains(got, "panics before") {
			t.Errorf("written: %s", got)
		}
	})
}

// Rows that change between the reading and the writing of a pessimistic try are
// read again.
func TestChangedRowsAreReadAgain(t *testing.T) {
	db := databasetest.SQLite(t)
	createRides(t, db)
	b := newBooks(t, db)
	a := b.wallet(10_00)
	if _, err := b.Post(context.Background(), b.withRide("miscounts twice", a, 1_00)); err != nil {
		t.Fatal(err)
	}
	b.wantBalance(a, 9_00)
	if got := b.rideNames(); got != "miscounts twice" {
		t.Errorf("written: %s", got)
	}
}

// A duplicate key of a rider has another cause than a conflict of request keys.
func TestDuplicateRiderKeyIsConflict(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := newBooks(t, db)
		a := b.wallet(10_00)
		if _, err := b.Post(context.Background(), b.withRide("x", a, 1_00)); err != nil {
			t.Fatal(err)
		}
		_, err := b.post("y", a, b.bank, 1_00, rideRider.Row(ride{"x", a, 1}))
		wantKind(t, err, fault.Conflict)
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("got %v", err)
		}
		if _, err := b.Post(context.Background(), between("x", a, b.bank, 2_00)); errors.Is(err, gorm.ErrDuplicatedKey) || !fault.Is(err, fault.Conflict) {
			t.Errorf("a request key: %v", err)
		}
		if n := b.transfers("y"); n != 0 {
			t.Error("the transfer was written without its rider")
		}
		b.wantBalance(a, 9_00)
	})
}

// A rider that affects a wrong number of rows rolls its transfer back.
func TestRowCountRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := newBooks(t, db)
		a := b.wallet(10_00)
		_, err := b.Post(context.Background(), b.withRide("miscounts", a, 1_00))
		if !errors.Is(err, database.ErrRowCount) {
			t.Errorf("got %v", err)
		}
		if n := b.transfers("miscounts"); n != 0 {
			t.Error("the transfer was written")
		}
		b.wantBalance(a, 10_00)
		b.wantAuditOK()
	})
}

// A full batch takes as many statements as a batch of one, within the limit of
// parameters. MaxBatch+1 queued postings are written too, in two batches.
func TestFullBatch(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := oneWriter(t, db)
		accounts := make([]int64, ledger.MaxEntries-1)
		for i := range accounts {
			accounts[i] = b.account(ledger.Payable, fmt.Sprint(i))
		}
		wallets := make([]int64, ledger.MaxBatch+1)
		b.openMany(wallets)
		statements := countStatements(t, db)
		took := func(wallets []int64) int64 {
			g := block(t, b)
			answers := make([]*answer, len(wallets))
			for i, id := range wallets {
				name := fmt.Sprintf("full %d of %d", i, len(wallets))
				p := ledger.Posting{Key: name, Op: "test", Riders: []database.Rider{rideRider.Row(ride{name, id, 7})}}
				for _, account := range accounts {
					p.Entries = append(p.Entries, ledger.Entry{Account: account, Amount: -1})
				}
				p.Entries = append(p.Entries, ledger.Entry{Account: id, Amount: ledger.MaxEntries - 1})
				answers[i] = g.queue(p)
			}
			before := statements.Load()
			g.release()
			for _, a := range answers {
				if a.err != nil {
					t.Fatal(a.err)
				}
			}
			return statements.Load() - before
		}
		// Both numbers include the end of the blocking batch.
		one, full := took(wallets[:1]), took(wallets[:ledger.MaxBatch])
		if one < 5 || full != one {
			t.Errorf("a batch of one takes %d statements, a full one %d", one, full)
		}
		took(wallets)
		b.wantBalance(accounts[0], -money.Amount(1+ledger.MaxBatch+len(wallets)))
		b.wantAuditOK()
	})
}

// countStatements counts the statements sent to the database from now on.
func countStatements(t *testing.T, db *database.DB) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	count := func(*gorm.DB) { n.Add(1) }
	all := db.Gorm(context.Background()).Callback()
	for _, err := range []error{
		all.Raw().Register("count", count), all.Row().Register("count", count), all.Query().Register("count", count),
		all.Create().Register("count", count), all.Update().Register("count", count), all.Delete().Register("count", count),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return &n
}

func (b *books) openMany(ids []int64) {
	b.t.Helper()
	zero := money.Amount(0)
	err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		for i := range ids {
			account := ledger.Account{ID: tx.NewID(), Type: ledger.Wallet, Floor: &zero}
			account.Subject = fmt.Sprint(account.ID)
			if err := ledger.Open(tx, &account); err != nil {
				return err
			}
			ids[i] = account.ID
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
