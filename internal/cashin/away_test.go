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

func TestLedgerAndCustomersAway(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	away := errors.New("away")
	for name, c := range map[string]struct {
		spoil func()
		want  fault.Kind
	}{
		"customers can't be read":         {func() { d.holder.err = away }, fault.Internal},
		"customers know of another fault": {func() { d.holder.err = fault.New(fault.Forbidden, "x", "") }, fault.Forbidden},
		"a level nobody knows": {func() {
			w := d.holder.wallets[asel]
			w.Level = "gone"
			d.holder.wallets[asel] = w
		}, fault.NotFound},
		"ledger away":    {func() { d.CashIn.Books = brokenBooks{d.books, fault.New(fault.Unavailable, "x", ""), false} }, fault.Unavailable},
		"ledger unknown": {func() { d.CashIn.Books = brokenBooks{d.books, fault.New(fault.Unknown, "x", ""), false} }, fault.Unknown},
	} {
		was := *d.CashIn
		wallet := d.holder.wallets[asel]
		c.spoil()
		if _, err := d.PayIn(t.Context(), d.agents["kicb"], request("1", asel.String(), 1_000)); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		*d.CashIn, d.holder.err, d.holder.wallets[asel] = was, nil, wallet
	}
	if d.rows() != 0 {
		t.Error("something was written")
	}
	d.pay("kicb", "1", asel.String(), 1_000, cashin.Done)
}

// brokenBooks answers err to each posting, which it may have done or not.
type brokenBooks struct {
	*ledger.Ledger
	err  error
	does bool
}

func (b brokenBooks) Post(ctx context.Context, p ledger.Posting) (ledger.Receipt, error) {
	if b.does {
		if _, err := b.Ledger.Post(ctx, p); err != nil {
			return ledger.Receipt{}, err
		}
	}
	return ledger.Receipt{}, b.err
}
