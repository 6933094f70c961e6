package payment_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
)

// exec runs a statement as the program's role.
func (h *fixture) exec(statement string, args ...any) {
	h.t.Helper()
	require.NoError(h.t, h.DB.Gorm(context.Background()).Exec(statement, args...).Error)
}

// lost acquires the deliveries of n payments and makes no calls, as a process that is
// killed.
func (h *fixture) lost(n int) {
	h.t.Helper()
	killed := newFixtureWith(h.t, h.DB, h.biller, func(*payment.Timing) {})
	messages, err := killed.Worker("dostek").Acquire(context.Background(), n)
	require.NoError(h.t, err)
	if len(messages) != n {
		h.t.Fatalf("%d deliveries of %d", len(messages), n)
	}
	databasetest.Tamper(h.t, h.DB, "UPDATE biller_slots SET lease = 0, until = ?", h.DB.Now().Add(-time.Hour))
	databasetest.Tamper(h.t, h.DB, "UPDATE payments SET lease = 0")
}

// wantUndelivered requires that a payment is listed for a reason, was not called and is
// still in transit.
func (h *fixture) wantUndelivered(t *testing.T, p payment.Payment, calls int, reason string) {
	t.Helper()
	h.listed(p, reason)
	if n := h.biller.count(p.TxnID); n != calls {
		t.Errorf("%d calls", n)
	}
	h.WantBalance(p.CustomerID, 0)
}

// Attempts whose outcomes are unknown, because their process was killed, get forged
// outcomes, or are removed, which only the owner of the tables can do: the biller's refusal
// of the next call, as a duplicate, must not refund.
func TestForgedAttemptIsNotDelivered(t *testing.T) {
	cases := []struct{ name, forge, reason string }{
		{"a refusal", "UPDATE payment_attempts SET outcome = 'refused', result = 5, ended_at = started_at WHERE number = 1", "not as it was signed"},
		{"a call that was not made", "UPDATE payment_attempts SET outcome = 'unsent', result = -1, ended_at = started_at WHERE number = 1", "not as it was signed"},
		{"without the time of its end", "UPDATE payment_attempts SET outcome = 'refused' WHERE number = 1", "not as it was signed"},
		{"under an unknown key", "UPDATE payment_attempts SET outcome = 'refused', key_id = '01234567' WHERE number = 1", "unknown key"},
		{"unsigned", "UPDATE payment_attempts SET outcome = 'refused', mac = NULL, key_id = '' WHERE number = 1", "not signed"},
		{"deleted", "DELETE FROM payment_attempts WHERE number = 1", "missing"},
		{"moved", "UPDATE payment_attempts SET payment_id = 1 WHERE number = 1", "missing"},
		{"renumbered", "UPDATE payment_attempts SET number = 5 WHERE number = 2", "not as it was signed"},
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, refused(300))
		h.trust(false)
		paid := make([]payment.Payment, len(cases))
		for i := range cases {
			paid[i] = h.pay(h.NewCustomer(100_00), "100")
		}
		h.lost(len(cases))
		h.lost(len(cases))
		for i, c := range cases {
			if statement, id := c.forge+" AND payment_id = ?", paid[i].ID; i < 4 { // as the program's role
				h.exec(statement, id)
			} else {
				databasetest.Tamper(t, db, statement, id)
			}
		}
		h.deliver()
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) { h.wantUndelivered(t, paid[i], 0, c.reason) })
		}
		if line := h.listed(paid[0], cases[0].reason); line.Unknown != 2 {
			t.Errorf("%d attempts count as unknown", line.Unknown)
		}
		shown, err := h.Show(t.Context(), paid[0].Code)
		require.NoError(t, err)
		if a := shown.Attempts[0]; a.Outcome != "unverified" || !strings.Contains(a.Remark, "stored as refused") {
			t.Errorf("shown: %+v", a)
		}
		if db.UnverifiedCount() == 0 {
			t.Error("not counted")
		}
	})
}

// forging is a biller during whose call its attempt gets a forged refusal.
type forging struct {
	*fake
	forge func()
}

func (f forging) Pay(ctx context.Context, r biller.Request) biller.Answer {
	f.forge()
	return f.fake.Pay(ctx, r)
}

// An outcome that is written while the call runs is not the program's: a refusal then
// doesn't refund, and the payment is listed. A good answer still settles.
func TestForgedOutcomeOfARunningCall(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, refused(300))
		h.trust(false)
		h.wire = func(catalog.Biller) biller.Biller {
			return forging{h.biller, func() {
				h.exec("UPDATE payment_attempts SET outcome = 'refused', result = 300, ended_at = started_at WHERE outcome IS NULL")
			}}
		}
		p := h.pay(h.NewCustomer(100_00), "100")
		stop := h.deliver()
		h.wantUndelivered(t, p, 1, "not as it was signed")
		stop()

		h.biller.say(good)
		booked := h.pay(h.NewCustomer(100_00), "100")
		h.deliver()
		if got := h.awaitEnd(booked); got.State != payment.Completed {
			t.Errorf("%+v", got)
		}
		h.wantUndelivered(t, p, 1, "not as it was signed")
	})
}

