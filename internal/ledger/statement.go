package ledger

import (
	"context"
	"strconv"
	"time"

	"elsom/internal/fault"
	"elsom/internal/money"
)

// Line is one transfer as seen from an account: the sum of its entries on the
// account.
type Line struct {
	Transfer int64
	Key      string // the transfer's request key
	Op       string
	Subject  Subject      `gorm:"embedded;embeddedPrefix:subject_"`
	Till     string       // subject of the till among the transfer's accounts; empty: none
	Amount   money.Amount // positive: into the account
	PostedAt time.Time
}

// Direction filters a statement.
type Direction string

// In: into the account. Out: out of it. Both: all transfers.
const (
	Both Direction = ""
	In   Direction = "in"
	Out  Direction = "out"
)

// Query selects a part of an account's statement.
type Query struct {
	Account   int64
	Direction Direction
	// ExcludeOp leaves out the transfers of one operation; empty: none.
	ExcludeOp string
	Limit     int
}

// Statement returns up to q.Limit lines of an account, newest first: those older
// than the transfer before, or the newest if before is 0.
//
// It looks at a bounded number of entries. more is 0 if it found q.Limit
// lines, or there are no more; otherwise the lines that are older than the transfer more
// were not looked at.
func (l *Ledger) Statement(ctx context.Context, q Query, before int64) (lines []Line, more int64, err error) {
	lines, err = readLines(ctx, l.db, q, before)
	if err == nil && len(lines) < q.Limit {
		more, err = readWindowEnd(ctx, l.db, q, before)
	}
	return lines, more, fault.Wrap("ledger.statement", err)
}

// Newer returns the value of before for the page that precedes the page of the
// given before, which is not 0; the result is 0 if the preceding page is the
// first one.
func (l *Ledger) Newer(ctx context.Context, q Query, before int64) (int64, error) {
	cursor, err := readNewer(ctx, l.db, q, before)
	return cursor, fault.Wrap("ledger.statement", err)
}

// LineOf returns an account's line of one transfer; NotFound if the transfer does
// have an entry on the account, Unknown if a failover could still lose it.
func (l *Ledger) LineOf(ctx context.Context, account, transfer int64) (Line, error) {
	line, err := readLine(ctx, l.db, account, transfer)
	if err == nil {
		//mutant:replace err = l => _ = l ./internal/transfer TestTransferIsUnknownWithoutTheStandby
		err = l.db.WaitDurable(ctx, "ledger:"+strconv.FormatInt(transfer, 10))
	}
	return line, fault.Wrap("ledger.line", err)
}
