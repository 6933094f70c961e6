package payment

import (
	"context"
	"strings"
	"unicode/utf8"

	"elsom/internal/biller"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
)

// Unresolved is a payment that waits for a decision by staff.
type Unresolved struct {
	Payment
	Attempts  int
	Unknown   int    // attempts that may have been booked: they have no final answer
	Last      string // how the last attempt went
	Decisions []Decision
}

// Decision is the decision of one member of staff about an unresolved payment.
type Decision struct {
	PaymentID int64
	Staff     string
	Decision  State // Completed or Refunded
	Reason    string
}

// Claim is a payment that the biller booked after it was refunded.
type Claim struct {
	Payment
	ClaimReference string
}

// Unresolved returns the payments that wait for a decision: refused after an
// unknown attempt, or older than Timing.Unresolved. It returns the 1,000 oldest,
// and the number of all.
func (ps *Payments) Unresolved(ctx context.Context) (list []Unresolved, all int, err error) {
	list, all, err = readUnresolved(ctx, ps.db, database.StoredTime(ps.db.Now().Add(-ps.timing.Unresolved)))
	return list, all, fault.Wrap("payment.hanging", err)
}

// Claims returns the 1,000 oldest claims, and the number of all.
func (ps *Payments) Claims(ctx context.Context) (list []Claim, all int, err error) {
	list, all, err = readClaims(ctx, ps.db)
	return list, all, fault.Wrap("payment.claims", err)
}

// ByCode returns a payment by its payment code, for staff.
func (ps *Payments) ByCode(ctx context.Context, code string) (Payment, error) {
	p, err := readByCode(ctx, ps.db, input.Digits(code))
	return p, fault.Wrap("payment.by code", err)
}

// Decide stores a decision about an unresolved payment. The same decision by two
// different people ends the payment, under the request key of any end; done reports
// whether this was the second one. Faults: NotFound; Invalid for a missing name or
// reason; Conflict for a payment that isn't unresolved, or a second decision of one
// person.
func (ps *Payments) Decide(ctx context.Context, d Decision) (done bool, err error) {
	const act = "payment.decide"
	d.Staff, d.Reason = strings.ToLower(input.Name(d.Staff)), input.Name(d.Reason)
	if d.Staff == "" || d.Reason == "" || utf8.RuneCountInString(d.Staff) > 60 || utf8.RuneCountInString(d.Reason) > 300 ||
		(d.Decision != Completed && d.Decision != Refunded) {
		return false, fault.New(fault.Invalid, act, "payment.decide_invalid")
	}
	var payment Payment
	words := 0
	err = ps.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if payment, err = lockPayment(tx, d.PaymentID); err != nil {
			return err
		}
		hangs := !payment.ReviewSince.IsZero() || tx.Now().Sub(payment.AcceptedAt) > ps.timing.Unresolved
		if payment.State != Processing || !hangs {
			return fault.New(fault.Conflict, act, "payment.not_hanging")
		}
		if err := insertDecision(tx, d); err != nil {
			return err
		}
		words, err = countDecisions(tx, d.PaymentID, d.Decision)
		return err
	})
	switch {
	case database.IsUniqueViolation(err):
		// The same person again: not a second decision, but one that two people
		// have made may still have to be carried out.
		if words, err = ps.recountDecisions(ctx, d); err != nil {
			return false, err
		}
	case err != nil:
		return false, fault.Wrap(act, err)
	}
	//mutant:replace 2 => 1 TestDecideTakesTwoPeople
	if words < 2 {
		return false, nil
	}
	_, err = ps.postEnd(ctx, ending{payment: payment, state: d.Decision, ground: groundDecided, result: biller.ResultNone, reference: "decided"})
	return err == nil, err
}

// recountDecisions counts the decisions again, because a crash may have come
// between the second one and its transfer. It returns a Conflict where there are
// not two.
func (ps *Payments) recountDecisions(ctx context.Context, d Decision) (int, error) {
	words := 0
	err := ps.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		words, err = countDecisions(tx, d.PaymentID, d.Decision)
		return err
	})
	if err == nil && words < 2 {
		err = fault.New(fault.Conflict, "payment.decide", "payment.decided_twice")
	}
	return words, err
}
