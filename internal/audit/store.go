package audit

import (
	"database/sql"

	"elsom/internal/database"
)

// violation is a row of a check's query.
type violation struct {
	What string
	Have sql.NullInt64
	Want sql.NullInt64
}

// eachViolation hands the rows of a query over one by one, so that a thousand
// or a million of them take the same memory.
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

// total is a query that adds up; none gives more rows for more transfers.
type total struct {
	into   any
	query  string
	narrow string
}

func totals(p *Result) []total {
	return []total{
		{&p.Transfers, "SELECT COUNT(*) FROM transfers", "transfers"},
		{&p.Entries, "SELECT COUNT(*) FROM entries", "entries"},
		{&p.Accounts, `SELECT kind AS name, COUNT(*) AS count, CAST(SUM(balance) AS BIGINT) AS amount
			FROM balances GROUP BY kind ORDER BY kind`, ""},
		{&p.Payments, `SELECT state AS name, COUNT(*) AS count, CAST(SUM(amount + fee) AS BIGINT) AS amount
			FROM payments GROUP BY state ORDER BY state`, wholeOnly},
		{&p.CashIns, `SELECT 'result ' || CAST(result AS VARCHAR) AS name, COUNT(*) AS count, CAST(SUM(sum) AS BIGINT) AS amount
			FROM cash_ins GROUP BY result ORDER BY result`, wholeOnly},
		{&p.Sent, `SELECT channel AS name, COUNT(*) AS count, CAST(SUM(amount) AS BIGINT) AS amount
			FROM wallet_transfers GROUP BY channel ORDER BY channel`, wholeOnly},
	}
}

// readTotals adds up what is looked at: of an audit since a moment, transfers
// and entries since, and the accounts.
func readTotals(tx *database.Tx, p *Result, only *part) error {
	for _, t := range totals(p) {
		if only != nil && t.narrow == wholeOnly {
			continue
		}
		if err := tx.Gorm().Raw(only.of(t.query, t.narrow)).Scan(t.into).Error; err != nil {
			return err
		}
	}
	return nil
}
