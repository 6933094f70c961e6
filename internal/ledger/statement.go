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
	Op       string
	Subject  Subject      `gorm:"embedded;embeddedPrefix:subject_"`
	Till     string       // subject of the till that the transfer also moves; empty: none
	Amount   money.Amount // positive: into the account
	PostedAt time.Time
}

// Direction narrows a statement.
type Direction string

// In is what came into the account, Out what left it, Both everything.
const (
	Both Direction = ""
	In   Direction = "in"
	Out  Direction = "out"
)

// Query asks for a part of an account's statement.
type Query struct {
	Account   int64
	Direction Direction
	// Without leaves the transfers of one act out; empty: none.
	ExcludeOp string
	Limit     int
}

// Statement lists an account's lines, newest first: those older than the
// transfer before, or the newest when before is 0; at most q.Limit.
func (l *Ledger) Statement(ctx context.Context, q Query, before int64) ([]Line, error) {
	lines, err := readLines(ctx, l.db, q, before)
	return lines, fault.Wrap("ledger.statement", err)
}

// Newer gives the cursor of the page before the one that begins behind the
// transfer: what to pass as before to see the q.Limit lines that are newer.
// The result is 0 when that page is the first.
func (l *Ledger) Newer(ctx context.Context, q Query, transfer int64) (int64, error) {
	cursor, err := readNewer(ctx, l.db, q, transfer)
	return cursor, fault.Wrap("ledger.statement", err)
}

// Total is what one act brought into an account and took out of it, both
// without sign, and in how many transfers.
type Total struct {
	Op                string
	In, Out           money.Amount
	InCount, OutCount int
}

// Totals sums an account's lines by act.
func (l *Ledger) Totals(ctx context.Context, account int64) ([]Total, error) {
	totals, err := readTotals(ctx, l.db, account)
	return totals, fault.Wrap("ledger.totals", err)
}

// LineOf returns an account's line of one transfer; NotFound when the transfer
// doesn't touch the account, Unknown for one that a failover could still lose.
func (l *Ledger) LineOf(ctx context.Context, account, transfer int64) (Line, error) {
	line, err := readLine(ctx, l.db, account, transfer)
	if err == nil {
		//mutant:replace err = l => _ = l ./internal/transfer TestTransferIsUnknownWithoutTheStandby
		err = l.db.WaitDurable(ctx, "ledger:"+strconv.FormatInt(transfer, 10))
	}
	return line, fault.Wrap("ledger.line", err)
}