// An attempt that called another biller, which may have booked it.
func TestAttemptOfAnotherBillerIsUnknown(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		p := h.pay(h.NewCustomer(100_00), "100")
		h.lost(1)
		var a payment.SignedAttempt
		require.NoError(t, db.Gorm(t.Context()).Raw("SELECT id, payment_id, number, started_at FROM payment_attempts").Scan(&a).Error)
		a.Biller = "hoster"
		mac, keyID := databasetest.Keys().Sign(a.Record())
		databasetest.Tamper(t, db, "UPDATE payment_attempts SET biller = 'hoster', mac = ?, key_id = ?", mac, keyID)
		h.deliver()
		h.wantUndelivered(t, p, 0, "another biller")
	})
}

// Attempts of the previous release are not signed: they count while unsigned rows are
// permitted.
func TestUnsignedAttemptsCountWhilePermitted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		h := newFixture(t, db, refused(5))
		h.trust(false)
		const unsent = "INSERT INTO payment_attempts (payment_id, id, started_at, number, ended_at, outcome, result) SELECT id AS payment_id, id, accepted_at, 1, accepted_at, 'unsent', -1 FROM payments WHERE id = ?"
		p := h.pay(h.NewCustomer(100_00), "100")
		h.exec(unsent, p.ID)
		stop := h.deliver()
		if got := h.awaitEnd(p); got.State != payment.Refunded {
			t.Errorf("%+v", got)
		}
		stop()
		database.WithKeys(databasetest.Keys(), true)(db)
		p = h.pay(h.NewCustomer(100_00), "100")
		h.exec(unsent, p.ID)
		h.deliver()
		h.wantUndelivered(t, p, 0, "not signed")
	})
}

// Each attempt is queued for the log twice: when it is inserted, and with its outcome.
func TestAttemptsAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, later, refused(5))
		h.trust(false)
		p := h.pay(h.NewCustomer(100_00), "100")
		h.lost(1)
		if n := databasetest.Queued(t, db, signature.Attempt); n != 1 {
			t.Errorf("%d records of a running attempt", n)
		}
		stop := h.deliver()
		require.Eventually(t, "two answers", func() bool { return h.biller.count(p.TxnID) >= 2 })
		h.listed(p, "")
		stop()
		all, ended := h.Count("SELECT COUNT(*) FROM payment_attempts"), h.Count("SELECT COUNT(*) FROM payment_attempts WHERE outcome IS NOT NULL")
		if n := databasetest.Queued(t, db, signature.Attempt); n != all+ended {
			t.Errorf("%d records of %d attempts, %d of which ended", n, all, ended)
		}
		databasetest.WantSigned(t, db, "payment_attempts", all)
		h.WantAudit()
	})
}

// A payment is delivered only with its money: the first transfer must be there, with its
// amounts and accounts, as it was signed.
func TestPaymentWithoutItsMoneyIsNotDelivered(t *testing.T) {
	cases := []struct{ name, forge, reason string }{
		{"missing", "UPDATE transfers SET request_key = 'x' WHERE id = ?", "don't have its first transfer"},
		{"of another operation", "UPDATE transfers SET act = 'payment.refund' WHERE id = ?", "other amounts"},
		{"of another payment", "UPDATE transfers SET subject_id = 1 WHERE id = ?", "other amounts"},
		{"a smaller amount", "UPDATE entries SET amount = amount / 100 WHERE transfer_id = ?", "other amounts"},
		{"from another wallet", "UPDATE entries SET account_id = 1 WHERE amount < 0 AND transfer_id = ?", "other amounts"},
		{"to another account", "UPDATE entries SET account_id = 1 WHERE amount > 0 AND transfer_id = ?", "other amounts"},
		{"to another biller", "UPDATE entries SET account_id = 2 WHERE amount > 0 AND transfer_id = ?", "other amounts"},
		{"another line", "INSERT INTO entries SELECT transfer_id, 2, 1, 1 FROM entries WHERE line = 0 AND transfer_id = ?", "other amounts"},
		{"of another request", "UPDATE transfers SET request_hash = 'x' WHERE id = ?", "not as it was signed"},
		{"unsigned", "UPDATE transfers SET mac = NULL, key_id = '' WHERE id = ?", "not signed"},
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		databasetest.Tamper(t, db, "INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (2, 'transit', 'hoster', 'KGS', 0, ?)", db.Now())
		paid := make([]payment.Payment, len(cases))
		for i, c := range cases {
			paid[i] = h.pay(h.NewCustomer(100_00), "100")
			var transfer int64
			require.NoError(t, db.Gorm(t.Context()).Raw("SELECT id FROM transfers WHERE request_key = ?", payment.AcceptKey(paid[i].ID)).Scan(&transfer).Error)
			databasetest.Tamper(t, db, c.forge, transfer)
		}
		h.deliver()
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				h.wantUndelivered(t, paid[i], 0, c.reason)
				done, err := h.Decide(t.Context(), payment.Decision{PaymentID: paid[i].ID, Staff: "Aida", Decision: payment.Refunded, Reason: "asked", Evidence: "letter"})
				if done || !fault.Is(err, fault.Unavailable) {
					t.Errorf("decided: %t, %v", done, err)
				}
			})
		}
	})
}
