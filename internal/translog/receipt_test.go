package translog_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"elsom/internal/biller"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/receipt"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// receipts are receipts of payments in all states.
type receipts struct {
	*fixture
	accepted, completed, refunded int64
}

func newReceipts(t *testing.T, db *database.DB) *receipts {
	t.Helper()
	r := &receipts{fixture: newFixture(t, db)}
	a := testkit.New(t, db, testkit.Options{NoRateLimits: true})
	c := a.NewCustomer(1000_00)
	pay := func() int64 {
		draft, err := a.Payments.Quote(t.Context(), c, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "10", Channel: customer.Web})
		require.NoError(t, err)
		accepted, err := a.Payments.Accept(t.Context(), c, customer.Web, draft.ID)
		require.NoError(t, err)
		return accepted.Payment.ID
	}
	ctx, cancel := context.WithCancel(t.Context())
	var worker sync.WaitGroup
	worker.Go(func() { a.Payments.Deliver(ctx) })
	ended := func(answer biller.Answer) int64 {
		a.Biller.SetScript(answer)
		id := pay()
		require.Eventually(t, "the payment ends", func() bool {
			return require.Value(a.Payments.ByID(t.Context(), c.ID, id))(t).State != payment.Processing
		})
		return id
	}
	r.completed, r.refunded = ended(testkit.Good), ended(testkit.Refused(5))
	cancel()
	worker.Wait()
	r.accepted = pay()
	return r
}

// file returns the file of a payment.
func (r *receipts) file(payment int64) string {
	r.t.Helper()
	proved, err := r.log.Receipt(r.t.Context(), payment)
	require.NoError(r.t, err)
	return string(require.Value(proved.Encode())(r.t))
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newReceipts(t, db)
		if _, err := r.log.Receipt(t.Context(), r.completed); !fault.Is(err, fault.NotFound) {
			t.Errorf("before it is sealed: %v", err)
		}
		r.seal()
		for id, want := range map[int64]receipt.State{r.accepted: receipt.Accepted, r.completed: receipt.Completed, r.refunded: receipt.Refunded} {
			paid, err := receipt.Verify(strings.NewReader(r.file(id)), r.keys)
			if err != nil || paid.State != want || paid.Amount != 10_00 || paid.Account != testkit.Company || paid.AcceptedAt.IsZero() || paid.EndedAt.IsZero() != (want == receipt.Accepted) {
				t.Errorf("%s: %+v, %v", want, paid, err)
			}
		}
		if _, err := r.log.Receipt(t.Context(), 12345); !fault.Is(err, fault.NotFound) {
			t.Errorf("no payment: %v", err)
		}
	})
}

func TestForgedReceiptIsRefused(t *testing.T) {
	t.Parallel()
	r := newReceipts(t, databasetest.SQLite(t))
	r.seal()
	completed, refunded := r.file(r.completed), r.file(r.refunded)
	var good, other receipt.Receipt
	require.NoError(t, json.Unmarshal([]byte(completed), &good))
	require.NoError(t, json.Unmarshal([]byte(refunded), &other))
	changed := func(change func(r *receipt.Receipt)) string {
		var forged receipt.Receipt
		require.NoError(t, json.Unmarshal([]byte(completed), &forged))
		change(&forged)
		return string(require.Value(forged.Encode())(t))
	}
	for name, c := range map[string]struct{ file, want string }{
		"another sum":         {strings.Replace(completed, `"value": "1000"`, `"value": "9000"`, 1), "the payment: it was changed"},
		"another company":     {strings.Replace(completed, testkit.Company, "02705199110016", 1), "the payment: it was changed"},
		"another field":       {strings.Replace(completed, `"name": "fee"`, `"name": "free"`, 1), "the payment: "},
		"another id":          {strings.Replace(completed, `"id": "`, `"id": "1`, 1), "the payment: "},
		"another mac":         {changed(func(r *receipt.Receipt) { r.Payment.MAC = other.Payment.MAC }), "the payment: it was changed"},
		"a short mac":         {changed(func(r *receipt.Receipt) { r.Payment.MAC = nil }), "the payment: "},
		"another index":       {changed(func(r *receipt.Receipt) { r.Payment.Index++ }), "the payment: it was changed"},
		"a negative index":    {changed(func(r *receipt.Receipt) { r.Payment.Index = -1 }), "the payment: it was changed"},
		"a huge index":        {changed(func(r *receipt.Receipt) { r.Payment.Index = 1 << 62 }), "the payment: it was changed"},
		"another proof":       {changed(func(r *receipt.Receipt) { r.Payment.Proof = other.Payment.Proof }), "the payment: it was changed"},
		"no proof":            {changed(func(r *receipt.Receipt) { r.Payment.Proof = nil }), "the payment: it was changed"},
		"another's end":       {changed(func(r *receipt.Receipt) { r.End = other.End }), "the end of the payment: it is that of another payment"},
		"a refund made up":    {strings.Replace(completed, "payment.settle", "payment.refund", 1), "the end of the payment: it was changed"},
		"the payment as end":  {changed(func(r *receipt.Receipt) { end := r.Payment; r.End = &end }), "the end of the payment: "},
		"the end as payment":  {changed(func(r *receipt.Receipt) { r.Payment = *r.End }), "the payment: "},
		"another checkpoint":  {strings.Replace(completed, "wallet.example\\n", "wallet.example\\n1", 1), "the checkpoint: its signature is not valid"},
		"an unsigned one":     {changed(func(r *receipt.Receipt) { r.Checkpoint = "" }), "the checkpoint: it is not a signed checkpoint"},
		"another format":      {strings.Replace(completed, receipt.Format, "elsom receipt 2", 1), "it is not a receipt"},
		"an unknown field":    {strings.Replace(completed, `"checkpoint"`, `"more": 1, "checkpoint"`, 1), "it is not a receipt"},
		"cut":                 {completed[:len(completed)/2], "it is not a receipt"},
		"two":                 {completed + refunded, "it is not a receipt"},
		"nothing":             {"", "it is not a receipt"},
		"larger than allowed": {completed + strings.Repeat(" ", receipt.MaxSize), "it is larger than"},
	} {
		paid, err := receipt.Verify(strings.NewReader(c.file), r.keys)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want %q", name, paid, err, c.want)
		}
	}
	if _, err := receipt.Verify(strings.NewReader(completed), newKeys(t, "wallet.example")); err == nil || !strings.Contains(err.Error(), "not signed by a key that is known") {
		t.Errorf("another key: %v", err)
	}
}
