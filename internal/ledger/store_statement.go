package ledger

import (
	"context"
	"math"
	"strconv"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// lines returns the query for lines: those of the given source, ordered and limited. The
// till is looked up for the result only.
func lines(source string) string {
	return `SELECT l.transfer, l."key", l.op, l.subject_type, l.subject_id, l.amount, l.posted_at,
		COALESCE((SELECT a.subject FROM entries o JOIN accounts a ON a.id = o.account_id AND a.kind = 'till' WHERE o.transfer_id = l.transfer), '') AS till
	FROM (SELECT e.transfer_id AS transfer, t.request_key AS "key", t.act AS op, COALESCE(t.subject_kind, '') AS subject_type,
			COALESCE(t.subject_id, 0) AS subject_id, CAST(SUM(e.amount) AS BIGINT) AS amount, t.posted_at
		FROM ` + source + ` GROUP BY e.transfer_id, t.request_key, t.act, t.subject_kind, t.subject_id, t.posted_at
		ORDER BY e.transfer_id DESC LIMIT ?) l ORDER BY l.transfer DESC`
}

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

// window returns how many entries of an account a page may read: without it, a page would
// read all entries of an account, to sort them or because none is of the direction. Most
// entries are lines, but only of both directions.
func (q Query) window() int {
	if q.Direction == Both {
		return 3*q.Limit + 10
	}
	return 1000
}

// entriesOf returns the query for the entries that a page reads, older or newer than a
// transfer; its parameters are the account and the transfer. Operations are never empty,
// so an empty ExcludeOp excludes nothing.
func (q Query) entriesOf(older bool) string {
	comparison := " >= ? ORDER BY transfer_id"
	if older {
		comparison = " < ? ORDER BY transfer_id DESC"
	}
	return "(SELECT transfer_id, amount FROM entries WHERE account_id = ? AND transfer_id" + comparison + " LIMIT " + strconv.Itoa(q.window()) +
		") e JOIN transfers t ON t.id = e.transfer_id WHERE t.act <> ?" + q.Direction.condition()
}

func readLines(ctx context.Context, db *database.DB, q Query, before int64) (list []Line, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = db.Gorm(ctx).Raw(lines(q.entriesOf(true)), q.Account, before, q.ExcludeOp, q.Limit).Scan(&list).Error
	return list, err
}

// readWindowEnd returns the oldest transfer of a full window of entries that are older
// than a transfer; 0 if the window is not full.
func readWindowEnd(ctx context.Context, db *database.DB, q Query, before int64) (last int64, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = db.Gorm(ctx).Raw("SELECT transfer_id FROM entries WHERE account_id = ? AND transfer_id < ? ORDER BY transfer_id DESC LIMIT 1 OFFSET ?",
		q.Account, before, q.window()-1).Scan(&last).Error
	return last, err
}

// readNewer reads one transfer more than the page before holds: the lines of that
// page are older than it. With fewer, the page before is the first one.
func readNewer(ctx context.Context, db *database.DB, q Query, before int64) (int64, error) {
	var ids []int64
	err := db.Gorm(ctx).Raw("SELECT DISTINCT e.transfer_id FROM "+q.entriesOf(false)+" ORDER BY e.transfer_id LIMIT ?",
		q.Account, before, q.ExcludeOp, q.Limit+1).Scan(&ids).Error
	if err != nil {
		return 0, err
	}
	if len(ids) > q.Limit {
		return ids[q.Limit], nil
	}
	var end int64 // the last entry of a full window, where an earlier page begins
	err = db.Gorm(ctx).Raw("SELECT transfer_id FROM entries WHERE account_id = ? AND transfer_id >= ? ORDER BY transfer_id LIMIT 1 OFFSET ?",
		q.Account, before, q.window()-1).Scan(&end).Error
	if end != 0 {
		end++
	}
	return end, err
}

func readLine(ctx context.Context, db *database.DB, account, transfer int64) (Line, error) {
	var list []Line
	err := db.Gorm(ctx).Raw(lines("entries e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id = ? AND e.transfer_id = ?"), account, transfer, 1).Scan(&list).Error
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "ledger.line", "")
	}
	if err != nil {
		return Line{}, err
	}
	return list[0], nil
}
