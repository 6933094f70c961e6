package ledger

import (
	"context"
	"math"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

const lineQuery = `SELECT e.transfer_id AS transfer, t.act, t.request_key AS "key", CAST(SUM(e.amount) AS BIGINT) AS amount, t.posted_at
	FROM entries e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id = ?`

const lineGroup = " GROUP BY e.transfer_id, t.act, t.request_key, t.posted_at"

// signed narrows entries; a wallet has one entry in a transfer, so the sign of
// the entry is the sign of the line.
func (d Direction) signed() string {
	switch d {
	case In:
		return " AND e.amount > 0"
	case Out:
		return " AND e.amount < 0"
	}
	return ""
}

func readLines(ctx context.Context, db *database.DB, account int64, d Direction, before int64, limit int) (lines []Line, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = db.Gorm(ctx).Raw(lineQuery+d.signed()+" AND e.transfer_id < ?"+lineGroup+" ORDER BY e.transfer_id DESC LIMIT ?",
		account, before, limit).Scan(&lines).Error
	return lines, err
}

func readNewer(ctx context.Context, db *database.DB, account int64, d Direction, transfer int64, limit int) (int64, error) {
	var ids []int64
	// One more than a page: the last of them is where that page begins behind.
	err := db.Gorm(ctx).Raw("SELECT DISTINCT e.transfer_id FROM entries e WHERE e.account_id = ?"+d.signed()+
		" AND e.transfer_id >= ? ORDER BY e.transfer_id LIMIT ?", account, transfer, limit+1).Scan(&ids).Error
	if err != nil || len(ids) <= limit {
		return 0, err
	}
	return ids[limit], nil
}

func readTotals(ctx context.Context, db *database.DB, account int64, d Direction) (in, out money.Amount, count int, err error) {
	var row struct {
		Received, Sent money.Amount
		Count          int
	}
	err = db.Gorm(ctx).Raw(`SELECT CAST(COALESCE(SUM(CASE WHEN e.amount > 0 THEN e.amount END), 0) AS BIGINT) AS received,
		CAST(COALESCE(-SUM(CASE WHEN e.amount < 0 THEN e.amount END), 0) AS BIGINT) AS sent, COUNT(*) AS count
		FROM entries e WHERE e.account_id = ?`+d.signed(), account).Scan(&row).Error
	return row.Received, row.Sent, row.Count, err
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
