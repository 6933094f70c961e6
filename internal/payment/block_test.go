package payment_test

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

// A block of outgoing money stops neither cash-ins nor the end of payments that were
// accepted before it.
func TestBlockOutStopsPayments(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, silence)
		ctx := context.Background()
		c := h.NewCustomer(100_00)
		p := h.pay(c, "10")
		if changed, err := h.Customers.Block(ctx, c.ID, customer.BlockOut, testkit.Staff); err != nil || !changed {
			t.Fatal(changed, err)
		}
		blocked, err := h.Customers.ByID(ctx, c.ID)
		if err != nil || !blocked.BlockedOut || blocked.Blocked || blocked.SessionEpoch != c.SessionEpoch {
			t.Fatalf("%+v, %v", blocked, err)
		}
		_, err = h.Quote(ctx, blocked, order("30"))
		kindIs(t, err, fault.Forbidden, "customer.blocked_out", "")
		for _, staff := range []string{"aigul", "bakyt"} {
			_, err := h.Decide(ctx, payment.Decision{PaymentID: p.ID, Staff: staff, Decision: payment.Refunded, Reason: "asked", Evidence: "a letter"})
			require.NoError(t, err)
		}
		h.WantBalance(c.ID, 100_00)
		testkit.Unblock(t, h.Customers, c.ID)
		h.pay(c, "30")
		h.WantAudit()
	})
}
