package customer

import (
	"context"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// pinUnlock limits unlocks, which let an attacker with the password and access to
// the SMS guess a PIN faster than its locks allow.
//
//mutant:replace , Always: true => TestPINsAreAlwaysCounted
var pinUnlock = ratelimit.Rule{Name: "PIN unlocked", Limit: 3, Window: 24 * time.Hour, Always: true}

// unlockPause is how long after a reset the password and an SMS code can't unlock a
// PIN: a thief of the SIM card could have set the password.
const unlockPause = 24 * time.Hour

// staffOnly reports whether only staff may unlock the PIN, because the password was
// set by an SMS code.
func (cs *Customers) staffOnly(holder *Record) bool {
	//mutant:replace holder.ResetAt != nil => holder.ResetAt == nil TestOnlyStaffUnlocksAfterAReset
	//mutant:replace holder.PINOwed || => TestOnlyStaffUnlocksAfterAReset
	return holder.PINOwed || (holder.ResetAt != nil && cs.o.Now().Before(holder.ResetAt.Add(unlockPause)))
}

// StartUnlock checks the password and sends an SMS code that resets the attempts at
// the PIN. lang is the language of the visit.
//
// Errors: Invalid at password; TooMany; NotFound "customer.no_pin"; Forbidden
// "customer.pin_staff_only" if the password was set by SMS lately; Unavailable.
func (cs *Customers) StartUnlock(ctx context.Context, sessionKey string, id int64, password, lang string, from Origin) (failure error) {
	const op = "customer.pin.unlock"
	if password == "" {
		return fault.New(fault.Invalid, op, "customer.password_empty").At("password")
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil || !holder.HasPIN {
		return noPIN(op)
	}
	//mutant:drop TestOnlyStaffUnlocksAfterAReset
	if cs.staffOnly(holder) {
		return fault.New(fault.Forbidden, op, "customer.pin_staff_only")
	}
	if err := cs.provePassword(ctx, op, holder, password); err != nil {
		return err
	}
	//mutant:drop TestUnlock
	if err := cs.o.Counters.Take(ctx, pinUnlock, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	of := subject{phone.Number(holder.Phone), id}
	defer func() { cs.record(ctx, securitylog.CodeSent, of, string(ForUnlock), failure) }()
	if err := cs.limitCode(ctx, phone.Number(holder.Phone), from); err != nil {
		return err
	}
	return fault.Wrap(op, cs.startCode(ctx, &confirmation{
		SessionKey: sessionKey, Purpose: string(ForUnlock), Phone: holder.Phone, Lang: lang, Address: from.Address,
	}, unlockText))
}

// ProvePassword verifies the password of a customer who is logged in.
//
// Errors: Invalid at password; TooMany; Unavailable.
func (cs *Customers) ProvePassword(ctx context.Context, id int64, password string) error {
	const op = "customer.prove"
	if password == "" {
		return fault.New(fault.Invalid, op, "customer.password_empty").At("password")
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if holder == nil {
		return fault.New(fault.NotFound, op, "")
	}
	return cs.provePassword(ctx, op, holder, password)
}

// provePassword counts and verifies the password of a customer who is logged in.
func (cs *Customers) provePassword(ctx context.Context, op string, holder *Record, password string) (failure error) {
	defer func() {
		cs.record(ctx, securitylog.Password, subject{phone.Number(holder.Phone), holder.ID}, "", failure)
	}()
	if err := cs.o.Counters.Take(ctx, passwordChange, strconv.FormatInt(holder.ID, 10)); err != nil {
		return err
	}
	//mutant:drop ./web TestForgedPassword
	if err := cs.checkLogin(ctx, holder); err != nil {
		return fault.Wrap(op, err)
	}
	right, _, err := cs.hasher.Match(ctx, password, holder.PasswordHash)
	//mutant:drop TestUnlock
	if err == nil && !right {
		err = fault.New(fault.Invalid, op, "customer.password_wrong").At("password")
	}
	return err
}

func unlockText(*Record) string { return "sms.unlock_code" }

// ConfirmUnlock resets the attempts at the PIN after the SMS code. The PIN stays,
// and the next lock is as long as it would have been.
//
// Errors: Invalid at code; TooMany; NotFound if the session awaits no code.
func (cs *Customers) ConfirmUnlock(ctx context.Context, sessionKey string, id int64, code string) (failure error) {
	const op = "customer.pin.unlock.confirm"
	row, err := cs.verifyCode(ctx, op, sessionKey, ForUnlock, code)
	if err != nil {
		return err
	}
	defer func() {
		cs.record(ctx, securitylog.PINUnlock, subject{phone.Number(row.Phone), id}, "", failure)
	}()
	done := false
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		done = false
		fresh, err := useCode(tx, row, cs.o.Now())
		if err != nil || !fresh {
			return err
		}
		holder, err := readByID(tx, id)
		//mutant:replace Phone != row.Phone => Phone == "" TestUnlockRefusesOtherHolders
		//mutant:replace || cs.staffOnly(holder) => TestOnlyStaffUnlocksAfterAReset
		if err != nil || holder.Phone != row.Phone || cs.staffOnly(holder) { // another customer logged in meanwhile, or the password was reset
			return err
		}
		//mutant:replace false => true TestUnlock
		done, err = resetTries(tx, id, false)
		return err
	})
	if err == nil && !done {
		err = noCode(op)
	}
	return fault.Wrap(op, err)
}
