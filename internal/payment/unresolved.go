package payment

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"elsom/internal/biller"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/operatorlog"
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
	// Evidence is the biller's answer that the decision rests on: its text, letter or
	// reference. Without it, only a payment that waits for staff can be decided.
	Evidence string
	MadeAt   time.Time
	// OSUser is the user of the machine whose command made it, from the operator log;
	// read by Show only. It is not signed.
	OSUser string
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

// Processing returns the 1,000 oldest payments that are processing, also those that
// wait for no decision; all is their total number.
func (ps *Payments) Processing(ctx context.Context) (list []Unresolved, all int, err error) {
	list, all, err = readUnresolved(ctx, ps.db, ps.db.Now().Add(time.Hour))
	return list, all, fault.Wrap("payment.processing", err)
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
// whether this call ended it. With evidence of the biller's answer a payment can be
// decided before it is unresolved.
//
// Errors: NotFound; Invalid for a missing or long name or reason (the cause says
// what, for the operator); Conflict for a payment that has ended, for one that isn't
// unresolved without evidence, or for a second decision of the same person.
func (ps *Payments) Decide(ctx context.Context, d Decision) (done bool, err error) {
	const op = "payment.decide"
	if d, err = d.normalized(op); err != nil {
		return false, err
	}
	var payment Payment
	var made []Decision
	repeated := false
	err = ps.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if payment, err = lockPayment(tx, d.PaymentID); err != nil {
			return err
		}
		if payment.State != Processing {
			return fault.New(fault.Conflict, op, "payment.not_hanging")
		}
		booked, err := readWithBooks(tx, []int64{payment.ID})
		if err != nil {
			return err
		}
		//mutant:drop TestManipulatedPaymentIsNotDecided
		if err := booked[payment.ID].verifyInBooks(ctx, tx); err != nil {
			return fault.New(fault.Unavailable, op, "").Because(err)
		}
		payment.accepted = booked[payment.ID].accepted
		if made, err = decisionsOf(ctx, tx, d.PaymentID); err != nil {
			return err
		}
		//mutant:replace decidedBy(made, d.Staff) => d.Staff == "" TestSpellingsOfOnePersonCountOnce
		if repeated = decidedBy(made, d.Staff); repeated {
			return nil
		}
		if err := ps.mayDecide(payment, d, tx.Now()); err != nil {
			return err
		}
		d.MadeAt = tx.Now()
		made = append(made, d)
		if err := insertDecision(tx, d); err != nil {
			return err
		}
		return operatorlog.Record(ctx, tx, operatorlog.Change{Subject: "payment " + payment.Code, Before: stateOf(payment.State), After: map[string]any{
			"decision": decisionWord(d.Decision), "evidence": d.Evidence, "people": people(made, d.Decision),
		}})
	})
	switch enough := people(made, d.Decision) >= neededPeople; {
	case err != nil:
		return false, fault.Wrap(op, err)
	case repeated && !enough:
		return false, fault.New(fault.Conflict, op, "payment.decided_twice")
	case !enough:
		return false, nil
	}
	// Also when a person repeats a decision: a crash may have prevented the transfer
	// after the second one.
	riders, err := operatorlog.Riders(ctx, operatorlog.Change{
		Subject: "payment " + payment.Code, Before: stateOf(Processing), After: stateOf(d.Decision),
	})
	if err != nil {
		return false, err
	}
	_, err = ps.postEnd(ctx, ending{payment: payment, state: d.Decision, ground: groundDecided, result: biller.ResultNone, reference: "decided"}, riders...)
	return err == nil, err
}

func stateOf(s State) map[string]any { return map[string]any{"state": s} }

// neededPeople is the number of people who have to make the same decision.
//
//mutant:replace 2 => 1 TestDecideTakesTwoPeople
const neededPeople = 2

// normalized returns the decision as it is stored, or fault.Invalid.
func (d Decision) normalized(op string) (Decision, error) {
	name, err := input.StaffName(d.Staff)
	if err != nil {
		return d, fault.New(fault.Invalid, op, "").Because(err)
	}
	d.Staff, d.Reason, d.Evidence = strings.ToLower(name), input.Name(d.Reason), input.Name(d.Evidence)
	if d.Reason == "" || utf8.RuneCountInString(d.Reason) > maxReason || utf8.RuneCountInString(d.Evidence) > maxReason ||
		!utf8.ValidString(d.Reason+d.Evidence) || (d.Decision != Completed && d.Decision != Refunded) {
		return d, fault.New(fault.Invalid, op, "payment.decide_invalid")
	}
	return d, nil
}

const maxReason = 300

// mayDecide returns fault.Conflict if a payment can't be decided now. A payment that
// is still being repeated is decided with evidence only: without the biller's answer a
// refund would be a guess, and the biller may book the next call.
func (ps *Payments) mayDecide(p Payment, d Decision, now time.Time) error {
	isUnresolved := !p.ReviewSince.IsZero() || now.Sub(p.AcceptedAt) > ps.timing.Unresolved
	//mutant:drop TestDecideWithEvidence
	if !isUnresolved && d.Evidence == "" {
		return fault.New(fault.Conflict, "payment.decide", "payment.evidence_needed")
	}
	return nil
}

// decidedBy reports whether a person has decided, under any spelling of the name.
func decidedBy(made []Decision, staff string) bool {
	return slices.ContainsFunc(made, func(d Decision) bool { return input.SamePerson(d.Staff, staff) })
}

// people returns the number of different people who made a decision.
func people(made []Decision, decision State) int {
	var counted []Decision
	for _, d := range made {
		//mutant:replace !decidedBy(counted, d.Staff) => true TestSpellingsOfOnePersonCountOnce
		if d.Decision == decision && !decidedBy(counted, d.Staff) {
			counted = append(counted, d)
		}
	}
	return len(counted)
}
