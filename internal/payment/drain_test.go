package payment_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

// addFormer adds a message as the previous release does.
func (h *fixture) addFormer(queue, key string) {
	h.t.Helper()
	require.NoError(h.t, h.DB.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		return outbox.Add(ctx, tx, outbox.Message{Queue: queue, Key: key, Payload: map[string]int64{"payment": 1}})
	}))
}

// payFormer accepts a payment as the previous release does.
func (h *fixture) payFormer() payment.Payment {
	h.t.Helper()
	p := h.payEach(1)[0]
	h.exec("UPDATE payments SET due_at = NULL WHERE id = ?", p.ID)
	h.addFormer("biller:dostek", fmt.Sprint(p.ID))
	return p
}

func (h *fixture) drain(want int) {
	h.t.Helper()
	if n, err := h.Drain(context.Background()); n != want || err != nil {
		h.t.Fatalf("%d messages moved, not %d, %v", n, want, err)
	}
}

// Payments of the previous release are delivered once, when no worker of that release has
// their messages.
func TestDeliveriesOfThePreviousRelease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		waiting, leased := h.payFormer(), h.payFormer()
		h.WantAudit()
		h.exec("UPDATE promises SET lease = 1, due_at = ? WHERE key = ?", database.StoredTime(db.Now().Add(time.Hour)), fmt.Sprint(leased.ID))
		h.drain(1)
		h.drain(0)
		h.deliver()
		h.awaitEnd(waiting)
		if n := h.biller.count(leased.TxnID); n != 0 {
			t.Fatalf("%d calls of a delivery that another worker has", n)
		}
		h.exec("UPDATE promises SET due_at = ? WHERE state = 'open'", db.Now()) // its lease expires
		h.awaitEnd(leased)
		for _, p := range []payment.Payment{waiting, leased} {
			if n := h.biller.count(p.TxnID); n != 1 {
				t.Errorf("%d calls", n)
			}
		}
		if n := h.Count("SELECT COUNT(*) FROM promises WHERE state <> 'kept'"); n != 0 {
			t.Errorf("%d messages are open", n)
		}
		h.WantAudit()
	})
}

// Messages are not signed: one that names no payment, an ended one, or one of another
// biller or of this release changes nothing.
func TestFormerDeliveryOfAPaymentOfThisRelease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ended, p := h.payEach(1)[0], h.payEach(1)[0]
		h.exec("UPDATE payments SET due_at = ? WHERE id = ?", database.StoredTime(db.Now().Add(time.Hour)), p.ID)
		stop := h.deliver()
		h.awaitEnd(ended)
		stop()
		before := h.Count("SELECT COUNT(*) FROM payments WHERE due_at <= ?", db.Now())
		for _, key := range []string{"x", "1", fmt.Sprint(ended.ID), fmt.Sprint(p.ID)} {
			h.addFormer("biller:hoster", key)
		}
		h.drain(4)
		h.drain(0)
		if n := h.Count("SELECT COUNT(*) FROM payments WHERE due_at <= ?", db.Now()); n != before {
			t.Errorf("%d payments are due or were, not %d", n, before)
		}
		h.WantAudit()
	})
}
