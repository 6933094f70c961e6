package payment

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"elsom/internal/biller"
	"elsom/internal/database"
)

// truncated returns the first limit characters of a biller's text, in a form that
// both databases store: valid UTF-8 without NUL.
func truncated(text string, limit int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit])
}

func markForReview(tx *database.Tx, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	these, list := database.InList(tx.Dialect(), ids)
	return tx.Gorm().Exec("UPDATE payments SET asked_at = ? WHERE id "+these+" AND asked_at IS NULL AND state = 'processing'", tx.Now(), list).Error
}

func insertClaim(tx *database.Tx, id int64, reference string) error {
	c := SignedClaim{PaymentID: id, Reference: truncated(reference, biller.ReferenceLength), MadeAt: tx.Now()}
	record := c.Record()
	//mutant:replace tx.MAC(record) => []byte(nil), "" TestGoodAfterRefundIsAClaim
	mac, keyID := tx.MAC(record)
	result := tx.Gorm().Exec("INSERT INTO payment_claims (payment_id, reference, made_at, mac, key_id) VALUES (?,?,?,?,?) ON CONFLICT (payment_id) DO NOTHING",
		c.PaymentID, c.Reference, c.MadeAt, mac, keyID)
	if result.Error == nil && result.RowsAffected == 1 {
		tx.Queue(record, mac)
	}
	return result.Error
}

func insertDecision(tx *database.Tx, d Decision) error {
	signed := SignedDecision{
		ID: tx.NewID(), PaymentID: d.PaymentID, Staff: d.Staff, Decision: decisionWord(d.Decision), Reason: d.Reason, Evidence: d.Evidence, MadeAt: d.MadeAt,
	}
	mac, keyID := tx.Sign(signed.Record())
	return tx.Gorm().Exec("INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, evidence, made_at, mac, key_id) VALUES (?,?,?,?,?,?,?,?,?)",
		signed.ID, signed.PaymentID, signed.Staff, signed.Decision, signed.Reason, signed.Evidence, signed.MadeAt, mac, keyID).Error
}

// storedDecision is a decision with its signature.
type storedDecision struct {
	SignedDecision `gorm:"embedded"`
	MAC            []byte `gorm:"column:mac"`
	KeyID          string
}

func (d storedDecision) decision() Decision {
	decided := Decision{
		PaymentID: d.PaymentID, Staff: d.Staff, Decision: Refunded, Reason: d.Reason, Evidence: d.Evidence, MadeAt: d.MadeAt.UTC(),
	}
	if d.Decision == decisionWord(Completed) {
		decided.Decision = Completed
	}
	return decided
}

// decisionsOf returns the decisions about a payment, oldest first. One that is not as it
// was signed doesn't count and is left out; Verify reports it.
func decisionsOf(ctx context.Context, tx *database.Tx, id int64) ([]Decision, error) {
	rows, err := readDecisionRows(tx.Gorm(), []int64{id})
	var list []Decision
	for _, r := range rows {
		//mutant:replace tx.Verify(ctx, r.Record(), r.MAC, r.KeyID) == nil => true TestForgedDecisionDoesNotCount
		if tx.Verify(ctx, r.Record(), r.MAC, r.KeyID) == nil {
			list = append(list, r.decision())
		}
	}
	return list, err
}

func readDecisionRows(g *gorm.DB, ids []int64) (rows []storedDecision, err error) {
	err = g.Raw(`SELECT COALESCE(id, 0) AS id, payment_id, staff, decision, reason, evidence, made_at, mac, key_id FROM payment_decisions
		WHERE payment_id IN ? ORDER BY payment_id, made_at, staff`, ids).Scan(&rows).Error
	return rows, err
}

func decisionWord(s State) string {
	if s == Completed {
		return "complete"
	}
	return "refund"
}

// maxListed is the length of the lists for staff.
const maxListed = 1000

const unresolved = "state = 'processing' AND (asked_at IS NOT NULL OR accepted_at < ?)"

// readUnresolved returns the oldest unresolved payments, and the total number.
func readUnresolved(ctx context.Context, db *database.DB, before time.Time) (list []Unresolved, all int, err error) {
	if err := db.Gorm(ctx).Raw("SELECT COUNT(*) FROM payments WHERE "+unresolved, before).Scan(&all).Error; err != nil {
		return nil, 0, err
	}
	found, err := payments(db.Gorm(ctx), unresolved+" ORDER BY accepted_at, id LIMIT ?", before, maxListed)
	if err != nil || len(found) == 0 {
		return nil, all, err
	}
	list = make([]Unresolved, len(found))
	ids, of := make([]int64, len(found)), map[int64]*Unresolved{}
	for i, p := range found {
		list[i].Payment = p
		ids[i], of[p.ID] = p.ID, &list[i]
	}
	if err := addAttempts(ctx, db, ids, of); err != nil {
		return nil, 0, err
	}
	return list, all, readDecisions(ctx, db, ids, of)
}

func addAttempts(ctx context.Context, db *database.DB, ids []int64, of map[int64]*Unresolved) error {
	attempts, err := readAttemptRows(db.Gorm(ctx), db.Dialect(), ids)
	for id, list := range attempts {
		h := of[id]
		for _, a := range list {
			a.markUnverified(db.Verify(ctx, a.Record(), a.MAC, a.KeyID))
			h.Attempts = a.Number
			if a.mayBeBooked() {
				h.Unknown++
			}
			h.Last = a.summary()
		}
	}
	return err
}

func readDecisions(ctx context.Context, db *database.DB, ids []int64, of map[int64]*Unresolved) error {
	list, err := decisions(ctx, db, ids)
	for _, d := range list {
		of[d.PaymentID].Decisions = append(of[d.PaymentID].Decisions, d)
	}
	return err
}

// decisions returns the decisions about payments as they are stored, oldest first.
func decisions(ctx context.Context, db *database.DB, ids []int64) ([]Decision, error) {
	rows, err := readDecisionRows(db.Gorm(ctx), ids)
	list := make([]Decision, len(rows))
	for i, r := range rows {
		list[i] = r.decision()
	}
	return list, err
}

// readClaims returns the oldest claims, and the total number.
func readClaims(ctx context.Context, db *database.DB) (claims []Claim, all int, err error) {
	if err := db.Gorm(ctx).Raw("SELECT COUNT(*) FROM payment_claims").Scan(&all).Error; err != nil {
		return nil, 0, err
	}
	var rows []struct {
		PaymentID int64
		Reference string
	}
	err = db.Gorm(ctx).Raw("SELECT payment_id, reference FROM payment_claims ORDER BY made_at, payment_id LIMIT ?", maxListed).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, all, err
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.PaymentID
	}
	found, err := byID(payments(db.Gorm(ctx), "id IN ?", ids))
	if err != nil {
		return nil, 0, err
	}
	claims = make([]Claim, len(rows))
	for i, r := range rows {
		claims[i] = Claim{found[r.PaymentID], r.Reference}
	}
	return claims, all, nil
}
