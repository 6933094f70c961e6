package ledger

import (
	"context"
	"time"

	"elsom/internal/fault"
	"elsom/internal/money"
)

// Line is one transfer as an account's holder sees it: the sum of its entries
// on the account, with why and under which key it was posted.
type Line struct {
	Transfer int64
	Act      string
	Key      string
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

// Statement lists an account's lines, newest first: those older than the
// transfer before, or the newest when before is 0; at most limit.
func (l *Ledger) Statement(ctx context.Context, account int64, d Direction, before int64, limit int) ([]Line, error) {
	lines, err := readLines(ctx, l.db, account, d, before, limit)
	return lines, fault.Wrap("ledger.statement", err)
}

// Newer gives the cursor of the page before the one that begins behind the
// transfer: what to pass as before to see the limit lines that are newer.
// The result is 0 when that page is the first.
func (l *Ledger) Newer(ctx context.Context, account int64, d Direction, transfer int64, limit int) (int64, error) {
	cursor, err := readNewer(ctx, l.db, account, d, transfer, limit)
	return cursor, fault.Wrap("ledger.statement", err)
}

// Totals sums an account's lines in the direction, both without sign, and
// counts them.
func (l *Ledger) Totals(ctx context.Context, account int64, d Direction) (in, out money.Amount, count int, err error) {
	in, out, count, err = readTotals(ctx, l.db, account, d)
	return in, out, count, fault.Wrap("ledger.totals", err)
}

// LineOf gives an account's line of one transfer; NotFound when the transfer
// doesn't touch the account.
func (l *Ledger) LineOf(ctx context.Context, account, transfer int64) (Line, error) {
	line, err := readLine(ctx, l.db, account, transfer)
	return line, fault.Wrap("ledger.line", err)
}
