package customer

import (
	"context"
	"strings"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
)

// StaffAction is who of the staff acts for a customer, and why. It is kept with
// the act for good.
type StaffAction struct{ Staff, Reason string }

const (
	staffMax  = 60
	reasonMax = 300
)

func (w StaffAction) check(act string) (StaffAction, error) {
	w = StaffAction{strings.ToLower(input.Name(w.Staff)), input.Name(w.Reason)}
	//mutant:replace w.Staff == "" || w.Reason == "" || => TestStaffActsAreKept
	if w.Staff == "" || w.Reason == "" || utf8.RuneCountInString(w.Staff) > staffMax || utf8.RuneCountInString(w.Reason) > reasonMax {
		return w, fault.New(fault.Invalid, act, "customer.staff_invalid")
	}
	return w, nil
}

// IssuePIN draws a new PIN for who has forgotten theirs, and sends it, for
// staff: like the first one it confirms one payment and should be changed.
//
// Faults: Invalid "customer.staff_invalid"; NotFound "customer.no_pin"; Conflict "customer.pin_changed_elsewhere";
// Unavailable.
func (cs *Customers) IssuePIN(ctx context.Context, id int64, by StaffAction) error {
	const act = "customer.pin.issue"
	by, err := by.check(act)
	if err != nil {
		return err
	}
	row, err := cs.mustReadPIN(ctx, act, id)
	if err != nil {
		return err
	}
	return cs.sendPIN(ctx, act, id, func(tx *database.Tx, hash string) error {
		replaced, err := replacePIN(tx, row, hash, true, cs.o.Now())
		if err == nil && !replaced {
			err = fault.New(fault.Conflict, act, "customer.pin_changed_elsewhere")
		}
		if err != nil {
			return err
		}
		//mutant:replace insertStaffAct(tx, id, "pin", by) => nil TestStaffActsAreKept
		return insertStaffAct(tx, id, "pin", by)
	})
}

// UnlockPIN gives a customer all tries back, for staff; the PIN stays.
//
// Faults: Invalid "customer.staff_invalid"; NotFound "customer.no_pin".
func (cs *Customers) UnlockPIN(ctx context.Context, id int64, by StaffAction) error {
	const act = "customer.pin.unlock"
	by, err := by.check(act)
	if err != nil {
		return err
	}
	return fault.Wrap(act, cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		there, err := resetTries(tx, id, true)
		if err == nil && !there {
			err = noPIN(act)
		}
		if err != nil {
			return err
		}
		//mutant:replace insertStaffAct(tx, id, "unlock", by) => nil TestStaffActsAreKept
		return insertStaffAct(tx, id, "unlock", by)
	}))
}
