// Package history reads a wallet's operations by period and other conditions, with their
// totals, and its account statements.
//
// A page reads a bounded number of entries, and totals are those of the days (see days.go)
// and of the few operations after them, so that neither grows with the wallet. Both
// are exact. The package reads the tables of the books and of the operations; it writes only
// sums that are derived from them. It never shows one customer's data to another.
package history

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// Kind is the kind of an operation.
type Kind string

// The kinds of operations.
const (
	Payment  Kind = "payment"
	CashIn   Kind = "cashin"
	Sent     Kind = "sent"   // a transfer to another wallet
	Received Kind = "got"    // a transfer from another wallet
	Other    Kind = "other"  // a correction by staff
	Refund   Kind = "refund" // what a refunded payment gave back; a line of statements only
)

// State is the state of an operation. All but payments are completed.
type State string

// The states of operations.
const (
	Processing State = "processing"
	Completed  State = "completed"
	Refunded   State = "refunded"
)

// Direction is where money went.
type Direction string

// In: into the wallet. Out: out of it.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Operation is an operation of a wallet.
type Operation struct {
	ID   int64 // the transfer's in the books
	Kind Kind
	// State is Refunded for a payment that was given back; its amount is in no sum then.
	State  State
	Amount money.Amount // with the fee; below zero: out of the wallet
	At     time.Time

	// Of payments and refunds.
	PaymentID                        int64
	Service, Identifier, Payee, Code string
	Fee                              money.Amount

	// Of transfers: the other side, its name as it was shown then.
	TransferID        int64
	Party, PartyPhone string
	// Agent is the code of the agent of a cash-in.
	Agent string
}

// The bounds of what a request reads.
const (
	// MaxDays is the longest period.
	MaxDays = 366
	// MaxSearched is how many operations a period may have for a search in it.
	MaxSearched = 5_000
	// MaxExported is how many operations a file may have.
	MaxExported = 50_000
	// MaxStated is how many operations a statement may have as a document.
	MaxStated = 5_000

	maxLooked = 1_000 // entries that a page looks at
)

// The faults of this package.
const (
	TooManyToSearch fault.Reason = "history.search_period"
	TooManyToExport fault.Reason = "history.export_period"
	TooManyToState  fault.Reason = "history.statement_period"
	StillSumming    fault.Reason = "history.summing"
)

// History reads operations.
type History struct {
	db *database.DB
	// readAsIs is how many operations behind the mark are read rather than summed up; chunk
	// is how many entries a transaction sums up.
	readAsIs, chunk int
}

// New returns the history of the wallets in a database.
func New(db *database.DB) *History { return &History{db: db, readAsIs: 300, chunk: 2_000} }

// Page is a part of what a filter selects, newest first.
type Page struct {
	Operations []Operation
	// Older is the cursor of the next page; 0: there is none.
	Older int64
}

// List returns up to n operations that a filter selects, older than the operation before,
// or the newest ones if that is 0. A page may have fewer, even none, though there are older
// ones: it looks at a bounded number of entries.
func (h *History) List(ctx context.Context, account int64, f Filter, before int64, n int) (Page, error) {
	w := f.window(account)
	if before > 0 {
		w.before = min(w.before, before)
	}
	page := Page{}
	for looked, size := 0, n+n/2; looked < maxLooked; size = min(4*size, maxLooked-looked) {
		w.limit = size
		rows, err := h.rows(ctx, w)
		if err != nil {
			return page, fault.Wrap("history.list", err)
		}
		for _, r := range rows {
			if !f.selects(r) {
				continue
			}
			if len(page.Operations) == n {
				page.Older = page.Operations[n-1].ID
				return page, nil
			}
			page.Operations = append(page.Operations, r.Operation)
		}
		if len(rows) < size {
			return page, nil
		}
		looked += size
		w.before = rows[len(rows)-1].ID
	}
	page.Older = w.before
	return page, nil
}

// Each calls do with the operations that a filter selects, newest first, and returns its
// first error.
func (h *History) Each(ctx context.Context, account int64, f Filter, do func(Operation) error) error {
	w := f.window(account)
	for w.limit = maxLooked; ; {
		rows, err := h.rows(ctx, w)
		if err != nil {
			return fault.Wrap("history.each", err)
		}
		for _, r := range rows {
			if !f.selects(r) {
				continue
			}
			if err := do(r.Operation); err != nil {
				return err
			}
		}
		if len(rows) < w.limit {
			return nil
		}
		w.before = rows[len(rows)-1].ID
	}
}

// Totals are the totals of what a filter selects. In and Out are without sign, and have
// no refunded payments; Returned is the sum of their refunds.
type Totals struct {
	In, Out, Returned money.Amount
	Count             int
	// Months has the months of the period, oldest first, also those without operations.
	Months []Month
}

// Month has the totals of a month.
type Month struct {
	First   time.Time // its first day
	In, Out money.Amount
	Count   int
}

// Totals returns the totals of what a filter selects.
func (h *History) Totals(ctx context.Context, account int64, f Filter) (Totals, error) {
	found, err := h.sums(ctx, account, f.From, f.To)
	if err != nil {
		return Totals{}, fault.Wrap("history.totals", err)
	}
	totals := newTotals(f)
	if f.Query == "" && f.State == "" {
		for k, c := range found.cells {
			if f.counts(k) {
				totals.add(k.day, k.kind, c)
			}
		}
		return totals, nil
	}
	if found.operations() > MaxSearched {
		return Totals{}, fault.New(fault.Invalid, "history.totals", TooManyToSearch).At(f.searchField()).With("Most", MaxSearched)
	}
	err = h.Each(ctx, account, f, func(o Operation) error {
		k, c := cellOf(o)
		if o.State == Refunded {
			k.kind = kindRefunded
		}
		totals.add(k.day, k.kind, c)
		return nil
	})
	return totals, err
}

// Exportable returns an error if a filter selects more operations than a file may have.
func (h *History) Exportable(ctx context.Context, account int64, f Filter) error {
	totals, err := h.Totals(ctx, account, f)
	if err == nil && totals.Count > MaxExported {
		return fault.New(fault.Invalid, "history.export", TooManyToExport).At("from").With("Most", MaxExported)
	}
	return err
}

// newTotals returns totals of zero with the months of a filter's period.
func newTotals(f Filter) Totals {
	var t Totals
	year, month, _ := f.From.In(zone).Date()
	for first := time.Date(year, month, 1, 0, 0, 0, 0, zone); first.Before(f.To); first = first.AddDate(0, 1, 0) {
		t.Months = append(t.Months, Month{First: first})
	}
	return t
}

// add adds the sums of a day. Of refunded payments it counts the number only.
func (t *Totals) add(day int64, kind string, c cell) {
	if len(t.Months) == 0 {
		return
	}
	first := t.Months[0].First
	i := int(day/10_000)*12 + int(day/100%100) - first.Year()*12 - int(first.Month())
	month := &t.Months[min(max(i, 0), len(t.Months)-1)]
	t.Count, month.Count = t.Count+c.operations, month.Count+c.operations
	switch {
	case kind == kindRefunded:
		t.Returned -= c.amount
	case c.amount > 0:
		t.In, month.In = t.In+c.amount, month.In+c.amount
	default:
		t.Out, month.Out = t.Out-c.amount, month.Out-c.amount
	}
}
