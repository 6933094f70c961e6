package ledger

import (
	"context"
	"math"

	"elsom/internal/database"
	"elsom/internal/fault"
)

const lineQuery = `SELECT e.transfer_id AS transfer, t.request_key AS "key", t.act AS op, COALESCE(t.subject_kind, '') AS subject_type, COALESCE(t.subject_id, 0) AS subject_id,
	COALESCE((SELECT a.subject FROM entries o JOIN accounts a ON a.id = o.account_id AND a.kind = 'till' WHERE o.transfer_id = e.transfer_id), '') AS till,
	CAST(SUM(e.amount) AS BIGINT) AS amount, t.posted_at
	FROM entries e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id = ?`

const lineGroup = " GROUP BY e.transfer_id, t.request_key, t.act, t.subject_kind, t.subject_id, t.posted_at"

// condition filters entries. A wallet has one entry in a transfer, so the sign of
// the entry is the sign of the line.
func (d Direction) condition() string {
	switch d {
	case In:
		return " AND e.amount > 0"
	case Out:
		return " AND e.amount < 0"
	}
	return ""
}

// condition filters entries and transfers. Operations are never empty, so an
// empty ExcludeOp excludes nothing.
func (q Query) condition() string { return q.Direction.condition() + " AND t.act <> ?" }

func readLines(ctx context.Context, db *database.DB, q Query, before int64) (lines []Line, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = db.Gorm(ctx).Raw(lineQuery+q.condition()+" AND e.transfer_id < ?"+lineGroup+" ORDER BY e.transfer_id DESC LIMIT ?",
		q.Account, q.ExcludeOp, before, q.Limit).Scan(&lines).Error
	return lines, err
}

// readNewer reads one transfer more than the page before holds: the lines of that
// page are older than it. With fewer, the page before is the first one.
func readNewer(ctx context.Context, db *database.DB, q Query, before int64) (int64, error) {
	var ids []int64
	err := db.Gorm(ctx).Raw("SELECT DISTINCT e.transfer_id FROM entries e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id = ?"+
		q.condition()+" AND e.transfer_id >= ? ORDER BY e.transfer_id LIMIT ?", q.Account, q.ExcludeOp, before, q.Limit+1).Scan(&ids).Error
	if err != nil || len(ids) <= q.Limit {
		return 0, err
	}
	return ids[q.Limit], nil
}

func readTotals(ctx context.Context, db *database.DB, account int64) (totals []Total, err error) {
	err = db.Gorm(ctx).Raw(`SELECT t.act AS op, CAST(COALESCE(SUM(CASE WHEN e.amount > 0 THEN e.amount END), 0) AS BIGINT) AS "in",
		CAST(COALESCE(-SUM(CASE WHEN e.amount < 0 THEN e.amount END), 0) AS BIGINT) AS out,
		SUM(CASE WHEN e.amount > 0 THEN 1 ELSE 0 END) AS in_count, SUM(CASE WHEN e.amount < 0 THEN 1 ELSE 0 END) AS out_count
		FROM entries e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id = ? GROUP BY t.act`, account).Scan(&totals).Error
	return totals, err
}

func readLine(ctx context.Context, db *database.DB, account, transfer int64) (Line, error) {
	var lines []Line
	err := db.Gorm(ctx).Raw(lineQuery+" AND e.transfer_id = ?"+lineGroup, account, transfer).Scan(&lines).Error
	if err == nil && len(lines) == 0 {
		err = fault.New(fault.NotFound, "ledger.line", "")
	}
	if err != nil {
		return Line{}, err
	}
	return lines[0], nil
}
