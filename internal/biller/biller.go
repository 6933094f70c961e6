// Package biller is the port to billers: requests, answers and the client
// interface, for any protocol.
//
// An answer always has one of five outcomes. It is Unknown if it can't be read, and
// Unsent only if nothing of the request was sent. The package never decides what
// happens to the money, never repeats a call and never generates a TxnID.
package biller

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/money"
)

// Request is a call to a biller. A payment's check and all its pays have the same
// TxnID.
type Request struct {
	// TxnID is the payment's number: decimal digits, at most 28.
	TxnID string
	// Date is when the payment was accepted; sent with Pay only, in the biller's
	// local time.
	Date time.Time
	// Account is the payer's identifier at the service: ИНН, contract number.
	Account string
	// Sum is what the biller gets, in tyiyn, without the payer's fee.
	Sum money.Amount
}

// Outcome is what an answer means for the payment.
type Outcome int

const (
	// Unknown is any answer that can't be read: no answer in time, a broken
	// connection, any HTTP status but 200, a body that is not the agreed XML, an
	// echoed id or sum that is not ours, result 243, an unknown result. The biller
	// may have booked the payment. It is the zero value, so that an outcome that
	// was not set is never taken for Good.
	Unknown Outcome = iota
	// Good is result 0: done, or for a check: may be paid.
	Good
	// Refused is a final refusal: results 4, 5, 7, 8, 79, 241, 242, 300.
	Refused
	// Later is results 1 and 90: not finished. The biller may still book the
	// payment; repeat the request with the same TxnID.
	Later
	// Unsent is a request that was never sent: no connection was made and not a
	// byte written. The biller can't have booked it.
	Unsent
)

var outcomeNames = [...]string{"unknown", "good", "refused", "later", "unsent"}

func (o Outcome) String() string {
	if o < 0 || int(o) >= len(outcomeNames) {
		return fmt.Sprintf("outcome %d", int(o))
	}
	return outcomeNames[o]
}

// Results of an OSMP biller, as the provider protocol numbers them.
const (
	ResultNone         = -1  // there was no readable answer
	ResultDone         = 0   // done
	ResultTemporary    = 1   // temporary failure, repeat
	ResultBadAccount   = 4   // the account's form is wrong
	ResultNoAccount    = 5   // no such account
	ResultForbidden    = 7   // payments are forbidden
	ResultTechnical    = 8   // forbidden for technical reasons
	ResultInactive     = 79  // the account is not active
	ResultNotFinished  = 90  // not finished, repeat
	ResultTooSmall     = 241 // the sum is too small
	ResultTooLarge     = 242 // the sum is too large
	ResultCannotVerify = 243 // the account's state can't be checked
	ResultOther        = 300 // any other mistake
)

// OutcomeOf returns the outcome of a result; Unknown for an unknown result.
func OutcomeOf(result int) Outcome {
	switch result {
	case ResultDone:
		return Good
	case ResultBadAccount, ResultNoAccount, ResultForbidden, ResultTechnical,
		ResultInactive, ResultTooSmall, ResultTooLarge, ResultOther:
		return Refused
	case ResultTemporary, ResultNotFinished:
		return Later
	}
	return Unknown
}

// Answer is the answer to one call.
type Answer struct {
	Outcome Outcome
	// Result is the biller's result code; ResultNone without an answer that
	// certainly belongs to this request.
	Result int
	// Name is the payer's or company's name from a check, without control
	// characters, at most NameLength characters; may be empty.
	Name string
	// Reference is the biller's own number of the payment (prv_txn).
	Reference string
	// Comment is the biller's remark, cleaned like Name; for staff, never for the
	// payer.
	Comment string
	// Err is the cause of Unknown or Unsent, for the log; nil otherwise. It holds
	// neither the account nor the biller's credentials.
	Err error
}

// Bounds of the texts in an Answer, in characters.
const (
	NameLength      = 100
	ReferenceLength = 64
	CommentLength   = 200
)

// Biller is the client of a biller. Both methods respect the context's deadline,
// return one Answer for one call and never repeat it.
type Biller interface {
	// Check asks whether Sum may be paid to Account, and for the owner's name.
	Check(ctx context.Context, r Request) Answer
	// Pay asks the biller to book the payment. It may be repeated with the same
	// TxnID: the biller books it once.
	Pay(ctx context.Context, r Request) Answer
}
