// Package audit reads the books and never writes: it proves them, and tells
// what is in them.
//
// It promises that what it reads is one moment's state, however much is being
// paid meanwhile, that nobody who pays waits for it, and that it needs no more
// memory for a large database than for a small one.
package audit

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// MaxListed is how many violations are listed; all are counted.
const MaxListed = 1000

// Result is what an audit found.
type Result struct {
	At        time.Time
	Since     time.Time // zero: all was looked at
	Transfers int64
	Entries   int64
	Accounts  []Total // by kind; balances
	Payments  []Total // by state; amount and fee
	CashIns   []Total // by OSMP result; sums
	Sent      []Total // between wallets, by channel; amounts
	Checks    []Check // what was looked at, in the order of Print
	// Violations holds a line for each, at most MaxListed.
	Violations []string
}

// Total counts things of one name and adds up their amounts.
type Total struct {
	Name   string
	Count  int64
	Amount money.Amount
}

// Check is one property of the books that was looked at.
type Check struct {
	Invariant string // by its name in the books: "no debt"
	Proves    string
	Found     int64 // violations
}

// ViolationCount counts the violations, listed or not.
func (p Result) ViolationCount() int64 {
	var n int64
	for _, c := range p.Checks {
		n += c.Found
	}
	return n
}

// OK tells whether all was proved.
func (p Result) OK() bool { return p.ViolationCount() == 0 }

// Run proves the books of db as they stand at one moment; safe beside a
// running server. An error means that it could not look, not that the books
// are wrong.
func Run(ctx context.Context, db *database.DB) (Result, error) {
	return prove(ctx, db, time.Time{})
}

// RunSince is an audit of what was posted since a moment, by the ids that
// transfers got then, and of what is cheap to prove whole; of the books
// it reads what is new and the wallets that moved. SinceProves tells exactly what it proves.
func RunSince(ctx context.Context, db *database.DB, since time.Time) (Result, error) {
	return prove(ctx, db, since)
}

func prove(ctx context.Context, db *database.DB, since time.Time) (Result, error) {
	var proof Result
	err := db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		proof = Result{At: tx.Now(), Since: since}
		var only *part
		if !since.IsZero() {
			only = partSince(tx.Dialect(), since)
		}
		if err := only.byIndex(tx); err != nil {
			return err
		}
		if err := readTotals(tx, &proof, only); err != nil {
			return err
		}
		return proof.lookAll(tx, checks(tx.Dialect()), only)
	})
	return proof, fault.Wrap("report.audit", err)
}

func (p *Result) lookAll(tx *database.Tx, all []check, only *part) error {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].query == all[0].query {
			n++
		}
		if err := p.look(tx, all[:n], only); err != nil {
			return fmt.Errorf("%s, %s: %w", all[0].invariant, all[0].proves, err)
		}
		all = all[n:]
	}
	return nil
}

// look asks the query of a check, or of several that share it.
func (p *Result) look(tx *database.Tx, shared []check, only *part) error {
	first := len(p.Checks)
	for i := range shared {
		shared[i] = only.narrowed(shared[i])
		p.Checks = append(p.Checks, Check{Invariant: shared[i].invariant, Proves: shared[i].proves})
	}
	return eachViolation(tx, shared[0].query, func(v violation) {
		var n int64
		if len(shared) > 1 {
			n = v.Want.Int64
		}
		p.Checks[first+int(n)].Found++
		if len(p.Violations) < MaxListed {
			p.Violations = append(p.Violations, shared[n].invariant+": "+v.words(shared[n].says))
		}
	})
}

// words fills what a query found into a sentence: {what} names the thing,
// {have} and {want} are amounts, {count} is have as a number.
func (v violation) words(sentence string) string {
	return strings.NewReplacer(
		"{what}", v.What,
		"{have}", money.Amount(v.Have.Int64).String(),
		"{want}", money.Amount(v.Want.Int64).String(),
		"{count}", fmt.Sprint(v.Have.Int64),
	).Replace(sentence)
}

// Print writes the proof as an operator reads it: counts and totals, what was
// proved, and a line for each violation.
func (p Result) Print(w io.Writer) error {
	out := &printer{w: w}
	out.line("The books at %s UTC", p.At.UTC().Format("2006-01-02 15:04:05"))
	if !p.Since.IsZero() {
		out.line("What was posted since %s UTC", p.Since.UTC().Format("2006-01-02 15:04:05"))
	}
	out.line("  %-24s %12d", "transfers", p.Transfers)
	out.line("  %-24s %12d", "entries", p.Entries)
	out.totals("accounts", p.Accounts)
	out.totals("payments", p.Payments)
	out.totals("cash-ins", p.CashIns)
	out.totals("between wallets", p.Sent)
	out.line("")
	for _, c := range p.Checks {
		verdict := "ok"
		if c.Found > 0 {
			verdict = fmt.Sprintf("%d WRONG", c.Found)
		}
		out.line("  %-24s %-60s %s", c.Invariant, c.Proves, verdict)
	}
	out.line("")
	for _, v := range p.Violations {
		out.line("VIOLATION %s", v)
	}
	switch found := p.ViolationCount(); {
	case found == 0 && !p.Since.IsZero():
		out.line("All of it holds. What is older was not looked at.")
	case found == 0:
		out.line("All holds.")
	case found == 1:
		out.line("1 violation.")
	case found > int64(len(p.Violations)):
		out.line("%d violations; the first %d are listed.", found, len(p.Violations))
	default:
		out.line("%d violations.", found)
	}
	return out.err
}

// printer remembers the first error, so that printing reads as printing.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) totals(what string, totals []Total) {
	for _, t := range totals {
		p.line("  %-24s %12d %24s", what+" "+t.Name, t.Count, t.Amount)
	}
}
