package wallet_test

import (
	"context"
	"slices"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
	"elsom/internal/wallet"
)

// A transfer is in both statements, with the sign for each.
func TestStatement(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		sent := h.send(from, to, "40")
		for _, want := range []struct {
			c      customer.Customer
			kind   wallet.Kind
			amount money.Amount
			d      wallet.Direction
		}{{from, wallet.Sent, -40_00, wallet.Out}, {to, wallet.Received, 40_00, wallet.In}} {
			page, err := h.Wallets.Statement(ctx, want.c.ID, want.d, 0, 10)
			require.NoError(t, err)
			if len(page.Operations) != 1 || page.Count != 1 || page.In+page.Out != 40_00 {
				t.Fatalf("%+v", page)
			}
			o := page.Operations[0]
			if o.Kind != want.kind || o.Amount != want.amount || o.TransferID != sent.ID {
				t.Fatalf("%+v", o)
			}
		}
	})
}

// The previous release posts transfers without a subject. On SQLite, where no
// trigger derives it, their operations still lead to the payment or transfer.
func TestOperationsOfThePreviousRelease(t *testing.T) {
	db := databasetest.SQLite(t)
	h := newFixture(t, db)
	ctx := context.Background()
	from, to := h.NewCustomer(100_00), h.NewCustomer(0)
	sent := h.send(from, to, "40")
	draft, err := h.Payments.Quote(ctx, from, payment.Order{
		Service: "dostek", Identifier: "01234567890123", Amount: "10", Channel: customer.Web, Address: "127.0.0.1",
	})
	require.NoError(t, err)
	paid, err := h.Payments.Accept(ctx, from, customer.Web, draft.ID)
	require.NoError(t, err)
	databasetest.Tamper(t, db, "UPDATE transfers SET subject_kind = NULL, subject_id = NULL")
	for kind, ids := range map[wallet.Kind][2]int64{wallet.Payment: {paid.Payment.ID, 0}, wallet.Sent: {0, sent.ID}} {
		_, operations, err := h.Wallets.Latest(ctx, from.ID, 10)
		require.NoError(t, err)
		i := slices.IndexFunc(operations, func(o wallet.Operation) bool { return o.Kind == kind })
		if i < 0 || operations[i].PaymentID != ids[0] || operations[i].TransferID != ids[1] {
			t.Errorf("%s: %+v, want ids %v", kind, operations, ids)
		}
	}
}
