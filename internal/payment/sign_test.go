package payment_test

import (
	"errors"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
)

// listed waits until a payment is listed for staff with the reason of its last attempt,
// which a further one that runs does not have, and returns its line.
func (h *fixture) listed(p payment.Payment, reason string) (line payment.Unresolved) {
	h.T.Helper()
	require.Eventually(h.T, "listed with the reason "+reason, func() bool {
		list, _, err := h.Unresolved(h.T.Context())
		require.NoError(h.T, err)
		for _, line = range list {
			if line.ID == p.ID && line.Last != "" && strings.Contains(line.Last, reason) {
				return true
			}
		}
		return false
	})
	return line
}

// A payment whose row was changed is not delivered, is listed with the reason, and
// goes on when the row is as it was.
func TestManipulatedPaymentIsNotDelivered(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		p := h.pay(h.NewCustomer(1000_00), "250,50")
		databasetest.Tamper(t, db, "UPDATE payments SET identifier = '00207199610018' WHERE id = ?", p.ID)
		stop := h.deliver()
		if line := h.listed(p, "not as it was signed"); line.Unknown != 0 {
			t.Errorf("listed: %+v", line)
		}
		if n := h.biller.count(p.TxnID); n != 0 || db.UnverifiedCount() == 0 {
			t.Errorf("%d calls, %d failures counted", n, db.UnverifiedCount())
		}
		stop()
		databasetest.Tamper(t, db, "UPDATE payments SET identifier = ? WHERE id = ?", p.Identifier, p.ID)
		h.deliver()
		if got := h.awaitEnd(p); got.State != payment.Completed {
			t.Errorf("%+v", got)
		}
		h.WantAudit()
	})
}

// With a key that is not the books' nothing is delivered. With theirs it goes on, if the
// other verifies the attempts that were not made meanwhile.
func TestDeliveryWaitsForTheBooksKey(t *testing.T) {
	const another = "another-key-of-the-books-another-key-of-the-books"
	other, err := signature.ParseKeys(another)
	require.NoError(t, err)
	both, err := signature.ParseKeys(databasetest.Key + "\n" + another)
	require.NoError(t, err)
	db := databasetest.SQLite(t)
	h := newFixture(t, db, good)
	p := h.pay(h.NewCustomer(1000_00), "100")
	database.WithKeys(other, false)(db)
	stop := h.deliver()
	h.listed(p, "unknown key")
	stop()
	database.WithKeys(both, false)(db)
	h.deliver()
	if got := h.awaitEnd(p); got.State != payment.Completed || h.biller.count(p.TxnID) != 1 {
		t.Errorf("%+v", got)
	}
}

// The state of a payment is not signed: a refunded payment that is set back to
// processing is found by its second transfer.
func TestPaymentSetBackIsNotDelivered(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, refused(5))
		c := h.NewCustomer(1000_00)
		p := h.pay(c, "100")
		stop := h.deliver()
		if got := h.awaitEnd(p); got.State != payment.Refunded {
			t.Fatalf("%+v", got)
		}
		stop()
		h.biller.say(good)
		databasetest.Tamper(t, db, "UPDATE payments SET state = 'processing', ended_at = NULL, lease = 0 WHERE id = ?", p.ID)
		h.deliver()
		h.listed(p, "set back")
		if n := h.biller.count(p.TxnID); n != 1 {
			t.Errorf("%d calls", n)
		}
		h.WantBalance(c.ID, 1000_00)
	})
}

// Staff can't end a payment with amounts that it was not accepted with.
func TestManipulatedPaymentIsNotDecided(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		c := h.NewCustomer(1000_00)
		p := h.pay(c, "100")
		databasetest.Tamper(t, db, "UPDATE payments SET amount = 90000 WHERE id = ?", p.ID)
		for _, staff := range []string{"Aida", "Bakyt"} {
			done, err := h.Decide(t.Context(), payment.Decision{PaymentID: p.ID, Staff: staff, Decision: payment.Refunded, Reason: "asked", Evidence: "letter"})
			if done || !fault.Is(err, fault.Unavailable) || !errors.Is(err, signature.ErrForged) {
				t.Errorf("%s: %t, %v", staff, done, err)
			}
		}
		h.WantBalance(c.ID, 900_00)
	})
}
