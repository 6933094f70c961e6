package payment_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func TestDecideTakesTwoPeople(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		clock := &testkit.Clock{}
		clock.Option()(db)
		h := newFixture(t, db, silence)
		c := h.NewCustomer(100_00)
		p := h.pay(c, "100")
		ctx := context.Background()
		decision := payment.Decision{PaymentID: p.ID, Staff: "Aigul", Decision: payment.Completed, Reason: "DosTek: booked"}
		_, err := h.Decide(ctx, decision)
		kindIs(t, err, fault.Conflict, "payment.evidence_needed", "")
		clock.Advance(25 * time.Hour)
		done, err := h.Decide(ctx, decision)
		if err != nil || done {
			t.Fatalf("the first decision: %v, %v", done, err)
		}
		decision.Staff = " aigul "
		_, err = h.Decide(ctx, decision)
		kindIs(t, err, fault.Conflict, "payment.decided_twice", "")
		decision.Staff = "bakyt"
		if done, err = h.Decide(ctx, decision); err != nil || !done {
			t.Fatalf("the second decision: %v, %v", done, err)
		}
		got := h.awaitEnd(p)
		if got.State != payment.Completed {
			t.Fatalf("%+v", got)
		}
		_, err = h.Decide(ctx, decision)
		kindIs(t, err, fault.Conflict, "payment.not_hanging", "")
		h.WantAudit()
	})
}

// A payment that is still repeated is decided with evidence of the biller's answer,
// given by each of the two people.
func TestDecideWithEvidence(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, silence)
		c := h.NewCustomer(100_00)
		p := h.pay(c, "100")
		ctx := context.Background()
		first := payment.Decision{
			PaymentID: p.ID, Staff: "Aigul", Decision: payment.Refunded, Reason: "asked DosTek", Evidence: " letter  417: never seen ",
		}
		if done, err := h.Decide(ctx, first); err != nil || done {
			t.Fatalf("the first decision: %v, %v", done, err)
		}
		second := first
		second.Staff, second.Evidence = "bakyt", ""
		_, err := h.Decide(ctx, second)
		kindIs(t, err, fault.Conflict, "payment.evidence_needed", "")
		second.Evidence = strings.Repeat("ы", 301)
		_, err = h.Decide(ctx, second)
		kindIs(t, err, fault.Invalid, "payment.decide_invalid", "")
		second.Evidence = "letter 417"
		if done, err := h.Decide(ctx, second); err != nil || !done {
			t.Fatalf("the second decision: %v, %v", done, err)
		}
		if got := h.awaitEnd(p); got.State != payment.Refunded {
			t.Fatalf("%+v", got)
		}
		h.WantBalance(c.ID, 100_00)
		var evidence []string
		require.NoError(t, db.Gorm(ctx).Raw("SELECT evidence FROM payment_decisions ORDER BY staff").Scan(&evidence).Error)
		if !slices.Equal(evidence, []string{"letter 417: never seen", "letter 417"}) {
			t.Errorf("%q", evidence)
		}
		h.WantAudit()
	})
}

// Two spellings of a name are one person, also where an older release stored both.
func TestSpellingsOfOnePersonCountOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixtureWith(t, db, newFake(silence), func(timing *payment.Timing) { timing.Unresolved = 0 })
		p := h.pay(h.NewCustomer(100_00), "100")
		ctx := context.Background()
		decision := payment.Decision{PaymentID: p.ID, Staff: "оса", Decision: payment.Refunded, Reason: "asked"}
		if done, err := h.Decide(ctx, decision); err != nil || done {
			t.Fatalf("the first decision: %v, %v", done, err)
		}
		for _, same := range []string{"oca", "ОСА", "o.c.a."} {
			decision.Staff = same
			_, err := h.Decide(ctx, decision)
			kindIs(t, err, fault.Conflict, "payment.decided_twice", "")
		}
		for _, refused := range []string{"оca", "о\u200bса", "", " "} {
			decision.Staff = refused
			_, err := h.Decide(ctx, decision)
			kindIs(t, err, fault.Invalid, "", "")
		}
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed VALUES (1)")
		require.NoError(t, db.Gorm(ctx).Exec(`INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, made_at)
			VALUES (?, ?, 'oca', 'refund', 'asked', ?)`, db.NewID(), p.ID, db.Now()).Error)
		decision.Staff = "оса"
		_, err := h.Decide(ctx, decision)
		kindIs(t, err, fault.Conflict, "payment.decided_twice", "")
		decision.Staff = "bakyt"
		if done, err := h.Decide(ctx, decision); err != nil || !done {
			t.Fatalf("another person: %v, %v", done, err)
		}
		h.awaitEnd(p)
		h.WantAudit()
	})
}
