// Package paylist pays a list of accounts of one service: up to 100 lines, which a
// customer confirms once, on their total.
//
// A list is checked line by line in the background, shown as a whole, and then each line
// becomes a payment of its own with its own receipt. It guarantees that a line is paid at
// most once, however often the work is interrupted: a line names its draft before anything
// is paid, and payment accepts a draft once. The customer's confirmation covers all drafts
// with a keyed hash, which is verified before each payment. The package moves no money
// itself.
package paylist

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/draft"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/limit"
	"elsom/internal/money"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/ratelimit"
)

// State is the state of a list.
type State string

// A list is checked, waits for its customer, is paid, and is done.
const (
	Checking State = "checking"
	Ready    State = "ready"
	Paying   State = "paying"
	Done     State = "done"
)

// LineState is the state of a line.
type LineState string

// A line waits for its check, which it passes (Good) or not (Refused). A good line is Paid
// when its payment is accepted; Failed, when that was refused.
const (
	Waiting LineState = "waiting"
	Good    LineState = "good"
	Refused LineState = "refused"
	Paid    LineState = "paid"
	Failed  LineState = "failed"
)

// Lifetime is how long a list can be confirmed; its drafts live longer.
const Lifetime = 50 * time.Minute

// Line is one line of a list.
type Line struct {
	Line int // from 1
	Typed
	State      LineState
	Identifier string
	Payee      string
	Amount     money.Amount
	Fee        money.Amount
	DraftID    int64 // of the payment, too
	// Reason says why the line is refused or failed, with its arguments.
	Reason fault.Reason
	Args   map[string]any
}

// Total returns what the line debits to the wallet.
func (l Line) Total() money.Amount { return l.Amount + l.Fee }

// List is a list with its lines.
type List struct {
	draft.Terms
	CustomerID int64
	Service    string
	State      State
	SessionKey string // of the browser session that accepted it
	Epoch      int64  // the session epoch of the customer then
	Lines      []Line
}

// Count returns the number of lines in a state.
func (l List) Count(state LineState) (n int) {
	for _, one := range l.Lines {
		if one.State == state {
			n++
		}
	}
	return n
}

// Totals returns the totals of the lines in the given states.
func (l List) Totals(states ...LineState) (totals []money.Amount) {
	for _, one := range l.Lines {
		for _, state := range states {
			if one.State == state {
				totals = append(totals, one.Total())
			}
		}
	}
	return totals
}

// Total returns the sum of what the list pays, or has paid.
func (l List) Total() (sum money.Amount) {
	for _, total := range l.Totals(Good, Paid) {
		sum += total
	}
	return sum
}

// Key returns the key of a list for customer.CheckPIN and codes.
func Key(id int64) string { return "list:" + strconv.FormatInt(id, 10) }

// operation returns what is confirmed of a list: which drafts it pays, and for whom.
func (l List) operation() customer.Operation {
	drafts := sha256.New()
	for _, one := range l.Lines {
		if one.DraftID != 0 {
			drafts.Write([]byte(strconv.Itoa(one.Line) + ":" + strconv.FormatInt(one.DraftID, 10) + ";"))
		}
	}
	//mutant:replace , hex.EncodeToString(drafts.Sum(nil)) => TestForgedListPaysNothing
	return customer.Operation{Key: Key(l.ID), Bound: []string{l.Service, strconv.FormatInt(l.CustomerID, 10), hex.EncodeToString(drafts.Sum(nil))}}
}

// Parts are the dependencies of Lists.
type Parts struct {
	DB        *database.DB
	Ledger    *ledger.Ledger
	Notifier  *outbox.Notifier
	Catalog   *catalog.Catalog
	Customers *customer.Customers
	Counters  *ratelimit.Counters
	Payments  *payment.Payments
}

// Lists makes, checks and pays lists.
type Lists struct {
	parts      Parts
	limits     limit.Limits
	confirming draft.Confirming
}

// New returns lists made of parts.
func New(parts Parts) *Lists {
	return &Lists{parts: parts, limits: limit.New(parts.DB, parts.Ledger, parts.Catalog)}
}

