package payment_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/ratelimit"
	"elsom/internal/wallet"
)

const company = "00207199610017"

// fake is a biller that answers by script, one answer for each pay of a
// txn_id; behind the script's end the last answer stays.
type fake struct {
	mu     sync.Mutex
	script []biller.Answer
	check  biller.Answer
	pays   map[string]int
	booked map[string]money.Amount
	busy   int
	most   int // calls at once
	hold   chan struct{}
}

func newFake(script ...biller.Answer) *fake {
	return &fake{script: script, check: good, pays: map[string]int{}, booked: map[string]money.Amount{}}
}

var (
	good    = biller.Answer{Outcome: biller.Good, Result: 0, Name: "ОсОО «Ала-Тоо»", Reference: "77"}
	silence = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultNone}
	later   = biller.Answer{Outcome: biller.Later, Result: biller.ResultTemporary}

	unfinished = biller.Answer{Outcome: biller.Later, Result: biller.ResultNotFinished}
	undecided  = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultCannotVerify}
	unsent     = biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone}
)

func refused(result int) biller.Answer { return biller.Answer{Outcome: biller.Refused, Result: result} }

func (f *fake) Check(context.Context, biller.Request) biller.Answer { return f.check }

func (f *fake) Pay(_ context.Context, r biller.Request) biller.Answer {
	f.mu.Lock()
	f.busy++
	f.most = max(f.most, f.busy)
	n := f.pays[r.TxnID]
	f.pays[r.TxnID]++
	answer := f.script[min(n, len(f.script)-1)]
	if answer.Outcome == biller.Good {
		f.booked[r.TxnID] = r.Sum
	}
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	f.mu.Lock()
	f.busy--
	f.mu.Unlock()
	return answer
}

func (f *fake) say(script ...biller.Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = script
}

// holding makes each call wait until release.
func (f *fake) holding() *fake {
	f.hold = make(chan struct{})
	return f
}

func (f *fake) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hold != nil {
		close(f.hold)
		f.hold = nil
	}
}

func (f *fake) count(txnID string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pays[txnID]
}

// house is payments on real parts, with the biller faked.
type house struct {
	*payment.Payments
	t      *testing.T
	db     *database.DB
	ledger *ledger.Ledger
	biller *fake
	phones int
}

func newHouse(t *testing.T, db *database.DB, script ...biller.Answer) *house {
	t.Helper()
	return houseWith(t, db, newFake(script...), func(*payment.Timing) {})
}

func houseWith(t *testing.T, db *database.DB, f *fake, change func(*payment.Timing)) *house {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	sealer, err := sms.NewSealer(secret)
	must(t, err)
	attempts, err := ratelimit.New(db, ratelimit.Options{Secret: secret})
	must(t, err)
	goods := catalog.New(db, catalog.Options{Development: true})
	must(t, goods.Seed(context.Background()))
	customers, err := customer.New(db, customer.Options{
		Secret: secret, PINPepper: secret, Counters: attempts, Sealer: sealer, OpenWallet: wallet.Open, Level: catalog.StandardLevel,
	})
	must(t, err)
	books := ledger.New(db, ledger.Options{})
	t.Cleanup(books.Close)
	timing := payment.DefaultTiming()
	timing.Pauses = []time.Duration{20 * time.Millisecond, 40 * time.Millisecond}
	change(&timing)
	return &house{
		t: t, db: db, ledger: books, biller: f,
		Payments: payment.New(payment.Parts{
			DB: db, Ledger: books, Bell: outbox.NewNotifier(), Catalog: goods, Customers: customers, Attempts: attempts,
			Wire: func(catalog.Biller) biller.Biller { return f }, Timing: timing,
		}),
	}
}

// trust changes the biller's contract: whether it answers stored outcomes.
func (h *house) trust(stored bool) {
	h.t.Helper()
	must(h.t, h.db.Gorm(context.Background()).Exec("UPDATE catalog_billers SET answers_stored_outcome = ?, url = 'http://127.0.0.1:1/'", stored).Error)
	must(h.t, h.db.Gorm(context.Background()).Exec("UPDATE catalog_state SET version = version + 1").Error)
	time.Sleep(1100 * time.Millisecond) // the catalogue looks once a second
}

