package wallet_test

import (
	"context"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/wallet"
)

// What came between the first look and the lock is seen behind the lock.
func TestCloseBehindTheLock(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newHouse(t, db)
		closing := wallet.NewClosing(wallet.ClosingParts{DB: db, Ledger: h.Ledger, Bell: h.Bell, Customers: h.Customers})
		c := h.holder(100_00)
		kindIs(t, closing.CloseProven(ctx, c), fault.Conflict, "wallet.close_balance", "")
		draft, err := h.payments.Quote(ctx, c, payment.Order{Service: "dostek", Identifier: company, Amount: "100", Channel: customer.Web})
		must(t, err)
		_, err = h.payments.Accept(ctx, c, customer.Web, draft.ID)
		must(t, err)
		kindIs(t, closing.CloseProven(ctx, c), fault.Conflict, "wallet.close_open", "")
		if n := h.rows("SELECT COUNT(*) FROM customers WHERE closed_at IS NOT NULL") + h.rows("SELECT COUNT(*) FROM accounts WHERE closed_at IS NOT NULL"); n != 0 {
			t.Errorf("%d closed", n)
		}

		blocked := h.holder(0)
		must(t, h.Customers.Block(ctx, blocked.ID))
		kindIs(t, closing.CloseProven(ctx, blocked), fault.Forbidden, "wallet.close_ended", "")
		empty := h.holder(0)
		must(t, closing.CloseProven(ctx, empty))
		kindIs(t, closing.CloseProven(ctx, empty), fault.Forbidden, "wallet.close_ended", "")
		h.audited()
	})
}
