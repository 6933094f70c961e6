package payment_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

// A customer with forty slow payments gets a quarter of a biller's slots over all
// processes: another customer's payment is delivered at once.
func TestOneCustomerLeavesSlotsToOthers(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(*payment.Timing) {})
		other := newFixtureWith(t, db, f, func(*payment.Timing) {})
		c := h.NewCustomer(1000_00)
		var paid []payment.Payment
		for range 40 {
			paid = append(paid, h.pay(c, "1"))
		}
		h.deliver()
		other.deliver()
		require.Eventually(t, "three calls", func() bool { return f.under() == 3 })
		time.Sleep(700 * time.Millisecond) // time for a fourth, in either process
		if n := f.under(); n != 3 {
			t.Errorf("%d calls of one customer at once", n)
		}
		for _, process := range []*fixture{h, other} {
			p := process.pay(process.NewCustomer(1_00), "1")
			require.Eventually(t, "another's payment is delivered", func() bool { return f.count(p.TxnID) == 1 })
			paid = append(paid, p)
		}
		f.release()
		for _, p := range paid {
			h.awaitEnd(p)
		}
		h.WantAudit()
	})
}

// An acquisition waits for one of another process that has not committed yet, so
// that each counts the other's deliveries.
func TestAcquisitionsAreSerialized(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ctx := context.Background()
		worker := h.Worker("dostek")
		_, err := worker.Acquire(ctx, 1) // makes the slots
		require.NoError(t, err)
		c := h.NewCustomer(1000_00)
		for range 40 {
			h.pay(c, "1")
		}
		acquired := make(chan int, 1)
		require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			if tx.Dialect() == database.Postgres {
				if err := tx.Gorm().Exec("SELECT 1 FROM biller_slots WHERE biller = 'dostek' AND slot = 0 FOR UPDATE").Error; err != nil {
					return err
				}
			}
			leased := tx.Gorm().Exec("UPDATE payments SET lease = 1, leased_until = ? WHERE id IN (SELECT id FROM payments ORDER BY due_at LIMIT 3)",
				database.StoredTime(tx.Now().Add(30*time.Second)))
			if leased.Error != nil || leased.RowsAffected != 3 {
				t.Errorf("%d deliveries, %v", leased.RowsAffected, leased.Error)
				return leased.Error
			}
			go func() {
				messages, err := worker.Acquire(context.WithoutCancel(ctx), 12)
				if err != nil {
					t.Error(err)
				}
				acquired <- len(messages)
			}()
			time.Sleep(300 * time.Millisecond) // time to acquire regardless
			return nil
		}))
		if n := <-acquired; n != 0 {
			t.Errorf("%d deliveries above the customer's share", n)
		}
	})
}
