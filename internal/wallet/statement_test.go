package wallet_test

import (
	"context"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/money"
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
