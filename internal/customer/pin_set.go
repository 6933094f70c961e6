package customer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// pinChange bounds what changes of a PIN cost: each is hashed and told by SMS.
//
//mutant:replace , Always: true => TestPINsAreAlwaysCounted
var pinChange = ratelimit.Rule{Name: "PIN changed", Limit: 5, Window: time.Hour, Always: true}

// pinResend is how often a first PIN is sent again, whatever else is counted.
//
//mutant:replace , Always: true => TestPINsAreAlwaysCounted
var pinResend = ratelimit.Rule{Name: "PIN sent again", Limit: 3, Window: 24 * time.Hour, Always: true}

// CheckNewPIN tells what stands against a PIN that a customer wants:
// Invalid "customer.pin_malformed" or "customer.pin_weak", at pin.
func (cs *Customers) CheckNewPIN(ctx context.Context, id int64, pin string) error {
	const act = "customer.pin.judge"
	_, _, err := cs.checkNewPIN(ctx, act, id, pin)
	return err
}

func (cs *Customers) checkNewPIN(ctx context.Context, act string, id int64, typed string) (*Record, string, error) {
	pin, err := parsePIN(act, typed)
	if err != nil {
		return nil, "", err
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return nil, "", fault.Wrap(act, err)
	}
	if holder == nil {
		return nil, "", fault.New(fault.NotFound, act, "")
	}
	//mutant:drop TestPINIsSetOnce
	if weakPIN(pin, phone.Number(holder.Phone), inn.INN(holder.INN)) {
		return nil, "", fault.New(fault.Invalid, act, "customer.pin_weak").At("pin")
	}
	return holder, pin, nil
}

// weakPIN tells a PIN that is tried first: a pattern, or one that who knows the
// holder's number or ИНН knows too.
func weakPIN(pin string, number phone.Number, person inn.INN) bool {
	a, b, c, d := pin[0], pin[1], pin[2], pin[3]
	switch {
	case a == c && b == d, a == b && c == d: // one digit four times is both
		return true
	case b == a+1 && c == b+1 && d == c+1, b == a-1 && c == b-1 && d == c-1:
		return true
	//mutant:replace String() => National()[:4] TestWeakPINs
	case strings.HasSuffix(number.String(), pin):
		return true
	}
	born, dated := person.Date()
	//mutant:replace return dated => return !dated TestWeakPINs
	return dated && (pin == born.Format("2006") || pin == born.Format("0201"))
}

// drawPIN draws a PIN that is not weak.
func drawPIN(number phone.Number, person inn.INN) string {
	for {
		if pin := sms.Code(PINDigits); !weakPIN(pin, number, person) {
			return pin
		}
	}
}

// SetPIN sets the first PIN of a wallet, for who knows the password: an open
// page is not enough to keep its owner out. It lifts no hold: after a password
// that was set by SMS, a PIN proves nobody.
//
// Faults: Invalid at pin as JudgePIN, and at password; Conflict
// "customer.pin_there"; TooMany; Unavailable.
func (cs *Customers) SetPIN(ctx context.Context, id int64, password, pin string) error {
	const act = "customer.pin.set"
	holder, pin, err := cs.checkNewPIN(ctx, act, id, pin)
	if password == "" {
		err = fault.Join(fault.New(fault.Invalid, act, "customer.password_empty").At("password"), err)
	}
	if err != nil {
		return err
	}
	//mutant:drop TestPINIsSetOnce
	if holder.HasPIN {
		return fault.New(fault.Conflict, act, "customer.pin_there")
	}
	//mutant:drop TestPINIsSetOnce
	if err := cs.provePassword(ctx, act, holder, password); err != nil {
		return err
	}
	//mutant:drop TestPINChangesAreCounted
	if err := cs.limitPINChange(ctx, id); err != nil {
		return err
	}
	hash, err := cs.hashPIN(ctx, id, pin)
	if err != nil {
		return err
	}
	set := false
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		set, err = insertPIN(tx, &pinRow{CustomerID: id, PINHash: hash, Version: pinVersion, SetAt: cs.o.Now()})
		if err != nil || !set {
			return err
		}
		return outbox.Add(ctx, tx, pinChanged(tx, holder))
	})
	if err == nil && !set {
		err = fault.New(fault.Conflict, act, "customer.pin_there")
	}
	return fault.Wrap(act, err)
}

func (cs *Customers) limitPINChange(ctx context.Context, id int64) error {
	return cs.o.Counters.Take(ctx, pinChange, strconv.FormatInt(id, 10))
}

func pinChanged(tx *database.Tx, holder *Record) outbox.Message {
	return sms.OutboxMessage(fmt.Sprintf("customer:pin:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: "sms.pin_changed",
	})
}

