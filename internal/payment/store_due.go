package payment

import (
	"context"
	"time"

	"elsom/internal/billerslot"
	"elsom/internal/database"
)

// leased is a payment that a worker has acquired for a delivery.
type leased struct {
	ID         int64
	CustomerID int64
	// Lease identifies the lease; each acquisition draws another.
	Lease int64 `gorm:"-"`
}

// due is true of payments that may be acquired: due, and not leased.
const due = "biller = ? AND state = 'processing' AND due_at <= ? AND (lease = 0 OR leased_until <= ?)"

// acquireDue leases up to n due payments of a biller. A lease changes no indexed column.
func acquireDue(tx *database.Tx, billerCode string, n int, duration time.Duration) ([]leased, error) {
	isPicked := "IN (SELECT id FROM picked)"
	if tx.Dialect() == database.Postgres {
		// Looks up the ids, as in the outbox, whatever the statistics.
		isPicked = "= ANY (ARRAY(SELECT id FROM picked))"
	}
	var rows []leased
	now, token := tx.Now(), tx.NewID()
	//mutant:replace +tx.ForUpdateSkipLocked()+`) => +`) TestPaymentIsAcquiredOnce
	err := tx.Gorm().Raw(`WITH picked AS MATERIALIZED (SELECT id FROM payments
			WHERE `+due+` ORDER BY due_at LIMIT ?`+tx.ForUpdateSkipLocked()+`)
		UPDATE payments SET lease = ?, leased_until = ? WHERE id `+isPicked+`
		RETURNING id, customer_id`,
		billerCode, now, now, n, token, database.StoredTime(now.Add(duration))).Scan(&rows).Error
	for i := range rows {
		rows[i].Lease = token
	}
	return rows, err
}

// leasedWindow is how many of a biller's payments countLeased looks at, those that have
// been due for longest. They are acquired in that order, so that all leased ones are among
// them: there are never more than this.
const leasedWindow = 2 * billerslot.Size * billerslot.MaxDepth

// countLeased counts a biller's leased payments by customer, over all processes.
func countLeased(tx *database.Tx, billerCode string) (map[int64]int, error) {
	var rows []struct {
		CustomerID int64
		Count      int
	}
	now := tx.Now()
	err := tx.Gorm().Raw(`SELECT customer_id, COUNT(*) AS count FROM
			(SELECT customer_id, lease, leased_until FROM payments WHERE biller = ? AND state = 'processing' AND due_at <= ? ORDER BY due_at LIMIT ?) oldest
		WHERE lease <> 0 AND leased_until > ? GROUP BY customer_id`, billerCode, now, leasedWindow, now).Scan(&rows).Error
	count := make(map[int64]int, len(rows))
	for _, r := range rows {
		count[r.CustomerID] = r.Count
	}
	return count, err
}

// countDue counts a biller's due payments up to limit. It takes no locks.
func (ps *Payments) countDue(ctx context.Context, billerCode string, limit int) (n int, err error) {
	now := ps.db.Now()
	err = ps.db.Gorm(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM payments WHERE "+due+" LIMIT ?) due", billerCode, now, now, limit).Scan(&n).Error
	return n, err
}

// readOpenBillers returns the billers that have open payments, by one look-up for each; see
// outbox.OpenQueues.
func readOpenBillers(ctx context.Context, db *database.DB) (codes []string, err error) {
	const open = "(SELECT MIN(biller) FROM payments WHERE state = 'processing'"
	err = db.Gorm(ctx).Raw("WITH RECURSIVE b(biller) AS (SELECT " + open + ") UNION ALL SELECT " + open + " AND payments.biller > b.biller)" +
		" FROM b WHERE b.biller IS NOT NULL) SELECT biller FROM b WHERE biller IS NOT NULL").Scan(&codes).Error
	return codes, err
}

// postponement ends a payment's lease and makes it due again at a time.
type postponement struct {
	payment leased
	at      time.Time
}

// postpone skips payments that were leased again since. CASE: see updateEnded.
func postpone(tx *database.Tx, list []postponement) error {
	if len(list) == 0 {
		return nil
	}
	v, args := tx.Values(
		database.ColumnOf("id", "bigint", list, func(p *postponement) int64 { return p.payment.ID }),
		database.ColumnOf("lease", "bigint", list, func(p *postponement) int64 { return p.payment.Lease }),
		database.ColumnOf("due_at", "timestamptz", list, func(p *postponement) time.Time { return database.StoredTime(p.at) }))
	//mutant:replace payments.lease = v.lease AND => TestLateAnswerDoesNotEndTheLease
	return tx.Gorm().Exec("WITH v(id, lease, due_at) AS ("+v+") UPDATE payments SET due_at = v.due_at, lease = 0"+
		" FROM v WHERE payments.id = v.id AND payments.lease = v.lease AND CASE WHEN payments.state = 'processing' THEN 1 ELSE 0 END = 1", args...).Error
}

// makeDue makes payments of the previous release due, unless they have ended.
func makeDue(tx *database.Tx, ids []int64) error {
	these, list := database.InList(tx.Dialect(), ids)
	//mutant:replace AND due_at IS NULL => TestFormerDeliveryOfAPaymentOfThisRelease
	return tx.Gorm().Exec("UPDATE payments SET due_at = ? WHERE id "+these+" AND due_at IS NULL AND CASE WHEN state = 'processing' THEN 1 ELSE 0 END = 1",
		tx.Now(), list).Error
}
