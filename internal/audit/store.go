package audit

import (
	"database/sql"
	"regexp"
	"strings"

	"elsom/internal/database"
)

// violation is a row of a check's query.
type violation struct {
	What string
	Have sql.NullInt64
	Want sql.NullInt64
}

// dayInBishkek(x) in a query is the day of a time in Bishkek as a number: 20261201.
var dayInBishkek = regexp.MustCompile(`dayInBishkek\((\w+)\)`)

// forDialect returns a query without the syntax that only SQLite has, and with days.
func forDialect(query string, dialect database.Dialect) string {
	if dialect == database.SQLite {
		return dayInBishkek.ReplaceAllString(query, `CAST(strftime('%Y%m%d', $1, '+6 hours') AS BIGINT)`)
	}
	query = strings.ReplaceAll(query, " NOT INDEXED", "")
	return dayInBishkek.ReplaceAllString(query, `CAST(to_char($1 AT TIME ZONE INTERVAL '+6 hours', 'YYYYMMDD') AS BIGINT)`)
}

// eachViolation calls found for each row of a query, one by one: memory does not
// grow with their number.
func eachViolation(tx *database.Tx, query string, found func(violation)) error {
	rows, err := tx.Gorm().Raw(query).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var v violation
		if err := rows.Scan(&v.What, &v.Have, &v.Want); err != nil {
			return err
		}
		found(v)
	}
	return rows.Err()
}

// total is a query for a count or for totals. The number of its rows does not
// grow with the number of transfers.
type total struct {
	into   any
	query  string
	narrow string
}

func totals(r *Result) []total {
	return []total{
		{&r.Transfers, "SELECT COUNT(*) FROM transfers", "transfers"},
		{&r.Entries, "SELECT COUNT(*) FROM entries", "entries"},
		{&r.Accounts, `SELECT kind AS name, COUNT(*) AS count, CAST(SUM(balance) AS BIGINT) AS amount
			FROM balances GROUP BY kind ORDER BY kind`, ""},
		{&r.Payments, `SELECT state AS name, COUNT(*) AS count, CAST(SUM(amount + fee) AS BIGINT) AS amount
			FROM payments GROUP BY state ORDER BY state`, fullAuditOnly},
		{&r.CashIns, `SELECT 'result ' || CAST(result AS VARCHAR) AS name, COUNT(*) AS count, CAST(SUM(sum) AS BIGINT) AS amount
			FROM cash_ins GROUP BY result ORDER BY result`, fullAuditOnly},
		{&r.WalletTransfers, `SELECT channel AS name, COUNT(*) AS count, CAST(SUM(amount) AS BIGINT) AS amount
			FROM wallet_transfers GROUP BY channel ORDER BY channel`, fullAuditOnly},
	}
}

// readTotals reads the totals; in an audit since a moment, those of accounts and
// of new transfers and entries.
func readTotals(tx *database.Tx, r *Result, w *window) error {
	for _, t := range totals(r) {
		if w != nil && t.narrow == fullAuditOnly {
			continue
		}
		if err := tx.Gorm().Raw(w.narrowQuery(t.query, t.narrow)).Scan(t.into).Error; err != nil {
			return err
		}
	}
	return nil
}
