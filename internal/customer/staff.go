package customer

import (
	"context"
	"strings"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/securitylog"
)

// StaffAction is the member of staff who acts on a customer, and the reason. Both
// are stored with the action.
type StaffAction struct{ Staff, Reason string }

const (
	staffMax  = 60
	reasonMax = 300
)

func (w StaffAction) check(op string) (StaffAction, error) {
	w = StaffAction{strings.ToLower(input.Name(w.Staff)), input.Name(w.Reason)}
	//mutant:replace w.Staff == "" || w.Reason == "" || => TestStaffActionsAreStored
	if w.Staff == "" || w.Reason == "" || utf8.RuneCountInString(w.Staff) > staffMax || utf8.RuneCountInString(w.Reason) > reasonMax {
		return w, fault.New(fault.Invalid, op, "customer.staff_invalid")
	}
	return w, nil
}

// IssuePIN replaces a forgotten PIN by a new one and sends it by SMS, for staff. It
// confirms one operation, as a first PIN does.
//
// Errors: Invalid "customer.staff_invalid"; NotFound "customer.no_pin"; Conflict
// "customer.pin_changed_elsewhere"; Unavailable.
func (cs *Customers) IssuePIN(ctx context.Context, id int64, by StaffAction) error {
	const op = "customer.pin.issue"
	by, err := by.check(op)
	if err != nil {
		return err
	}
	row, err := cs.mustReadPIN(ctx, op, id)
	if err != nil {
		return err
	}
	return cs.sendPIN(ctx, op, id, func(tx *database.Tx, hash string) error {
		replaced, err := replacePIN(tx, row, hash, true, cs.o.Now())
		if err == nil && !replaced {
			err = fault.New(fault.Conflict, op, "customer.pin_changed_elsewhere")
		}
		if err != nil {
			return err
		}
		//mutant:replace insertStaffAct(tx, id, "pin", by) => nil TestStaffActionsAreStored
		return insertStaffAct(tx, id, "pin", by)
	})
}

// UnlockPIN resets attempts and locks of a customer's PIN, for staff; the PIN stays.
//
// Errors: Invalid "customer.staff_invalid"; NotFound "customer.no_pin".
func (cs *Customers) UnlockPIN(ctx context.Context, id int64, by StaffAction) (failure error) {
	const op = "customer.pin.unlock"
	defer func() { cs.record(ctx, securitylog.PINUnlock, subject{wallet: id}, "staff", failure) }()
	by, err := by.check(op)
	if err != nil {
		return err
	}
	return fault.Wrap(op, cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		there, err := resetTries(tx, id, true)
		if err == nil && !there {
			err = noPIN(op)
		}
		if err != nil {
			return err
		}
		//mutant:replace insertStaffAct(tx, id, "unlock", by) => nil TestStaffActionsAreStored
		return insertStaffAct(tx, id, "unlock", by)
	}))
}

// SetLevel gives a customer another identification level, for staff, and returns the
// former one. Operations that began earlier may still be judged by that one. Nothing
// is stored for a customer who has the level already.
//
// Errors: Invalid "customer.staff_invalid"; Invalid "customer.level_unknown" at
// level for one that the catalog doesn't offer; NotFound for an unknown customer and a
// closed wallet.
func (cs *Customers) SetLevel(ctx context.Context, id int64, level string, by StaffAction) (before string, err error) {
	const op = "customer.level"
	by, err = by.check(op)
	if err != nil {
		return "", err
	}
	known, err := cs.o.Levels.Assignable(ctx, level)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	//mutant:drop TestSetLevel
	if !known {
		return "", fault.New(fault.Invalid, op, "customer.level_unknown").At("level")
	}
	err = fault.Wrap(op, cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		was, err := lockLevel(tx, id)
		switch {
		case err != nil:
			return err
		case was == "":
			return fault.New(fault.NotFound, op, "")
		}
		before = was
		if was == level {
			return nil
		}
		if err := storeLevel(tx, id, level); err != nil {
			return err
		}
		//mutant:replace insertStaffAct(tx, id, "level", by) => nil TestSetLevel
		return insertStaffAct(tx, id, "level", by)
	}))
	return before, err
}
