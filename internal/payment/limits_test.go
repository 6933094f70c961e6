package payment_test

import (
	"context"
	"sync"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

func TestLimits(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ctx := context.Background()
		h.SetLimit("operation", "50")
		h.SetLimit("day", "80")
		h.SetLimit("month", "100")
		c := h.NewCustomer(1000_00)
		_, err := h.Quote(ctx, c, order("50,01"))
		kindIs(t, err, fault.Limit, "payment.limit_operation", "amount")
		h.pay(c, "50")

		var drafts []payment.Draft
		for range 4 {
			draft, err := h.Quote(ctx, c, order("30"))
			require.NoError(t, err)
			drafts = append(drafts, draft)
		}
		var wg sync.WaitGroup
		taken := make(chan bool, len(drafts))
		for _, draft := range drafts {
			wg.Go(func() {
				_, err := h.Accept(ctx, c, customer.Web, draft.ID)
				if err != nil && fault.As(err).Reason != "payment.limit_day" {
					t.Error(err)
				}
				taken <- err == nil
			})
		}
		wg.Wait()
		close(taken)
		n := 0
		for ok := range taken {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d payments of 30 fit into the day's last 30 som", n)
		}
		h.WantAudit()
		// Yesterday's payments count for the month only; last month's don't count.
		day := database.StoredTime(db.Now().In(customer.Bishkek).AddDate(0, 0, -1))
		sameMonth := day.In(customer.Bishkek).Month() == db.Now().In(customer.Bishkek).Month()
		databasetest.Tamper(t, db, "UPDATE accounts SET spent_on = ? WHERE id = ?", ledger.DayOf(day), c.ID)
		_, err = h.Quote(ctx, c, order("20,01"))
		if sameMonth {
			kindIs(t, err, fault.Limit, "payment.limit_month", "amount")
		} else {
			require.NoError(t, err)
		}
	})
}

// A refund is never limited and restores the limits.
func TestRefundRestoresLimits(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t), refused(5))
	ctx := context.Background()
	h.SetLimit("balance", "0.01")
	h.SetLimit("day", "50")
	c := h.NewCustomer(50_00)
	p := h.pay(c, "50")
	h.deliver()
	if got := h.awaitEnd(p); got.State != payment.Refunded || payment.RefusalKey(got.Result) == "" {
		t.Fatalf("%+v", got)
	}
	h.WantBalance(c.ID, 50_00)
	if _, err := h.Quote(ctx, c, order("50")); err != nil {
		t.Fatal(err)
	}
	h.WantAudit()
}

// A limit of one operation that was lowered since the check page.
func TestAcceptSeesALowerLimit(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t), good)
	ctx := context.Background()
	c := h.NewCustomer(50_00)
	draft, err := h.Quote(ctx, c, order("50"))
	require.NoError(t, err)
	h.SetLimit("operation", "49.99")
	_, err = h.Accept(ctx, c, customer.Web, draft.ID)
	kindIs(t, err, fault.Limit, "payment.limit_operation", "amount")
	h.WantBalance(c.ID, 50_00)
}

// A payment of yesterday that is refunded today gives nothing back to today, and a
// decision by staff gives back what the books have.
func TestRefundOfAnotherDay(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, refused(5))
		c := h.NewCustomer(100_00)
		first := h.pay(c, "30")
		spent := func() ledger.Spent {
			t.Helper()
			state, err := h.Ledger.State(context.Background(), c.ID)
			require.NoError(t, err)
			return state.Spent
		}
		want := spent()
		// As if there was another payment on the next day, of 10 som.
		want.On++
		databasetest.Tamper(t, db, "UPDATE accounts SET spent_on = spent_on + 1, spent_day = 1000 WHERE id = ?", c.ID)
		h.deliver()
		if got := h.awaitEnd(first); got.State != payment.Refunded {
			t.Fatalf("%+v", got)
		}
		want.Day, want.Month = 10_00, 0
		if got := spent(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}
