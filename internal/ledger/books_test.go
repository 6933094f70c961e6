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

// books is a ledger with a bank account that test money comes from.
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
	b.bank = b.account(ledger.Bank, "bank")
	return b
}

// each runs a test on SQLite, on PostgreSQL, and on PostgreSQL with serializable
// transactions.
func each(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	databasetest.EachIsolation(t, test)
}

// account returns an account without a floor.
func (b *books) account(accountType ledger.AccountType, subject string) int64 {
	b.t.Helper()
	id, err := b.Account(context.Background(), accountType, subject)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *books) open(accountType ledger.AccountType, floor money.Amount) int64 {
	b.t.Helper()
	account := ledger.Account{Type: accountType, Floor: &floor}
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
		b.mustPost(fmt.Sprint("fill:", id), b.bank, id, balance)
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

func (b *books) mustPost(key string, from, to int64, amount money.Amount) {
	b.t.Helper()
	if _, err := b.post(key, from, to, amount); err != nil {
		b.t.Fatal(err)
	}
}

func (b *books) wantBalance(account int64, want money.Amount) {
	b.t.Helper()
	got, err := b.Balance(context.Background(), account)
	if err != nil || got != want {
		b.t.Fatalf("account %d has %s (%v), want %s", account, got, err, want)
	}
}

// wantAuditOK audits the books, except the operations, which are the tests' own.
func (b *books) wantAuditOK() {
	b.t.Helper()
	b.wantOK("operations", "settlements")
}

// wantLedgerOK audits the books of payments that have no rows.
func (b *books) wantLedgerOK() {
	b.t.Helper()
	b.wantOK("operations", "settlements", "payments", "holds")
}

func (b *books) wantOK(except ...string) {
	b.t.Helper()
	proof, err := audit.Run(context.Background(), b.db, audit.Outside{})
	if err != nil {
		b.t.Fatal(err)
	}
	proof.Checks = slices.DeleteFunc(proof.Checks, func(c audit.Check) bool { return slices.Contains(except, c.Invariant) })
	if !proof.OK() {
		var text strings.Builder
		_ = proof.Print(&text)
		b.t.Fatal(text.String())
	}
}

// transfers returns the number of transfers whose key has the prefix.
func (b *books) transfers(prefix string) (n int) {
	b.t.Helper()
	if err := b.db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM transfers WHERE request_key LIKE ?", prefix+"%").Scan(&n).Error; err != nil {
		b.t.Fatal(err)
	}
	return n
}

// blocked is a ledger whose only writer is blocked by a posting: the postings
// queued meanwhile become one batch, in their order.
type blocked struct {
	*books
	leave chan struct{}
	once  sync.Once
	wg    sync.WaitGroup
}

// oneWriter returns a ledger that can be blocked. Accounts must be opened before.
func oneWriter(t testing.TB, db *database.DB) *books {
	t.Helper()
	return openBooks(t, db, ledger.Options{Writers: 1})
}

var gateRider = &database.RiderKind[func()]{
	Name: "gate",
	Check: func(_ *database.Tx, rows []func()) (func(int) error, error) {
		for _, wait := range rows {
			wait()
		}
		return func(int) error { return nil }, nil
	},
	Write: func(*database.Tx, []func()) error { return nil },
}

// block blocks the writer and returns once it is.
func block(t testing.TB, b *books) *blocked {
	t.Helper()
	g := &blocked{books: b, leave: make(chan struct{})}
	payer := b.wallet(1)
	t.Cleanup(g.release) // before the ledger is closed, also after a failure
	arrived := make(chan struct{})
	var once sync.Once
	wait := func() { once.Do(func() { close(arrived) }); <-g.leave }
	g.wg.Go(func() {
		if _, err := b.post(fmt.Sprint("gate:", payer), payer, b.bank, 1, gateRider.Row(wait)); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	return g
}

// answer is the answer to a queued posting.
type answer struct {
	ledger.Receipt
	err error
}

// queue queues a posting behind the others.
func (g *blocked) queue(p ledger.Posting) *answer {
	g.t.Helper()
	a := &answer{}
	before := g.Waiting()
	g.wg.Go(func() { a.Receipt, a.err = g.Post(context.Background(), p) })
	waitFor(g.t, func() bool { return g.Waiting() > before })
	return a
}

// release unblocks the writer and waits for all answers.
func (g *blocked) release() {
	g.once.Do(func() { close(g.leave) })
	g.wg.Wait()
}

func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("got %v, want %s", err, kind)
	}
}
