package audit

import (
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
)

// SinceProves describes for an operator what an audit since a moment proves and
// what it does not.
const SinceProves = `Each transfer posted since then sums to zero over two or more entries, none of its lines is missing, each of its
entries has an account, and its request key is unique. Each has a known operation, and those of payments, cash-ins, settlements and
transfers between wallets match them in amounts and accounts. Whatever began since then has its transfers, and payments that
began or ended since then have a known state. The balance of each wallet that moved since then is the sum of all its entries,
and so are its other sums.

Of the log: what was sealed since then is a part of one tree under the newest checkpoint, and rows whose ids are not more
than a day older than that moment are as they were sealed, or queued.

Of the present state, whatever its age: all balances sum to zero; no account is below its floor; customers have
wallets and agents have tills; stripes belong to accounts without a floor; funds in transit equal the open payments,
and each open payment has its delivery; the schema is that of this release.

Not proved, and left to the full audit: that nothing older was changed or erased; that the balances of billers,
tills and fees equal their entries; that all entries ever made sum to zero; that no transfer was inserted under an
id older than that time. New rows are found by the time in their ids, so by the clocks of the portal's machines.`

// fullAuditOnly marks totals that only a full audit reads.
const fullAuditOnly = "-"

// margin is how long before its transfer a payment, cash-in or transfer between
// wallets may have got its id: a draft expires after an hour.
const margin = 24 * time.Hour

// A window is what is new since a moment. Queries read its common table
// expressions in place of the tables; ids grow with time, so each of them is a
// range of a primary key. A nil window narrows nothing.
type window struct {
	ranges *strings.Replacer
}

// newRows are the tables of a window. A payment may have been accepted long
// before it ended, so it is also found by its transfer.
var newRows = map[string]string{
	"transfers": `transfers AS MATERIALIZED (SELECT * FROM {main}transfers WHERE id >= {first})`,
	//mutant:replace MATERIALIZED => TestSinceReadsNoTableInFull
	"entries":          `entries AS MATERIALIZED (SELECT * FROM {main}entries WHERE transfer_id >= {first})`,
	"moved":            `moved AS MATERIALIZED (SELECT account_id FROM {main}entries WHERE transfer_id >= {first})`,
	"cash_ins":         `cash_ins AS (SELECT * FROM {main}cash_ins WHERE id >= {early})`,
	"wallet_transfers": `wallet_transfers AS (SELECT * FROM {main}wallet_transfers WHERE id >= {early})`,
	"payment_attempts": `payment_attempts AS (SELECT * FROM {main}payment_attempts WHERE id >= {first})`,
	//mutant:replace subject_kind = 'payment' => 1 = 0 TestSinceChecksNewTransfers
	"payments": `payments AS (SELECT * FROM {main}payments WHERE id IN (
		SELECT id FROM {main}payments WHERE id >= {early}
		UNION SELECT subject_id FROM {main}transfers WHERE id >= {first} AND subject_kind = 'payment'))`,
}

func windowSince(dialect database.Dialect, since time.Time) *window {
	// The common table expressions have the names of their tables; SQLite then needs
	// the schema to refer to a table.
	schema := "main."
	if dialect == database.Postgres {
		schema = ""
	}
	return &window{strings.NewReplacer("{main}", schema,
		"{first}", strconv.FormatInt(database.FirstID(since), 10),
		"{early}", strconv.FormatInt(database.FirstID(since.Add(-margin)), 10))}
}

// useIndexes makes PostgreSQL read a window by the primary keys, however many
// rows it expects there.
func (w *window) useIndexes(tx *database.Tx) error {
	if w == nil || tx.Dialect() != database.Postgres {
		return nil
	}
	return tx.Gorm().Exec("SET LOCAL enable_seqscan = off").Error
}

// narrow returns the check of the window in place of the full one.
func (w *window) narrow(c check) check {
	if w == nil {
		return c
	}
	if c.since != nil {
		c = *c.since
	}
	c.query = w.narrowQuery(c.query, c.narrow)
	return c
}

// narrowQuery makes a query read the window in place of the named tables.
func (w *window) narrowQuery(query, tables string) string {
	if w == nil || tables == "" {
		return query
	}
	var with []string
	for table := range strings.FieldsSeq(tables) {
		with = append(with, w.ranges.Replace(newRows[table]))
	}
	separator := "\n"
	query = strings.TrimSpace(query)
	if rest, ok := strings.CutPrefix(query, "WITH "); ok {
		query, separator = rest, ",\n"
	}
	return "WITH " + strings.Join(with, ",\n") + separator + query
}

//mutant:replace .total` => .balance` TestSinceChecksNewTransfers
const wrongMovedBalances = `
SELECT ` + namedAccount + `, a.balance, a.total
FROM (SELECT w.*, (SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM entries e WHERE e.account_id = w.id) AS total
	FROM balances w WHERE w.kind = 'wallet' AND w.id IN (SELECT account_id FROM moved)) a
WHERE a.balance <> a.total`
