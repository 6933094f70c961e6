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
	more = before
	for range q.windows() {
		var part []Line
		part, more, err = readWindow(ctx, l.db, q, more)
		lines = append(lines, part...)
		if err != nil || len(lines) >= q.Limit || more == 0 {
			break
		}
	}
	if len(lines) >= q.Limit {
		lines, more = lines[:q.Limit], 0
	}
	return lines, more, fault.Wrap("ledger.statement", err)
}

// Newer returns the value of before for the page that precedes the page of the
// given before, which is not 0; the result is 0 if the preceding page is the
// first one.
func (l *Ledger) Newer(ctx context.Context, q Query, before int64) (int64, error) {
	var found []int64
	from := before
	for range q.windows() {
		ids, end, err := readNewer(ctx, l.db, q, from)
		if err != nil {
			return 0, fault.Wrap("ledger.statement", err)
		}
		if found = append(found, ids...); len(found) > q.Limit {
			return found[q.Limit], nil
		}
		if end == 0 {
			return 0, nil
		}
		from = end + 1 // the page that precedes begins in the window
	}
	return from, nil
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
