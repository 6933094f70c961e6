package wallet_test

import (
	"context"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// Changes between the first check and the lock are seen under the lock.
func TestCloseChecksAgainUnderLock(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		closing := h.Closing
		c := h.NewCustomer(100_00)
		kindIs(t, closing.CloseProven(ctx, c), fault.Conflict, "wallet.close_balance", "")
		draft, err := h.App.Payments.Quote(ctx, c, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "100", Channel: customer.Web})
		require.NoError(t, err)
		_, err = h.App.Payments.Accept(ctx, c, customer.Web, draft.ID)
		require.NoError(t, err)
		kindIs(t, closing.CloseProven(ctx, c), fault.Conflict, "wallet.close_open", "")
		if n := h.Count("SELECT COUNT(*) FROM customers WHERE closed_at IS NOT NULL") + h.Count("SELECT COUNT(*) FROM accounts WHERE closed_at IS NOT NULL"); n != 0 {
			t.Errorf("%d closed", n)
		}

		blocked := h.NewCustomer(0)
		testkit.Block(t, h.Customers, blocked.ID)
		kindIs(t, closing.CloseProven(ctx, blocked), fault.Forbidden, "wallet.close_ended", "")
		empty := h.NewCustomer(0)
		require.NoError(t, closing.CloseProven(ctx, empty))
		kindIs(t, closing.CloseProven(ctx, empty), fault.Forbidden, "wallet.close_ended", "")
		h.WantAudit()
	})
}
