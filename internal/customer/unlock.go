package customer

import (
	"context"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// pinUnlock bounds how much faster than a lock allows somebody can guess who
// holds the password and reads the number's messages.
//
//mutant:replace , Always: true => TestPINsAreAlwaysCounted
var pinUnlock = ratelimit.Rule{Name: "PIN unlocked", Limit: 3, Window: 24 * time.Hour, Always: true}

// unlockPause is how long after a reset the password and an SMS code open no
// PIN: who holds another's SIM card has both.
const unlockPause = 24 * time.Hour

// staffOnly tells that nothing speaks for the holder on the site but the SIM
// card: the site's password came of an SMS.
func (cs *Customers) staffOnly(holder *Record) bool {
	//mutant:replace holder.ResetAt != nil => holder.ResetAt == nil TestUnlockIsForStaffAfterAReset
	//mutant:replace holder.PINOwed || => TestUnlockIsForStaffAfterAReset
	return holder.PINOwed || (holder.ResetAt != nil && cs.o.Now().Before(holder.ResetAt.Add(unlockPause)))
}

// StartUnlock sends an SMS code that will give the PIN's tries back, to who
// knows the password. lang is the language of the visit.
//
// Faults: Invalid at password; TooMany; NotFound "customer.no_pin"; Forbidden
// "customer.pin_staff_only" where the password rests on an SMS; Unavailable.
func (cs *Customers) StartUnlock(ctx context.Context, sessionKey string, id int64, password, lang string, from Origin) error {
	const act = "customer.pin.unlock"
	if password == "" {
		return fault.New(fault.Invalid, act, "customer.password_empty").At("password")
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(act, err)
	}
	if holder == nil || !holder.HasPIN {
		return noPIN(act)
	}
	//mutant:drop TestUnlockIsForStaffAfterAReset
	if cs.staffOnly(holder) {
		return fault.New(fault.Forbidden, act, "customer.pin_staff_only")
	}
	if err := cs.provePassword(ctx, act, holder, password); err != nil {
		return err
	}
	//mutant:drop TestUnlock
	if err := cs.o.Counters.Take(ctx, pinUnlock, strconv.FormatInt(id, 10)); err != nil {
		return err
	}
	if err := cs.limitCode(ctx, phone.Number(holder.Phone), from); err != nil {
		return err
	}
	return fault.Wrap(act, cs.startCode(ctx, &confirmation{
		SessionKey: sessionKey, Purpose: string(ForUnlock), Phone: holder.Phone, Lang: lang, Address: from.Address,
	}, unlockText))
}

// provePassword counts and tries the password of who is logged in already.
func (cs *Customers) provePassword(ctx context.Context, act string, holder *Record, password string) error {
	if err := cs.o.Counters.Take(ctx, passwordChange, strconv.FormatInt(holder.ID, 10)); err != nil {
		return err
	}
	right, _, err := cs.hasher.Match(ctx, password, holder.PasswordHash)
	//mutant:drop TestUnlock
	if err == nil && !right {
		err = fault.New(fault.Invalid, act, "customer.password_wrong").At("password")
	}
	return err
}

func unlockText(*Record) string { return "sms.unlock_code" }

// ConfirmUnlock gives the tries of the customer's PIN back for the SMS code; the
// PIN stays, and the next lock is as long as it would have been.
//
// Faults: Invalid at code; TooMany; NotFound where the session awaits no code.
func (cs *Customers) ConfirmUnlock(ctx context.Context, sessionKey string, id int64, code string) error {
	const act = "customer.pin.unlock.confirm"
	row, err := cs.verifyCode(ctx, act, sessionKey, ForUnlock, code)
	if err != nil {
		return err
	}
	done := false
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		done = false
		fresh, err := spendCode(tx, row, cs.o.Now())
		if err != nil || !fresh {
			return err
		}
		holder, err := readByID(tx, id)
		//mutant:replace Phone != row.Phone => Phone == "" TestUnlockIsTheHolders
		//mutant:replace || cs.staffOnly(holder) => TestUnlockIsForStaffAfterAReset
		if err != nil || holder.Phone != row.Phone || cs.staffOnly(holder) { // another signed in meanwhile, or a reset
			return err
		}
		//mutant:replace false => true TestUnlock
		done, err = resetTries(tx, id, false)
		return err
	})
	if err == nil && !done {
		err = noCode(act)
	}
	return fault.Wrap(act, err)
}
