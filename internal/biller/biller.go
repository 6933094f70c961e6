// Package biller is the port to those who are paid: what is asked of them and
// what they can answer, whatever wire lies between.
//
// It promises that an answer is always one of five outcomes, that whatever
// can't be read as a plain answer is Unknown, and that Unsent is only what
// certainly never left. It never decides what happens
// to the money, never repeats a call and never makes up a TxnID.
package biller

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/money"
)

// Request is one question to a biller. A payment's check and all its pays
// carry the same TxnID.
type Request struct {
	// TxnID is the caller's number of the payment: decimal digits, at most 28.
	TxnID string
	// Date is when the payment was accepted; sent with Pay only. The wire
	// turns it into the biller's local time.
	Date time.Time
	// Account is what the payer typed for the service: ИНН, contract number.
	Account string
	// Sum is what the biller gets, in tyiyn, without the payer's fee.
	Sum money.Amount
}

// Outcome is what an answer means for the payment.
type Outcome int

const (
	// Unknown is everything that can't be read as a plain answer: no answer in
	// time, a broken connection, any HTTP status but 200, a body that is not
	// the XML agreed on, an echoed id or sum that is not ours, result 243, a
	// result nobody knows. The biller may have booked. It is the zero value,
	// so that a forgotten outcome is never mistaken for a good one.
	Unknown Outcome = iota
	// Good is result 0: done, or for a check: may be paid.
	Good
	// Refused is a final no: results 4, 5, 7, 8, 79, 241, 242, 300.
	Refused
	// Later is results 1 and 90: the biller answered that it isn't finished.
	// It may have booked all the same; repeat with the same TxnID.
	Later
	// Unsent is a request that certainly never left: no connection was made, so
	// that not a byte of it was written. The biller can't have booked by it.
	Unsent
)

var outcomeNames = [...]string{"unknown", "good", "refused", "later", "unsent"}

// Final reports whether the outcome settles what became of the request: the
// biller said so, or never got it.
func (o Outcome) Final() bool { return o == Good || o == Refused || o == Unsent }

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

// OutcomeOf tells what a result means; a result nobody knows is Unknown.
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

// Answer is what came of one call.
type Answer struct {
	Outcome Outcome
	// Result is the biller's number, ResultNone where there was none that
	// can be trusted to be an answer to this request.
	Result int
	// Name is the payer's or company's name that a check may tell; cleaned
	// of control characters, at most NameLength characters, may be empty.
	Name string
	// Reference is the biller's own number of the payment (prv_txn).
	Reference string
	// Comment is the biller's remark, cleaned and bounded like Name; for
	// staff, never for the payer.
	Comment string
	// Err says for the log why the outcome is Unknown or Unsent; it holds neither the
	// account nor the biller's credentials. Nil otherwise.
	Err error
}

// Bounds of the texts in an Answer, in characters.
const (
	NameLength      = 100
	ReferenceLength = 64
	CommentLength   = 200
)

// Biller is asked. Both acts keep to the context's deadline, return one
// Answer for one call and never repeat by themselves.
type Biller interface {
	// Check asks whether Account may be paid Sum, and for whom it is.
	Check(ctx context.Context, r Request) Answer
	// Pay asks to book; repeating it with the same TxnID is safe.
	Pay(ctx context.Context, r Request) Answer
}
