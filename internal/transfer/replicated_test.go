package transfer_test

import (
	"context"
	"strconv"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// A transfer whose rows are on the primary alone is neither accepted nor shown, to
// either side.
func TestTransferIsUnknownWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	h, ctx := newFixture(t, db), context.Background()
	from, to := h.NewCustomer(100_00), h.NewCustomer(0)
	draft := h.quote(from, to, "60")
	require.NoError(t, server.SetSynchronousStandbys("nobody"))
	for range 2 {
		if _, err := h.Accept(ctx, from, customer.Web, draft.ID); !fault.Is(err, fault.Unknown) {
			t.Errorf("accepted: %v", err)
		}
	}
	h.WantBalance(to.ID, 60_00) // it can be read
	for _, id := range []int64{from.ID, to.ID} {
		if _, err := h.ByID(ctx, id, draft.ID); !fault.Is(err, fault.Unknown) {
			t.Errorf("a receipt: %v", err)
		}
		line := int64(h.Count("SELECT id FROM transfers WHERE request_key = ?", "transfer:"+strconv.FormatInt(draft.ID, 10)))
		if _, err := h.Wallets.Operation(ctx, id, line); !fault.Is(err, fault.Unknown) {
			t.Errorf("an operation: %v", err)
		}
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	if _, err := h.Accept(ctx, from, customer.Web, draft.ID); err != nil {
		t.Errorf("with the standby: %v", err)
	}
	h.WantBalance(from.ID, 40_00)
	h.WantAudit()
}
