package payment_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// fake is a biller that answers the n-th pay of a txn_id with the n-th answer of
// its script, and with the last one from then on.
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

// fixture is payments on an app, with the biller faked.
type fixture struct {
	*testkit.App
	*payment.Payments
	t      *testing.T
	biller *fake
	wire   func(catalog.Biller) biller.Biller
}

func newFixture(t *testing.T, db *database.DB, script ...biller.Answer) *fixture {
	t.Helper()
	return newFixtureWith(t, db, newFake(script...), func(*payment.Timing) {})
}

func newFixtureWith(t *testing.T, db *database.DB, f *fake, change func(*payment.Timing)) *fixture {
	t.Helper()
	h := &fixture{t: t, biller: f, wire: func(catalog.Biller) biller.Biller { return f }}
	h.App = testkit.New(t, db, testkit.Options{Timing: change, Client: func(b catalog.Biller) biller.Biller { return h.wire(b) }})
	h.Payments = h.App.Payments
	return h
}

// trust sets whether the biller answers stored outcomes.
func (h *fixture) trust(stored bool) {
	h.t.Helper()
	testkit.EditCatalog(h.t, h.Catalog, `answers_stored_outcome: .*`, fmt.Sprintf("answers_stored_outcome: %t", stored), `url: .*`, `url: "http://127.0.0.1:1/"`)
}

func order(amount string) payment.Order {
	return payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: amount, Channel: customer.Web, Address: "127.0.0.1"}
}

// pay quotes and accepts.
func (h *fixture) pay(c customer.Customer, amount string) payment.Payment {
	h.t.Helper()
	draft, err := h.Quote(context.Background(), c, order(amount))
	require.NoError(h.t, err)
	got, err := h.Accept(context.Background(), c, customer.Web, draft.ID)
	require.NoError(h.t, err)
	return got.Payment
}

// payEach pays 1 som from each of n new wallets.
func (h *fixture) payEach(n int) (paid []payment.Payment) {
	h.t.Helper()
	for range n {
		paid = append(paid, h.pay(h.NewCustomer(1_00), "1"))
	}
	return paid
}

// deliver runs the workers until the test ends or stop is called.
func (h *fixture) deliver() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { h.Deliver(ctx) })
	stop = sync.OnceFunc(func() {
		h.biller.release() // the workers wait for held calls, also after a failure
		cancel()
		wg.Wait()
	})
	h.t.Cleanup(stop)
	return stop
}

// awaitEnd waits until the payment is no longer processing.
func (h *fixture) awaitEnd(p payment.Payment) payment.Payment {
	h.t.Helper()
	got, err := h.Await(context.Background(), p.CustomerID, p.ID, 20*time.Second)
	require.NoError(h.t, err)
	if got.State == payment.Processing {
		h.t.Fatalf("payment still processing after %d calls", h.biller.count(p.TxnID))
	}
	return got
}

// taken returns the number of leased slots.
func (h *fixture) taken() int {
	h.t.Helper()
	return h.Count("SELECT COUNT(*) FROM biller_slots WHERE until > ?", h.DB.Now())
}

func kindIs(t *testing.T, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	f := fault.As(err)
	if err == nil || f.Kind != kind || f.Reason != reason || f.Field != field {
		t.Fatalf("got %v at %q, want %s %s at %q", err, f.Field, kind, reason, field)
	}
}