var (
	makeRule    = ratelimit.Rule{Name: "payment lists by customer", Limit: 30, Window: time.Hour}
	addressRule = ratelimit.Rule{Name: "payment lists by address", Limit: 100, Window: time.Hour}
)

// Upload is a list as it was sent: a pasted text, or a file.
type Upload struct {
	Text string
	File []byte
	// Address is the client's address, for rate limits.
	Address string
}

// Make reads and stores a list and queues its check. It counts as one try, however many
// lines there are. Faults: those of Read, Forbidden during a hold, TooMany, NotFound for a
// service that is not offered.
func (ls *Lists) Make(ctx context.Context, c customer.Customer, service string, sent Upload) (int64, error) {
	const op = "paylist.make"
	offered, err := ls.parts.Catalog.Service(ctx, service)
	if err != nil {
		return 0, err
	}
	if err := customer.CheckHold(c, ls.parts.DB.Now()); err != nil {
		return 0, err
	}
	//mutant:drop ./web TestManyLists
	if err := ls.parts.Counters.Take(ctx, makeRule, strconv.FormatInt(c.ID, 10)); err != nil {
		return 0, err
	}
	if err := ls.parts.Counters.Take(ctx, addressRule, ratelimit.Address(sent.Address)); err != nil {
		return 0, err
	}
	typed, err := Read(offered, sent.Text, sent.File)
	if err != nil {
		return 0, err
	}
	lines, list := newLines(offered, typed), List{CustomerID: c.ID, Service: offered.Code, State: Checking}
	err = ls.parts.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		list.Begin(tx, Lifetime)
		list.Lines = lines
		if err := insert(tx, list); err != nil {
			return err
		}
		return outbox.Add(ctx, tx, outbox.Message{Queue: Queue, Key: messageKey(list.ID, Checking), Payload: work{list.ID}})
	})
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	ls.parts.Notifier.Notify(Queue)
	return list.ID, nil
}

// newLines returns the lines of a list. A line that names the account of an earlier one is
// refused: two lines for a company are mostly a mistake.
func newLines(service catalog.Service, typed []Typed) []Line {
	lines, first := make([]Line, len(typed)), map[string]int{}
	for i, t := range typed {
		lines[i] = Line{Line: i + 1, Typed: t, State: Waiting}
		l := &lines[i]
		if t.Formula {
			l.refuse(fault.New(fault.Invalid, "paylist.make", "paylist.formula"))
			continue
		}
		identifier, err := service.Identify(t.Account)
		if err != nil {
			continue // the check says why
		}
		//mutant:drop TestSameCompanyTwice
		if before, ok := first[identifier]; ok {
			l.refuse(fault.New(fault.Conflict, "paylist.make", "paylist.twice").With("Line", before))
			continue
		}
		first[identifier] = l.Line
	}
	return lines
}

func (l *Line) refuse(err error) {
	f := fault.All(err)[0]
	l.State, l.Reason, l.Args = Refused, f.Reason, f.Args
	if l.Reason == "" {
		l.Reason = "paylist.unchecked"
	}
}

// ByID returns a customer's list; fault.NotFound for another customer's.
func (ls *Lists) ByID(ctx context.Context, customerID, id int64) (List, error) {
	const op = "paylist.read"
	l, err := ls.read(ctx, id)
	if err != nil {
		return List{}, fault.Wrap(op, err)
	}
	//mutant:replace || l.CustomerID != customerID => ./web TestListOfAnotherWallet
	if l == nil || l.CustomerID != customerID {
		return List{}, fault.New(fault.NotFound, op, "")
	}
	return *l, nil
}

// Expired reports whether a list is too old to be confirmed.
func (ls *Lists) Expired(l List) bool { return l.Terms.Expired(ls.parts.DB.Now()) }

// Purge deletes lists that were not confirmed, a day after they expired, and those that
// were paid, after 90 days. It returns their number.
func (ls *Lists) Purge(ctx context.Context) (int64, error) {
	now := ls.parts.DB.Now()
	n, err := ls.purge(ctx, now.Add(-24*time.Hour), now.Add(-90*24*time.Hour))
	return n, fault.Wrap("paylist.purge", err)
}
