package audit

import (
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
)

// SinceProves is what an audit since a moment proves, and what it doesn't, for
// an operator to read.
const SinceProves = `Of the transfers posted since: each sums to zero over two entries or more, none of its lines is missing, each
entry has its account, no two have one request key; each is of an act of the house, and those of payments, cash-ins,
settlements and transfers between wallets are theirs, by amounts and accounts. What was begun since has its transfers, and payments that
began or ended since are in a known state. The balance of each wallet that moved since is the sum of all its entries.

As they stand now, whatever their age: all balances sum to zero, no account is below its floor, customers have
wallets and agents tills, stripes are of accounts without a floor, in transit are the open payments and each has its delivery, the append-only triggers stand.

Not proved, and left to the whole audit: that nothing older was changed or erased; that the balances of billers,
tills and fees are their entries; that all entries ever sum to zero; that no transfer was slipped in under an id
older than the moment. What is new is told by the time in its id, so by the clocks of the portal's machines.
A transfer that an earlier release posted beside this one names no subject; where its payment began more than a day
before the moment, it is reported here, and only the whole audit finds its payment.`

// wholeOnly marks what only the whole audit adds up.
const wholeOnly = "-"

// margin is how long before its transfer a payment, cash-in or transfer
// between wallets may have got its id: a draft waits for an hour at most.
const margin = 24 * time.Hour

// part is what is new since a moment: queries read it in place of the tables.
// Ids grow with time, so each is a range of a primary key.
type part struct {
	tables *strings.Replacer
}

// newRows are the tables narrowed. A payment may have been accepted long
// before it ended, so it is also found by its transfer.
var newRows = map[string]string{
	"transfers": `transfers AS MATERIALIZED (SELECT * FROM {main}transfers WHERE id >= {first})`,
	//mutant:replace MATERIALIZED => TestSinceReadsNoTableWhole
	"entries":          `entries AS MATERIALIZED (SELECT * FROM {main}entries WHERE transfer_id >= {first})`,
	"moved":            `moved AS MATERIALIZED (SELECT account_id FROM {main}entries WHERE transfer_id >= {first})`,
	"cash_ins":         `cash_ins AS (SELECT * FROM {main}cash_ins WHERE id >= {early})`,
	"wallet_transfers": `wallet_transfers AS (SELECT * FROM {main}wallet_transfers WHERE id >= {early})`,
	//mutant:replace subject_kind = 'payment' => 1 = 0 TestSinceLooksAtWhatIsNew
	"payments": `payments AS (SELECT * FROM {main}payments WHERE id IN (
		SELECT id FROM {main}payments WHERE id >= {early}
		UNION SELECT subject_id FROM {main}transfers WHERE id >= {first} AND subject_kind = 'payment'))`,
}

func partSince(dialect database.Dialect, since time.Time) *part {
	// A table of the same name is meant: SQLite wants to be told.
	schema := "main."
	if dialect == database.Postgres {
		schema = ""
	}
	return &part{strings.NewReplacer("{main}", schema,
		"{first}", strconv.FormatInt(database.FirstID(since), 10),
		"{early}", strconv.FormatInt(database.FirstID(since.Add(-margin)), 10))}
}

// byIndex lets PostgreSQL read what is new by the primary keys, whatever it
// believes how much that is.
func (p *part) byIndex(tx *database.Tx) error {
	if p == nil || tx.Dialect() != database.Postgres {
		return nil
	}
	return tx.Gorm().Exec("SET LOCAL enable_seqscan = off").Error
}

// of narrows the named tables of a query; nil narrows nothing.
func (p *part) of(query, tables string) string {
	if p == nil || tables == "" {
		return query
	}
	var with []string
	for table := range strings.FieldsSeq(tables) {
		with = append(with, p.tables.Replace(newRows[table]))
	}
	joint := "\n"
	query = strings.TrimSpace(query)
	if rest, ok := strings.CutPrefix(query, "WITH "); ok {
		query, joint = rest, ",\n"
	}
	return "WITH " + strings.Join(with, ",\n") + joint + query
}

// narrowed is a check of what is new.
func (p *part) narrowed(c check) check {
	if p == nil {
		return c
	}
	if c.query == wrongBalances { // it reads every entry that there is
		c.proves, c.query, c.narrow = "every balance equals its entries, of wallets that moved", wrongMovedBalances, "moved"
	}
	c.query = p.of(c.query, c.narrow)
	return c
}

//mutant:replace .total` => .balance` TestSinceLooksAtWhatIsNew
const wrongMovedBalances = `
SELECT ` + namedAccount + `, a.balance, a.total
FROM (SELECT w.*, (SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM entries e WHERE e.account_id = w.id) AS total
	FROM balances w WHERE w.kind = 'wallet' AND w.id IN (SELECT account_id FROM moved)) a
WHERE a.balance <> a.total`
