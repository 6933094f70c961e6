package audit

import "elsom/internal/database"

// decidedRefunds are the refunds on the ground that staff decided.
const decidedRefunds = `
SELECT p.id FROM payments p WHERE p.state = 'refunded' AND p.refund_ground = 'decided' AND p.id > ? ORDER BY p.id LIMIT ?`

// readDecidedRefunds returns the ids of such payments after one.
func readDecidedRefunds(tx *database.Tx, w *window, after int64, limit int) (ids []int64, err error) {
	err = tx.Gorm().Raw(w.narrowQuery(decidedRefunds, "payments"), after, limit).Scan(&ids).Error
	return ids, err
}

// decisionRow is a decision to refund a payment; its id is 0 where it is missing.
type decisionRow struct {
	ID    int64
	Staff string
}

func readDecisions(tx *database.Tx, payment int64, limit int) (rows []decisionRow, err error) {
	err = tx.Gorm().Raw(`SELECT COALESCE(id, 0) AS id, staff FROM payment_decisions WHERE payment_id = ? AND decision = 'refund'
		ORDER BY made_at, staff LIMIT ?`, payment, limit).Scan(&rows).Error
	return rows, err
}
