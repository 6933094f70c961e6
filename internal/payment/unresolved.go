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
	Last      string // outcome, result and remark of the last attempt
	Decisions []Decision
}

// Decision is the decision of one member of staff about an unresolved payment.
type Decision struct {
	PaymentID int64
	Staff     string
	Decision  State // Completed or Refunded
	Reason    string
}

// Claim is a payment that was refunded although the biller booked it.
type Claim struct {
	Payment
	ClaimReference string
}

// Unresolved returns the 1,000 oldest payments that wait for a decision, because
// they were refused after an unknown attempt or are older than Timing.Unresolved.
// all is their total number.
func (ps *Payments) Unresolved(ctx context.Context) (list []Unresolved, all int, err error) {
	list, all, err = readUnresolved(ctx, ps.db, database.StoredTime(ps.db.Now().Add(-ps.timing.Unresolved)))
	return list, all, fault.Wrap("payment.hanging", err)
}

// Claims returns the 1,000 oldest claims; all is their total number.
func (ps *Payments) Claims(ctx context.Context) (list []Claim, all int, err error) {
	list, all, err = readClaims(ctx, ps.db)
	return list, all, fault.Wrap("payment.claims", err)
}

// ByCode returns a payment by its payment code, for staff.
func (ps *Payments) ByCode(ctx context.Context, code string) (Payment, error) {
	p, err := readByCode(ctx, ps.db, input.Digits(code))
	return p, fault.Wrap("payment.by_code", err)
}

// Decide stores a decision about an unresolved payment. The same decision by two
// different people ends the payment, with EndKey as the request key; done reports
// whether this call ended it. Errors: NotFound; Invalid for a missing or long name
// or reason; Conflict for a payment that isn't unresolved, or for a second decision
// of the same person.
func (ps *Payments) Decide(ctx context.Context, d Decision) (done bool, err error) {
	const op = "payment.decide"
	d.Staff, d.Reason = strings.ToLower(input.Name(d.Staff)), input.Name(d.Reason)
	if d.Staff == "" || d.Reason == "" || utf8.RuneCountInString(d.Staff) > 60 || utf8.RuneCountInString(d.Reason) > 300 ||
		(d.Decision != Completed && d.Decision != Refunded) {
		return false, fault.New(fault.Invalid, op, "payment.decide_invalid")
	}
	var payment Payment
	count := 0
	err = ps.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if payment, err = lockPayment(tx, d.PaymentID); err != nil {
			return err
		}
		isUnresolved := !payment.ReviewSince.IsZero() || tx.Now().Sub(payment.AcceptedAt) > ps.timing.Unresolved
		if payment.State != Processing || !isUnresolved {
			return fault.New(fault.Conflict, op, "payment.not_hanging")
		}
		if err := insertDecision(tx, d); err != nil {
			return err
		}
		count, err = countDecisions(tx, d.PaymentID, d.Decision)
		return err
	})
	switch {
	case database.IsUniqueViolation(err):
		// The same person again. This is not a second decision, but a decision of
		// two people may not have been carried out yet.
		if count, err = ps.recountDecisions(ctx, d); err != nil {
			return false, err
		}
	case err != nil:
		return false, fault.Wrap(op, err)
	}
	//mutant:replace 2 => 1 TestDecideTakesTwoPeople
	if count < 2 {
		return false, nil
	}
	_, err = ps.postEnd(ctx, ending{payment: payment, state: d.Decision, ground: groundDecided, result: biller.ResultNone, reference: "decided"})
	return err == nil, err
}

// recountDecisions returns the number of equal decisions if there are two:
// a crash may have prevented the transfer after the second one. Otherwise it
// returns fault.Conflict.
func (ps *Payments) recountDecisions(ctx context.Context, d Decision) (int, error) {
	count := 0
	err := ps.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		count, err = countDecisions(tx, d.PaymentID, d.Decision)
		return err
	})
	if err == nil && count < 2 {
		err = fault.New(fault.Conflict, "payment.decide", "payment.decided_twice")
	}
	return count, err
}
