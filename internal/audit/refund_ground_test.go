package audit_test

import (
	"context"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// A refund on any valid ground is no violation.
func TestCorrectRefunds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		for id, ground := range map[int64]string{15: "refused", 16: "decided", 17: "stored", 18: ""} {
			b.refund(b.accept(id, aizada, 1_00, 0), aizada, 1_00)
			databasetest.Tamper(t, db, "UPDATE payments SET refund_ground = ? WHERE id = ?", ground, id)
		}
		for n, a := range []struct {
			payment int64
			outcome string
		}{{15, "unsent"}, {15, "refused"}, {16, "later"}, {16, "refused"}, {17, "unknown"}, {17, "refused"}} {
			b.exec("INSERT INTO payment_attempts (id, payment_id, number, started_at, outcome) VALUES (?, ?, ?, ?, ?)", n, a.payment, n%2+1, db.Now(), a.outcome)
		}
		for _, staff := range []string{"aigul", "bakyt"} {
			b.exec("INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, made_at) VALUES (?, 16, ?, 'refund', 'never seen', ?)", db.NewID(), staff, db.Now())
		}
		proof, err := audit.Run(context.Background(), db, audit.Outside{})
		if err != nil {
			t.Fatal(err)
		}
		if !proof.OK() {
			t.Errorf("%q", proof.Violations)
		}
	})
}
