package payment_test

import (
	"fmt"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// A draft of a list is verified like any other, paid by its owner, and once.
func TestForgedListedDraftIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good), t.Context()
		c, other := h.NewCustomer(1000_00), h.NewCustomer(1000_00)
		draft := require.Value(h.Quote(ctx, c, order("5")))(t)
		set := func(amount int) {
			databasetest.Tamper(t, db, fmt.Sprintf("UPDATE drafts SET amount = %d WHERE id = %d", amount, draft.ID))
		}
		set(500_00)
		if _, err := h.AcceptListed(ctx, c, draft.ID); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a forged draft: %v", err)
		}
		set(5_00)
		if _, err := h.AcceptListed(ctx, other, draft.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's draft: %v", err)
		}
		for _, again := range []bool{false, true} {
			if accepted, err := h.AcceptListed(ctx, c, draft.ID); err != nil || accepted.AlreadyAccepted != again {
				t.Errorf("accepted: %+v, %v", accepted, err)
			}
		}
		if n := h.Count("SELECT COUNT(*) FROM payments"); n != 1 {
			t.Errorf("%d payments", n)
		}
	})
}