// ChangePIN puts a new PIN in the place of the old one, which is tried and
// counted as CheckPIN does; one that came by SMS opens its change however used
// it is. Until then nothing is changed: whoever breaks off keeps the old PIN.
//
// Faults: those of JudgePIN at pin, and Invalid "customer.pin_same" there;
// those of CheckPIN at old_pin; TooMany; Conflict where it was changed elsewhere.
func (cs *Customers) ChangePIN(ctx context.Context, id int64, old, pin string) error {
	const act = "customer.pin.change"
	was, badOld := parsePIN(act, old)
	holder, pin, err := cs.checkNewPIN(ctx, act, id, pin)
	if err := fault.Join(atOld(badOld), err); err != nil {
		return err
	}
	if was == pin {
		return fault.New(fault.Invalid, act, "customer.pin_same").At("pin")
	}
	row, err := cs.comparePIN(ctx, act, id, was)
	if err != nil {
		return atOld(err)
	}
	err = cs.replaceWithOwnPIN(ctx, act, holder, row, pin)
	if fault.Is(err, fault.TooMany) { // the old one was right
		err = errors.Join(err, cs.uncountPINAttempt(context.WithoutCancel(ctx), id))
	}
	return err
}

// replaceWithOwnPIN puts the holder's own PIN in the place of the one that was proved.
func (cs *Customers) replaceWithOwnPIN(ctx context.Context, act string, holder *Record, row *pinRow, pin string) error {
	//mutant:drop TestPINChangesAreCounted
	if err := cs.limitPINChange(ctx, row.CustomerID); err != nil {
		return err
	}
	hash, err := cs.hashPIN(ctx, row.CustomerID, pin)
	if err != nil {
		return err
	}
	changed := false
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		changed, err = replacePIN(tx, row, hash, false, cs.o.Now())
		if err != nil || !changed {
			return err
		}
		return outbox.Add(ctx, tx, pinChanged(tx, holder))
	})
	if err == nil && !changed {
		err = fault.New(fault.Conflict, act, "customer.pin_changed_elsewhere")
	}
	return fault.Wrap(act, err)
}

// atOld leads a fault of the PIN that was tried to its field.
func atOld(err error) error {
	if f := fault.As(err); f != nil && f.Field == "pin" {
		f.Field = "old_pin"
	}
	return err
}

// ResendPIN draws another first PIN and sends it, while the one before has
// confirmed nothing, three times a day.
//
// Faults: TooMany; Conflict "customer.pin_used"; Forbidden "customer.pin_locked";
// NotFound "customer.no_pin"; Unavailable.
func (cs *Customers) ResendPIN(ctx context.Context, id int64) error {
	const act = "customer.pin.resend"
	row, err := cs.readPIN(ctx, id)
	switch {
	case err != nil:
		return fault.Wrap(act, err)
	case row == nil:
		return noPIN(act)
	case !row.Issued || row.UsedFor != "":
		return fault.New(fault.Conflict, act, "customer.pin_used")
	//mutant:replace LockedUntil.After(cs.o.Now()) => LockedUntil.IsZero() TestLockedPINIsNotSentAgain
	case row.LockedUntil != nil && row.LockedUntil.After(cs.o.Now()):
		return cs.locked(act, row.LockedUntil.UTC())
	}
	//mutant:drop TestPINIsSentAgain
	if err := cs.o.Counters.Take(ctx, pinResend, fmt.Sprint(id)); err != nil {
		return err
	}
	return cs.sendPIN(ctx, act, id, func(tx *database.Tx, hash string) error {
		renewed, err := reissuePIN(tx, row, hash, cs.o.Now())
		if err == nil && !renewed {
			return fault.New(fault.Conflict, act, "customer.pin_used")
		}
		return err
	})
}

// sendPIN draws a PIN, has it written, and promises it to the holder, in one
// transaction.
func (cs *Customers) sendPIN(ctx context.Context, act string, id int64, write func(tx *database.Tx, hash string) error) error {
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(act, err)
	}
	pin := drawPIN(phone.Number(holder.Phone), inn.INN(holder.INN))
	hash, err := cs.hashPIN(ctx, id, pin)
	if err != nil {
		return err
	}
	return fault.Wrap(act, cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := write(tx, hash); err != nil {
			return err
		}
		return outbox.Add(ctx, tx, cs.pinMessage(tx, holder, pin))
	}))
}

// pinLife is how long a PIN that could not be sent is worth sending.
const pinLife = 24 * time.Hour

func (cs *Customers) pinMessage(tx *database.Tx, holder *Record, pin string) outbox.Message {
	//mutant:replace cs.o.Sealer => sms TestRegisterByUSSD
	return cs.o.Sealer.OutboxMessage(fmt.Sprintf("customer:pin_issued:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: "sms.pin_issued",
		Args: map[string]any{"PIN": pin}, Secret: true, Until: cs.o.Now().Add(pinLife),
	})
}
