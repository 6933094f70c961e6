// Package audit proves the books and counts what is in them. It only reads.
//
// An audit reads one consistent snapshot while payments continue, blocks no
// payment, and uses an amount of memory that does not grow with the database.
package audit

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/translog"
)

// CannotKnow says what no audit of a single database finds.
const CannotKnow = `An audit reads what is in the database now. It can't know what was changed and changed back before
it ran, what the server of the database or a portal's machine was told to do, and whether the whole
database is an older copy: compare with a checkpoint from outside (elsom help audit).`

// MaxListed is how many violations are listed; all are counted.
const MaxListed = 1000

// Result is what an audit found.
type Result struct {
	At              time.Time
	Since           time.Time // zero: a full audit
	Transfers       int64
	Entries         int64
	Accounts        []Total  // balances by type of account
	Payments        []Total  // amount and fee by state
	CashIns         []Total  // sums by OSMP result
	WalletTransfers []Total  // amounts by channel
	Origin          []Origin // by kind of row; nil: not checked, there are no keys
	Log             translog.Report
	Checks          []Check // in the order of Print
	// Warnings has a line for what is no violation, and should not stay as it is.
	Warnings []string
	// Violations has a line for each violation, at most MaxListed.
	Violations []string
}

// Total is the number of rows of one name, such as a state, and the sum of their
// amounts.
type Total struct {
	Name   string
	Count  int64
	Amount money.Amount
}

// Check is a property of the books that was checked.
type Check struct {
	Invariant string // by its name in the books: "no debt"
	Proves    string
	Found     int64 // number of violations
	// NotChecked is why the property was not checked; empty: it was.
	NotChecked string
}

// ViolationCount returns the number of violations, listed or not.
func (r Result) ViolationCount() int64 {
	var n int64
	for _, c := range r.Checks {
		n += c.Found
	}
	return n
}

// OK reports whether no violation was found.
func (r Result) OK() bool { return r.ViolationCount() == 0 }

// Run audits the books of db as they are at one moment; a server may run
// meanwhile. An error means that the books could not be read, not that they are
// wrong.
func Run(ctx context.Context, db *database.DB, outside Outside) (Result, error) {
	return run(ctx, db, nil, time.Time{}, outside)
}

// Outside has what the log is compared with, which is not in the database.
type Outside struct {
	// Keys verify checkpoints; nil: their signatures are not checked.
	Keys *checkpoint.Keys
	// Witness is the checkpoint that a portal keeps in its file (ELSOM_CHECKPOINT_FILE), read
	// before the audit began; empty: none. The log must extend it.
	Witness string
}

// RunSince audits what was posted since a moment, by the times in the ids of
// transfers, and what is cheap to prove in full. It reads the new rows and the
// entries of wallets that moved. SinceProves describes exactly what it proves.
func RunSince(ctx context.Context, db *database.DB, since time.Time, outside Outside) (Result, error) {
	return run(ctx, db, windowSince(db.Dialect(), since), since, outside)
}

func run(ctx context.Context, db *database.DB, w *window, since time.Time, outside Outside) (Result, error) {
	var result Result
	err := db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		result = Result{At: tx.Now(), Since: since}
		if err := w.useIndexes(tx); err != nil {
			return err
		}
		if err := readTotals(tx, &result, w); err != nil {
			return err
		}
		for _, c := range checks() {
			if err := result.apply(tx, w.narrow(c)); err != nil {
				return fmt.Errorf("%s, %s: %w", c.rules[0].invariant, c.rules[0].proves, err)
			}
		}
		if err := result.checkDecisions(tx, w, db.Keys()); err != nil {
			return fmt.Errorf("decisions: %w", err)
		}
		if err := result.checkSchema(tx); err != nil {
			return err
		}
		if err := result.checkIndexes(tx); err != nil {
			return err
		}
		if err := result.checkOrigin(tx, db.Keys()); err != nil {
			return err
		}
		if err := result.checkCatalog(tx, db.Keys()); err != nil {
			return err
		}
		return result.checkLog(tx, outside, since)
	})
	return result, fault.Wrap("audit.run", err)
}

// apply runs the query of a check and adds its violations.
func (r *Result) apply(tx *database.Tx, c check) error {
	first := len(r.Checks)
	for _, rule := range c.rules {
		r.Checks = append(r.Checks, Check{Invariant: rule.invariant, Proves: rule.proves})
	}
	return eachViolation(tx, forDialect(c.query, tx.Dialect()), func(v violation) {
		var n int64
		if len(c.rules) > 1 {
			n = v.Want.Int64
		}
		r.found(first+int(n), c.rules[n].describe(v))
	})
}

// found adds a violation of a check.
func (r *Result) found(check int, line string) {
	r.Checks[check].Found++
	if len(r.Violations) < MaxListed {
		r.Violations = append(r.Violations, line)
	}
}

// describe returns the line of a violation.
func (r rule) describe(v violation) string {
	return r.invariant + ": " + strings.NewReplacer(
		"{what}", v.What,
		"{have}", money.Amount(v.Have.Int64).String(),
		"{want}", money.Amount(v.Want.Int64).String(),
		"{count}", fmt.Sprint(v.Have.Int64),
	).Replace(r.violation)
}

// Print writes the result for an operator: counts and totals, what was checked,
// and a line for each violation. Times are printed in the zones of At and Since.
func (r Result) Print(w io.Writer) error {
	out := &printer{w: w}
	out.line("The books at %s", r.At.Format(time.RFC3339))
	if !r.Since.IsZero() {
		out.line("What was posted since %s", r.Since.Format(time.RFC3339))
	}
	out.line("  %-24s %12d", "transfers", r.Transfers)
	out.line("  %-24s %12d", "entries", r.Entries)
	out.totals("accounts", r.Accounts)
	out.totals("payments", r.Payments)
	out.totals("cash-ins", r.CashIns)
	out.totals("between wallets", r.WalletTransfers)
	out.origin(r.Origin)
	out.log(r.Log, r.At)
	out.line("")
	for _, c := range r.Checks {
		verdict := "ok"
		switch {
		case c.Found > 0:
			verdict = fmt.Sprintf("%d WRONG", c.Found)
		//mutant:drop TestWhatIsNotChecked
		case c.NotChecked != "":
			verdict = "not checked: " + c.NotChecked
		}
		out.line("  %-24s %-60s %s", c.Invariant, c.Proves, verdict)
	}
	out.line("")
	for _, w := range r.Warnings {
		out.line("WARNING %s", w)
	}
	for _, v := range r.Violations {
		out.line("VIOLATION %s", v)
	}
	if len(r.Warnings)+len(r.Violations) > 0 {
		out.line("")
	}
	// The verdict stays the last line: scripts read it.
	out.line("%s", CannotKnow)
	out.line("")
	switch found := r.ViolationCount(); {
	case found == 0 && !r.Since.IsZero():
		out.line("All of it holds. Older transfers were not checked.")
	case found == 0:
		out.line("All holds.")
	case found == 1:
		out.line("1 violation.")
	case found > int64(len(r.Violations)):
		out.line("%d violations; the first %d are listed.", found, len(r.Violations))
	default:
		out.line("%d violations.", found)
	}
	return out.err
}

// printer stores the first error, so that its callers need not check each line.
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
