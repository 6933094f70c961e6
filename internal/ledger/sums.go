package ledger

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// A wallet's row has sums of its entries, so that neither a page nor a batch reads the
// entries: those of its whole life, and what was spent on the last day and in the last
// month in which something was. The statement that changes the balance changes them too, and
// `audit` proves them.
//
// A wallet whose sums are not known is *not counted*: one from before the columns, or
// one that an earlier release wrote to since. The next batch that touches it counts it
// from its entries, under its lock; CountWallets counts the others.

// bishkek is the zone whose days and months limits refer to.
var bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

// DayOf returns the day of a time in Bishkek as a number: 20261201.
func DayOf(t time.Time) int64 {
	year, month, day := t.In(bishkek).Date()
	return int64(year)*10_000 + int64(month)*100 + int64(day)
}

// monthOf returns the month of a day: 202612.
func monthOf(day int64) int64 { return day / 100 }

// Limits bound what is spent on a day and in a month. 0: no limit; below 0: nothing may
// be spent.
type Limits struct{ Day, Month money.Amount }

// LimitUse makes an entry count toward transaction limits: a debit as spent, a credit as
// given back.
type LimitUse struct {
	// Limits bound what is spent with this entry.
	Limits Limits
	// Returns, if not zero, is when the transfer was posted whose debit this entry
	// gives back. Limits are not applied then.
	Returns time.Time
}

// check returns an error if an entry can't count as u says.
func (u *LimitUse) check(amount money.Amount) error {
	//mutant:replace != (amount < 0) => == (amount == 0) TestMalformedPostingsAreRefused
	if u != nil && u.Returns.IsZero() != (amount < 0) {
		return fmt.Errorf("a debit toward limits of %d", amount)
	}
	return nil
}

// Spent has the sums of a wallet that count toward limits, of one day and its month.
type Spent struct {
	On         int64 // the day as DayOf returns it; 0: nothing was spent yet
	Day, Month money.Amount
}

// At returns what counts on a day. A day before s.On is possible, because the clocks of
// processes differ: At returns s then, and a batch adds up the entries (see countLater).
func (s Spent) At(day int64) (inDay, inMonth money.Amount) {
	inDay, inMonth = s.Day, s.Month
	//mutant:replace day > s.On => false TestSpentAt
	if day > s.On {
		inDay = 0
	}
	//mutant:replace monthOf(day) > monthOf(s.On) => false TestSpentAt
	if monthOf(day) > monthOf(s.On) {
		inMonth = 0
	}
	return inDay, inMonth
}

// add counts an amount that was spent on a day; one below zero gives back what was spent
// on that day. The result is the same in any order: that of the last day, and of its month.
func (s *Spent) add(day int64, amount money.Amount) {
	s.Day, s.Month = s.At(day)
	s.On = max(s.On, day)
	if day == s.On {
		s.Day += amount
	}
	if monthOf(day) == monthOf(s.On) {
		s.Month += amount
	}
}

// Sums are those of a wallet's whole life. A debit that was given back is neither in
// the sums nor a credit, but counts as one debit.
type Sums struct {
	In, Out           money.Amount
	InCount, OutCount int
}

// State has the balance and the sums of a wallet's row.
type State struct {
	Balance money.Amount
	Sums    Sums
	Spent   Spent
}

// State returns the state of a wallet; NotFound if there is no such account.
func (l *Ledger) State(ctx context.Context, wallet int64) (State, error) {
	state, err := readState(ctx, l.db, wallet)
	return state, fault.Wrap("ledger.state", err)
}

// StateIn is State in a transaction.
func StateIn(tx *database.Tx, wallet int64) (State, error) {
	state, err := readStateIn(tx, wallet)
	return state, fault.Wrap("ledger.state", err)
}

// tally has the changes of an account's sums by entries.
type tally struct {
	out             money.Amount
	moves, in, outs int64
	spent           Spent
}

// add counts an entry that is posted on a day.
func (t *tally) add(e Entry, today int64) {
	t.moves++
	switch {
	case e.LimitUse != nil && !e.LimitUse.Returns.IsZero():
		t.out -= e.Amount
		t.spent.add(DayOf(e.LimitUse.Returns), -e.Amount)
		return
	case e.Amount > 0:
		t.in++
		return
	}
	t.out -= e.Amount
	t.outs++
	if e.LimitUse != nil {
		t.spent.add(today, -e.Amount)
	}
}

// How CountWallets divides its work.
const (
	countedAtOnce = 20
	countPause    = 20 * time.Millisecond
	countAgain    = time.Hour
	countRetry    = time.Minute
)

// CountWallets counts the wallets that are not counted, until ctx ends: a few at a time,
// so that payments of their holders don't wait long. Several processes may do it at once,
// and one that is stopped goes on where it was. It looks for further ones every hour,
// which an earlier release beside this one may have left, and a minute after a failure.
func (l *Ledger) CountWallets(ctx context.Context, failed func(error)) {
	for {
		wait := countAgain
		if err := l.CountAll(ctx); err != nil && ctx.Err() == nil {
			failed(err)
			wait = countRetry
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// CountAll counts all wallets that are not counted, once.
func (l *Ledger) CountAll(ctx context.Context) error {
	var after int64
	for {
		ids, err := readUncounted(ctx, l.db, after, countedAtOnce)
		if err != nil || len(ids) == 0 {
			return fault.Wrap("ledger.count", err)
		}
		err = l.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			locked, err := lockAccounts(tx, ids)
			if err != nil {
				return err
			}
			return countWallets(tx, locked)
		})
		if err != nil {
			return fault.Wrap("ledger.count", err)
		}
		after = ids[len(ids)-1]
		if !pause(ctx, countPause) {
			return ctx.Err()
		}
	}
}

// pause waits; it reports false if ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