// holder registers a customer with money in the wallet.
func (h *house) holder(balance money.Amount) customer.Customer {
	h.t.Helper()
	h.phones++
	ctx := context.Background()
	id := h.db.NewID()
	err := h.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		row := customer.Record{ID: id, Phone: fmt.Sprintf("+996700%06d", id%1_000_000), Lang: "ru", Level: catalog.StandardLevel, CreatedAt: tx.Now()}
		if err := tx.Gorm().Create(&row).Error; err != nil {
			return err
		}
		return wallet.Open(ctx, tx, id)
	})
	must(h.t, err)
	c, err := h.Customers.ByID(ctx, id)
	must(h.t, err)
	if balance > 0 {
		h.fill(c, balance)
	}
	return c
}

func (h *house) fill(c customer.Customer, amount money.Amount) {
	h.t.Helper()
	ctx := context.Background()
	bank, err := h.ledger.Account(ctx, ledger.Bank, "test")
	must(h.t, err)
	_, err = h.ledger.Post(ctx, ledger.Posting{Key: "fill:" + strconv.FormatInt(h.db.NewID(), 10), Op: "test.fill",
		Entries: []ledger.Entry{{Account: bank, Amount: -amount}, {Account: c.ID, Amount: amount}}})
	must(h.t, err)
}

func order(amount string) payment.Order {
	return payment.Order{Service: "dostek", Identifier: company, Amount: amount, Channel: customer.Web, Address: "127.0.0.1"}
}

// pay quotes and accepts.
func (h *house) pay(c customer.Customer, amount string) payment.Payment {
	h.t.Helper()
	draft, err := h.Quote(context.Background(), c, order(amount))
	must(h.t, err)
	got, err := h.Accept(context.Background(), c, customer.Web, draft.ID)
	must(h.t, err)
	return got.Payment
}

// payEach pays 1 som from each of n new wallets.
func (h *house) payEach(n int) (paid []payment.Payment) {
	h.t.Helper()
	for range n {
		paid = append(paid, h.pay(h.holder(1_00), "1"))
	}
	return paid
}

// deliver runs the workers until the test ends or stop is called.
func (h *house) deliver() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { h.Deliver(ctx) })
	stop = sync.OnceFunc(func() {
		h.biller.release() // a test that failed must not wait for its own hand
		cancel()
		wg.Wait()
	})
	h.t.Cleanup(stop)
	return stop
}

// ends waits until the payment is no longer processing.
func (h *house) ends(p payment.Payment) payment.Payment {
	h.t.Helper()
	got, err := h.Await(context.Background(), p.CustomerID, p.ID, 20*time.Second)
	must(h.t, err)
	if got.State == payment.Processing {
		h.t.Fatalf("payment still processing after %d calls", h.biller.count(p.TxnID))
	}
	return got
}

func (h *house) holds(c customer.Customer, want money.Amount) {
	h.t.Helper()
	got, err := h.ledger.Balance(context.Background(), c.ID)
	must(h.t, err)
	if got != want {
		h.t.Fatalf("wallet holds %s, want %s", got, want)
	}
}

// audited proves the books.
func (h *house) audited() {
	h.t.Helper()
	proof, err := audit.Run(context.Background(), h.db)
	must(h.t, err)
	// The tests fill wallets by a transfer of their own, which is no cash-in
	// and no act of the house.
	proof.Checks = slices.DeleteFunc(proof.Checks, func(c audit.Check) bool { return c.Invariant == "acts" })
	if !proof.OK() {
		h.t.Fatalf("the books don't hold: %+v", proof)
	}
}

// rows counts what a query finds.
func (h *house) rows(query string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.db.Gorm(context.Background()).Raw(query, args...).Scan(&n).Error)
	return n
}

// taken counts the slots that somebody holds.
func (h *house) taken() int {
	h.t.Helper()
	return h.rows("SELECT COUNT(*) FROM biller_slots WHERE until > ?", h.db.Now())
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1000 {
		if holds() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("in vain: " + what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func kindIs(t *testing.T, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	f := fault.As(err)
	if err == nil || f.Kind != kind || f.Reason != reason || f.Field != field {
		t.Fatalf("got %v at %q, want %s %s at %q", err, f.Field, kind, reason, field)
	}
}
