package payment

import (
	"context"
	"errors"
	"strconv"
	"time"

	"elsom/internal/biller"
	"elsom/internal/database"
	"elsom/internal/signature"
)

// SignedAttempt is a row of payment_attempts, all of which its signature covers. An attempt is signed
// when it is inserted, before its call, and again with its outcome.
type SignedAttempt struct {
	ID        int64
	PaymentID int64
	Number    int    // from 1, without gaps
	Biller    string // that is called; empty in attempts of earlier releases
	StartedAt time.Time
	EndedAt   *time.Time // nil: no outcome is stored
	Outcome   string     // empty: none is stored
	Result    *int64     // nil: no outcome is stored
	Reference string
	Remark    string
}

// Record returns the canonical form of an attempt. It is stored in signatures and in the
// log, so it never changes.
func (a SignedAttempt) Record() *signature.Record {
	r := signature.NewRecord(signature.Attempt, a.ID).
		Int(a.PaymentID).Int(int64(a.Number)).Text(a.Biller).Time(a.StartedAt)
	if a.EndedAt == nil {
		r.Absent()
	} else {
		r.Time(*a.EndedAt)
	}
	if a.Outcome == "" {
		r.Absent()
	} else {
		r.Text(a.Outcome)
	}
	if a.Result == nil {
		r.Absent()
	} else {
		r.Int(*a.Result)
	}
	return r.Text(a.Reference).Text(a.Remark)
}

// outcomeUnverified is the outcome of an attempt that is not as it was signed. It is
// never stored.
const outcomeUnverified = "unverified"

// markUnverified makes the outcome unknown if verifying the attempt failed.
func (a *SignedAttempt) markUnverified(err error) {
	if err != nil {
		a.Remark = "stored as " + a.Outcome + ", " + cause(err)
		a.Outcome = outcomeUnverified
	}
}

// mayBeBooked reports whether the biller may have booked the payment by this attempt: it
// was not refused, and the call may have been made. It is so for an attempt without an
// outcome (after a crash or an expired lease), without a readable answer, answered as
// unfinished, or not as it was signed. See biller.Outcome.
//
//mutant:replace a.Outcome != biller.Refused.String() && => a.Outcome != "" && a.Outcome != biller.Refused.String() && TestAttemptWithoutOutcomeIsUnknown
//mutant:replace a.Outcome != biller.Refused.String() && => a.Outcome != "later" && a.Outcome != biller.Refused.String() && TestVerdictOnAnswers
//mutant:replace a.Outcome != biller.Refused.String() && => a.Outcome != "" && a.Outcome != biller.Refused.String() && ./internal/simulation TestSimulation
//mutant:replace a.Outcome != biller.Refused.String() && => a.Outcome != "later" && a.Outcome != biller.Refused.String() && ./internal/simulation TestSimulation
func (a *SignedAttempt) mayBeBooked() bool {
	return a.Outcome != biller.Refused.String() && a.Outcome != biller.Unsent.String()
}

// summary returns outcome, result and remark for staff.
func (a *SignedAttempt) summary() string {
	text := a.Outcome
	if text == "" || text == outcomeUnverified {
		text = biller.Unknown.String()
	}
	if a.Result != nil && *a.Result != biller.ResultNone && a.Outcome != outcomeUnverified {
		text += " " + strconv.FormatInt(*a.Result, 10)
	}
	if a.Remark != "" {
		text += ": " + a.Remark
	}
	return text
}

// cause returns the text of the signature's error, without what surrounds it.
func cause(err error) string {
	for _, known := range []error{signature.ErrUnsigned, signature.ErrUnknownKey, signature.ErrForged} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}

var (
	errAttemptMissing     = errors.New("an attempt is missing")
	errAttemptOtherBiller = errors.New("an attempt called another biller")
	errForeignOutcome     = errors.New("the attempt is missing, or its outcome was stored by something else")
)

// verifyAttempts returns whether the biller may have booked a payment by one of its
// attempts, and the reason why they can't be trusted, or nil. An attempt that was changed
// may hide a call that the biller has booked, so that it counts as unknown.
func (p Payment) verifyAttempts(ctx context.Context, tx *database.Tx, attempts []storedAttempt) (unknown bool, err error) {
	for i, a := range attempts {
		//mutant:replace tx.Verify(ctx, a.Record(), a.MAC, a.KeyID) => error(nil) TestForgedAttemptIsNotDelivered
		wrong := tx.Verify(ctx, a.Record(), a.MAC, a.KeyID)
		switch {
		case wrong != nil:
		//mutant:drop TestForgedAttemptIsNotDelivered
		case a.Number != i+1:
			wrong = errAttemptMissing
		//mutant:drop TestAttemptOfAnotherBillerIsUnknown
		case a.Biller != "" && a.Biller != p.Biller && a.Outcome != biller.Unsent.String():
			wrong = errAttemptOtherBiller
		}
		if err == nil {
			err = wrong
		}
		unknown = unknown || wrong != nil || a.mayBeBooked()
	}
	return unknown, err
}
