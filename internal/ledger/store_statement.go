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

// window returns how many entries of an account one statement reads: without it, a
// statement would read all entries of an account if none is of the direction. Most entries
// are lines of both directions.
func (q Query) window() int { return 3*q.Limit + 10 }

// windows returns how many windows a page may read: of one direction up to about 1,000
// entries.
func (q Query) windows() int {
	if q.Direction == Both {
		return 1
	}
	return max(1, 1000/q.window())
}

// windowOf returns the query for entries that are older than a transfer, or not older; its
// parameters are the account and the transfer. It goes on in the entries of other accounts,
// which the caller leaves out: with a condition on the account alone PostgreSQL reads and
// sorts all its entries, if it expects few.
func windowOf(older bool, limit string) string {
	if older {
		return "SELECT account_id, transfer_id, amount FROM entries WHERE (account_id, transfer_id) < (?, ?) ORDER BY account_id DESC, transfer_id DESC" + limit
	}
	return "SELECT account_id, transfer_id, amount FROM entries WHERE (account_id, transfer_id) >= (?, ?) ORDER BY account_id, transfer_id" + limit
}

// entriesOf returns the query for the entries of a window; its parameters are those of
// windowOf, the account again, and the operation to leave out. Operations are never empty,
// so an empty one excludes nothing.
func (q Query) entriesOf(older bool) string {
	limit := " LIMIT " + strconv.Itoa(q.window())
	//mutant:replace WHERE e.account_id = ? => WHERE e.account_id <> -? TestStatementHasNoOthersEntries
	return "(" + windowOf(older, limit) + ") e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id = ? AND t.act <> ?" + q.Direction.condition()
}

// readEnd returns the last transfer of a window; 0 if it is not full.
func readEnd(ctx context.Context, db *database.DB, q Query, from int64, older bool) (end int64, err error) {
	limit := " LIMIT 1 OFFSET " + strconv.Itoa(q.window()-1)
	//mutant:replace WHERE account_id = ? => WHERE account_id <> -? TestStatementHasNoOthersEntries
	err = db.Gorm(ctx).Raw("SELECT transfer_id FROM ("+windowOf(older, limit)+") e WHERE account_id = ?", q.Account, from, q.Account).Scan(&end).Error
	return end, err
}

// readWindow returns the lines of a window of entries that are older than a transfer, and,
// if they are fewer than q.Limit, the oldest transfer of the window; 0 if it is not full.
func readWindow(ctx context.Context, db *database.DB, q Query, before int64) (list []Line, end int64, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = db.Gorm(ctx).Raw(lines(q.entriesOf(true)), q.Account, before, q.Account, q.ExcludeOp, q.Limit).Scan(&list).Error
	if err == nil && len(list) < q.Limit {
		end, err = readEnd(ctx, db, q, before, true)
	}
	return list, end, err
}

// readNewer returns up to q.Limit + 1 transfers of a window of entries that are not older
// than a transfer, the oldest first, and, if they are fewer, the newest transfer of the
// window; 0 if it is not full.
func readNewer(ctx context.Context, db *database.DB, q Query, from int64) (ids []int64, end int64, err error) {
	err = db.Gorm(ctx).Raw("SELECT DISTINCT e.transfer_id FROM "+q.entriesOf(false)+" ORDER BY e.transfer_id LIMIT ?",
		q.Account, from, q.Account, q.ExcludeOp, q.Limit+1).Scan(&ids).Error
	if err == nil && len(ids) <= q.Limit {
		end, err = readEnd(ctx, db, q, from, false)
	}
	return ids, end, err
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
