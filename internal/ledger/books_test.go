package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// books is a ledger with a bank to draw money from.
type books struct {
	*ledger.Ledger
	t    testing.TB
	db   *database.DB
	bank int64
}

func newBooks(t testing.TB, db *database.DB) *books {
	t.Helper()
	return openBooks(t, db, ledger.Options{})
}

func openBooks(t testing.TB, db *database.DB, options ledger.Options) *books {
	t.Helper()
	b := &books{Ledger: ledger.New(db, options), t: t, db: db}
	t.Cleanup(b.Close)
	b.bank = b.place(ledger.Bank, "bank")
	return b
}

// each runs a test on SQLite, on PostgreSQL, and on PostgreSQL where every
// transaction is serializable.
func each(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	databasetest.EachIsolation(t, test)
}

// place gives an account without a floor.
func (b *books) place(kind ledger.AccountType, subject string) int64 {
	b.t.Helper()
	id, err := b.Account(context.Background(), kind, subject)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *books) open(kind ledger.AccountType, floor money.Amount) int64 {
	b.t.Helper()
	account := ledger.Account{Type: kind, Floor: &floor}
	err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		account.ID = tx.NewID()
		account.Subject = fmt.Sprint(account.ID)
		return ledger.Open(tx, &account)
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return account.ID
}

func (b *books) wallet(balance money.Amount) int64 {
	b.t.Helper()
	id := b.open(ledger.Wallet, 0)
	if balance > 0 {
		b.move(fmt.Sprint("fill:", id), b.bank, id, balance)
	}
	return id
}

func between(key string, from, to int64, amount money.Amount, riders ...database.Rider) ledger.Posting {
	return ledger.Posting{Key: key, Op: "test", Riders: riders, Entries: []ledger.Entry{
		{Account: from, Amount: -amount}, {Account: to, Amount: amount},
	}}
}

func (b *books) post(key string, from, to int64, amount money.Amount, riders ...database.Rider) (ledger.Receipt, error) {
	return b.Post(context.Background(), between(key, from, to, amount, riders...))
}

func (b *books) move(key string, from, to int64, amount money.Amount) {
	b.t.Helper()
	if _, err := b.post(key, from, to, amount); err != nil {
		b.t.Fatal(err)
	}
}

func (b *books) holds(account int64, want money.Amount) {
	b.t.Helper()
	got, err := b.Balance(context.Background(), account)
	if err != nil || got != want {
		b.t.Fatalf("account %d holds %s (%v), want %s", account, got, err, want)
	}
}

// proved audits the books, all but the act, which is the tests' own.
func (b *books) proved() {
	b.t.Helper()
	proof, err := audit.Run(context.Background(), b.db)
	if err != nil {
		b.t.Fatal(err)
	}
	proof.Checks = slices.DeleteFunc(proof.Checks, func(c audit.Check) bool { return c.Invariant == "acts" || c.Invariant == "settlements" })
	if !proof.OK() {
		var text strings.Builder
		_ = proof.Print(&text)
		b.t.Fatal(text.String())
	}
}

// transfers counts those whose key begins so.
func (b *books) transfers(prefix string) (n int) {
	b.t.Helper()
	if err := b.db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM transfers WHERE request_key LIKE ?", prefix+"%").Scan(&n).Error; err != nil {
		b.t.Fatal(err)
	}
	return n
}

// gated keeps a ledger of one flight busy, so that what comes meanwhile waits
// and then goes as one batch, in the order in which it came.
type gated struct {
	*books
	leave chan struct{}
	once  sync.Once
	wg    sync.WaitGroup
}

// oneFlight is a ledger that a gate can be shut in. Accounts are opened before.
func oneFlight(t testing.TB, db *database.DB) *books {
	t.Helper()
	return openBooks(t, db, ledger.Options{Writers: 1})
}

var gate = &database.RiderKind[func()]{
	Name: "gate",
	Check: func(_ *database.Tx, rows []func()) (func(int) error, error) {
		for _, wait := range rows {
			wait()
		}
		return nil, nil
	},
	Write: func(*database.Tx, []func()) error { return nil },
}

// shut closes the gate and waits until a posting stands in it.
func shut(t testing.TB, b *books) *gated {
	t.Helper()
	g := &gated{books: b, leave: make(chan struct{})}
	there := b.wallet(1)
	t.Cleanup(g.release) // before the ledger is closed, whatever went wrong
	arrived := make(chan struct{})
	var once sync.Once
	wait := func() { once.Do(func() { close(arrived) }); <-g.leave }
	g.wg.Go(func() {
		if _, err := b.post(fmt.Sprint("gate:", there), there, b.bank, 1, gate.Row(wait)); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	return g
}

// answer is what a waiting posting was told.
type answer struct {
	ledger.Receipt
	err error
}

// queue lets a posting wait behind those before it.
func (g *gated) queue(p ledger.Posting) *answer {
	g.t.Helper()
	a := &answer{}
	before := g.Waiting()
	g.wg.Go(func() { a.Receipt, a.err = g.Post(context.Background(), p) })
	waitFor(g.t, func() bool { return g.Waiting() > before })
	return a
}

// release opens the gate and waits for all answers.
func (g *gated) release() {
	g.once.Do(func() { close(g.leave) })
	g.wg.Wait()
}

func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("got %v, want %s", err, kind)
	}
}
