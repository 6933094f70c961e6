package payment_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

// A payment whose rows are on the primary alone is neither accepted nor shown, and
// its biller is not called: a failover would lose the attempt.
func TestPaymentIsUnknownWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	h, ctx := newFixture(t, db, good), context.Background()
	c := h.NewCustomer(1000_00)
	draft, err := h.Quote(ctx, c, order("250"))
	require.NoError(t, err)
	require.NoError(t, server.SetSynchronousStandbys("nobody"))
	unknown := func(what string, err error) {
		t.Helper()
		if !fault.Is(err, fault.Unknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range 2 {
		_, err = h.Ledger.Account(ctx, ledger.Transit, draft.Biller)
		unknown("an account", err)
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	_, err = h.Ledger.Account(ctx, ledger.Transit, draft.Biller)
	require.NoError(t, err)
	require.NoError(t, server.SetSynchronousStandbys("nobody"))
	for range 2 {
		_, err = h.Accept(ctx, c, customer.Web, draft.ID)
		unknown("accepted", err)
	}
	if h.Count("SELECT COUNT(*) FROM payments") != 1 {
		t.Fatal("the payment can't be read: nothing was tried")
	}
	_, err = h.ByID(ctx, c.ID, draft.ID)
	unknown("a receipt", err)
	_, err = h.Await(ctx, c.ID, draft.ID, time.Second)
	unknown("a receipt that waits", err)

	stop := h.deliver()
	require.Eventually(t, "an attempt stands on the primary", func() bool { return h.Count("SELECT COUNT(*) FROM payment_attempts") > 0 })
	time.Sleep(2 * time.Second)
	if n := h.biller.count(draft.TxnID); n != 0 {
		t.Errorf("the biller was called %d times for an attempt that can be lost", n)
	}
	stop()
	require.NoError(t, server.SetSynchronousStandbys(""))
	if _, err := h.Accept(ctx, c, customer.Web, draft.ID); err != nil {
		t.Errorf("with the standby: %v", err)
	}
	h.WantBalance(c.ID, 750_00)
}

// Slots whose rows are on the primary alone are inserted again: after a failover
// the biller would never be called.
func TestSlotsAreRecreatedAfterFailover(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	h, ctx := newFixture(t, db, good), context.Background()
	claim := h.Worker("dostek").Acquire
	require.NoError(t, server.SetSynchronousStandbys("nobody"))
	for range 2 {
		if _, err := claim(ctx, 1); !fault.Is(err, fault.Unknown) {
			t.Errorf("claimed: %v", err)
		}
	}
	if h.Count("SELECT COUNT(*) FROM biller_slots") == 0 {
		t.Fatal("the slots can't be read: nothing was tried")
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	require.NoError(t, databasetest.Owner(t, db).Gorm(ctx).Exec("DELETE FROM biller_slots").Error) // as the standby never had them
	_, err := claim(ctx, 1)
	require.NoError(t, err)
	if h.Count("SELECT COUNT(*) FROM biller_slots") == 0 {
		t.Error("the slots are not made again")
	}
}

// The end of a payment is not shown while it is on the primary alone.
func TestEndIsUnknownWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	f := newFake(good).holding()
	h, ctx := newFixtureWith(t, db, f, func(*payment.Timing) {}), context.Background()
	c := h.NewCustomer(1000_00)
	paid := h.pay(c, "250")
	h.deliver()
	require.Eventually(t, "the biller is called", func() bool { return f.count(paid.TxnID) == 1 })
	if _, err := h.ByID(ctx, c.ID, paid.ID); err != nil {
		t.Errorf("the receipt of what was acknowledged: %v", err)
	}
	for _, kind := range []ledger.AccountType{ledger.Payable, ledger.Fees} {
		_, err := h.Ledger.Account(ctx, kind, paid.Biller)
		require.NoError(t, err)
	}
	require.NoError(t, server.SetSynchronousStandbys("nobody"))
	f.release()
	require.Eventually(t, "the end stands on the primary", func() bool { return h.Count("SELECT COUNT(*) FROM payments WHERE state = 'completed'") == 1 })
	if p, err := h.ByID(ctx, c.ID, paid.ID); !fault.Is(err, fault.Unknown) {
		t.Errorf("the receipt has %s, %v", p.State, err)
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	if p := h.awaitEnd(paid); p.State != payment.Completed {
		t.Errorf("it is %s", p.State)
	}
	h.WantAudit()
}
