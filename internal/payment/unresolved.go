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

// Unresolved is a payment that waits for a person, with what is known of it.
type Unresolved struct {
	Payment
	Attempts  int
	Unknown   int    // attempts that may have been booked: they have no final answer
	Last      string // how the last attempt went
	Decisions []Decision
}

// Decision is one member of staff's word on a hanging payment.
type Decision struct {
	PaymentID int64
	Staff     string
	Decision  State // Completed or Refunded
	Reason    string
}

// Claim is a payment that was refunded and then taken by the biller after all.
type Claim struct {
	Payment
	ClaimReference string
}

// Unresolved lists the payments that wait for a person: refused after an unknown
// attempt, or open for longer than a day. It gives the 1,000 oldest, and how many there are.
func (ps *Payments) Unresolved(ctx context.Context) (list []Unresolved, all int, err error) {
	list, all, err = readUnresolved(ctx, ps.db, database.StoredTime(ps.db.Now().Add(-ps.timing.Unresolved)))
	return list, all, fault.Wrap("payment.hanging", err)
}

// Claims lists what a biller took after a refund: the 1,000 oldest, and how
// many there are.
func (ps *Payments) Claims(ctx context.Context) (list []Claim, all int, err error) {
	list, all, err = readClaims(ctx, ps.db)
	return list, all, fault.Wrap("payment.claims", err)
}

// ByCode finds a payment by its payment code, for staff.
func (ps *Payments) ByCode(ctx context.Context, code string) (Payment, error) {
	p, err := readByCode(ctx, ps.db, input.Digits(code))
	return p, fault.Wrap("payment.by code", err)
}

// Decide writes a member of staff's word on a hanging payment. Two different
// people with the same word end it, by the same request key as any end; the
// result tells whether this was the second. Failures: NotFound; Invalid for a
// missing name or reason; Conflict for a payment that doesn't hang, or a
// second word of one person.
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
		// The same person again: no second word, but what two have said is done.
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

// recountDecisions lets a decision that two have made, and that met a crash before
// its transfer, be carried out; otherwise one person can't speak twice.
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
