// Package wallet opens and closes wallets and reads their balance and statement.
//
// A wallet's account in the ledger has the customer's id. A wallet is opened in
// the transaction that creates its customer, so neither exists without the
// other. The package never shows one customer's data to another.
package wallet

import (
	"context"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// Open opens a customer's wallet in the transaction that creates the customer.
func Open(ctx context.Context, tx *database.Tx, customerID int64) error {
	floor := money.Amount(0)
	return ledger.Open(tx, &ledger.Account{
		ID: customerID, Type: ledger.Wallet, Subject: strconv.FormatInt(customerID, 10), Floor: &floor,
	})
}

// Kind is the kind of an operation.
type Kind string

// The kinds of operations.
const (
	Payment  Kind = "payment"
	Refund   Kind = "refund"
	CashIn   Kind = "cashin"
	Sent     Kind = "sent"  // a transfer to another wallet
	Received Kind = "got"   // a transfer from another wallet
	Other    Kind = "other" // a correction by staff
)

// Direction selects the lines of a statement.
type Direction = ledger.Direction

// In selects credits, Out debits, Both everything.
const (
	Both = ledger.Both
	In   = ledger.In
	Out  = ledger.Out
)

// Operation is a line of a wallet's statement.
type Operation struct {
	ID         int64 // the transfer's
	Kind       Kind
	PaymentID  int64  // of Payment and Refund
	TransferID int64  // of Sent and Got: Transfer.ID
	Agent      string // code of the agent of CashIn
	Amount     money.Amount
	At         time.Time
}

// Page is a part of a statement, newest first.
type Page struct {
	Operations []Operation
	// Older and Newer are the cursors of the neighboring pages; HasOlder and
	// HasNewer report whether there are any. Cursor 0 is the first page.
	Older, Newer       int64
	HasOlder, HasNewer bool
	// In, Out and Count are totals over all operations that the direction selects.
	In, Out money.Amount
	Count   int
}

// Wallets reads balances and statements from the ledger.
type Wallets struct{ ledger *ledger.Ledger }

// New returns the wallets of a ledger.
func New(l *ledger.Ledger) *Wallets { return &Wallets{l} }

// Balance returns a customer's balance.
func (w *Wallets) Balance(ctx context.Context, customerID int64) (money.Amount, error) {
	return w.ledger.Balance(ctx, customerID)
}

// The operations that post transfers of wallets. A statement shows a refunded
// payment once, as refunded, and counts neither of its two transfers.
const (
	opPayment  = "payment.accept"
	opRefund   = "payment.refund"
	opCashIn   = "cashin.pay_in"
	opTransfer = "wallet.transfer"
)

// Latest returns the balance and the last n operations.
func (w *Wallets) Latest(ctx context.Context, customerID int64, n int) (money.Amount, []Operation, error) {
	state, lines, _, err := w.ledger.Newest(ctx, ledger.Query{Account: customerID, ExcludeOp: opRefund, Limit: n})
	return state.Balance, operations(lines), err
}

// Statement returns the page of n operations older than the cursor. A page may
// have fewer, and of one direction none, though there are older ones: it looks at a bounded
// number of entries.
func (w *Wallets) Statement(ctx context.Context, customerID int64, d Direction, cursor int64, n int) (Page, error) {
	q := ledger.Query{Account: customerID, Direction: d, ExcludeOp: opRefund, Limit: n + 1}
	state, lines, more, err := w.lines(ctx, q, cursor)
	if err != nil {
		return Page{}, err
	}
	page := Page{Older: more, HasOlder: more != 0, HasNewer: cursor != 0}
	page.Operations = operations(lines[:min(n, len(lines))])
	if len(lines) > n {
		page.Older, page.HasOlder = lines[n-1].Transfer, true
	}
	if page.HasNewer {
		page.Newer, err = w.ledger.Newer(ctx, ledger.Query{Account: customerID, Direction: d, ExcludeOp: opRefund, Limit: n}, cursor)
		if err != nil {
			return Page{}, err
		}
	}
	page.sum(state.Sums, d)
	return page, nil
}

// lines returns the state of a wallet with the lines of a page.
func (w *Wallets) lines(ctx context.Context, q ledger.Query, cursor int64) (state ledger.State, lines []ledger.Line, more int64, err error) {
	if cursor == 0 && q.Direction == Both {
		return w.ledger.Newest(ctx, q)
	}
	if lines, more, err = w.ledger.Statement(ctx, q, cursor); err == nil {
		state, err = w.ledger.State(ctx, q.Account)
	}
	return state, lines, more, err
}

// sum sets the totals that the direction selects.
func (p *Page) sum(sums ledger.Sums, d Direction) {
	if d != Out {
		p.In, p.Count = sums.In, sums.InCount
	}
	if d != In {
		p.Out, p.Count = sums.Out, p.Count+sums.OutCount
	}
}

// Operation returns one of a customer's operations; fault.NotFound for others.
func (w *Wallets) Operation(ctx context.Context, customerID, id int64) (Operation, error) {
	line, err := w.ledger.LineOf(ctx, customerID, id)
	if err != nil {
		return Operation{}, err
	}
	return operation(line), nil
}

func operations(lines []ledger.Line) []Operation {
	list := make([]Operation, len(lines))
	for i, line := range lines {
		list[i] = operation(line)
	}
	return list
}

// operation describes a line by its subject.
func operation(line ledger.Line) Operation {
	o := Operation{ID: line.Transfer, Kind: Other, Amount: line.Amount, At: line.PostedAt}
	switch {
	case line.Op == opRefund:
		o.Kind = Refund
	case line.Op == opPayment:
		o.Kind = Payment
	case line.Op == opCashIn:
		o.Kind, o.Agent = CashIn, line.Till
	case line.Op == opTransfer && line.Amount > 0:
		o.Kind = Received
	case line.Op == opTransfer:
		o.Kind = Sent
	}
	switch subject := subjectOf(line); subject.Type {
	case ledger.Payment:
		o.PaymentID = subject.ID
	case ledger.WalletTransfer:
		o.TransferID = subject.ID
	case ledger.CashIn, ledger.Settlement:
	}
	return o
}

// subjectOf returns the subject of a line. The previous release, which may serve an
// SQLite database of this schema after a step back, stores none: it is then read
// from the request key. PostgreSQL derives it by a trigger.
func subjectOf(line ledger.Line) ledger.Subject {
	//mutant:replace line.Subject.Type != "" => true TestOperationsOfThePreviousRelease
	if line.Subject.Type != "" {
		return line.Subject
	}
	kind, rest, _ := strings.Cut(line.Key, ":")
	text, _, _ := strings.Cut(rest, ":")
	id, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
	case kind == "payment":
		return ledger.Subject{Type: ledger.Payment, ID: id}
	case kind == "transfer":
		return ledger.Subject{Type: ledger.WalletTransfer, ID: id}
	}
	return ledger.Subject{}
}
