package cashin_test

import (
	"context"
	"errors"
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
)

func TestErrorsOfLedgerAndCustomers(t *testing.T) {
	d := newFixture(t, databasetest.SQLite(t))
	unavailable := errors.New("unavailable")
	for name, c := range map[string]struct {
		spoil func()
		want  fault.Kind
	}{
		"customers unavailable":      {func() { d.wallets.err = unavailable }, fault.Internal},
		"another error of customers": {func() { d.wallets.err = fault.New(fault.Forbidden, "x", "") }, fault.Forbidden},
		"an unknown level": {func() {
			w := d.wallets.byPhone[asel]
			w.Level = "gone"
			d.wallets.byPhone[asel] = w
		}, fault.NotFound},
		"ledger unavailable": {func() { d.CashIn = d.withBooks(brokenBooks{d.books, fault.New(fault.Unavailable, "x", ""), false}) }, fault.Unavailable},
		"ledger unknown":     {func() { d.CashIn = d.withBooks(brokenBooks{d.books, fault.New(fault.Unknown, "x", ""), false}) }, fault.Unknown},
	} {
		was := d.CashIn
		wallet := d.wallets.byPhone[asel]
		c.spoil()
		if _, err := d.PayIn(t.Context(), d.agents["kicb"], request("1", asel.String(), 1_000)); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		d.CashIn, d.wallets.err, d.wallets.byPhone[asel] = was, nil, wallet
	}
	if d.rows() != 0 {
		t.Error("something was written")
	}
	d.pay("kicb", "1", asel.String(), 1_000, cashin.Done)
}

// brokenBooks returns err for each posting, after posting it if posts is set.
type brokenBooks struct {
	*ledger.Ledger
	err   error
	posts bool
}

// withBooks returns a service with other books.
func (d *fixture) withBooks(books cashin.Books) *cashin.CashIn {
	parts := d.parts
	parts.Books = books
	return cashin.New(parts)
}

func (b brokenBooks) Post(ctx context.Context, p ledger.Posting) (ledger.Receipt, error) {
	if b.posts {
		if _, err := b.Ledger.Post(ctx, p); err != nil {
			return ledger.Receipt{}, err
		}
	}
	return ledger.Receipt{}, b.err
}
