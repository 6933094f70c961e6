package customer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// PINUse is what a PIN is asked for.
type PINUse string

// The uses.
const (
	// ForPayment confirms a payment or a transfer.
	ForPayment PINUse = "payment"
	// ForBalance opens the balance and other things that are only read.
	ForBalance PINUse = "balance"
	// ForSite proves on the site that its login belongs to the wallet's holder;
	// see PayPINOwed.
	ForSite PINUse = "site"
	// ForClosing confirms that the wallet is to be closed.
	ForClosing PINUse = "closing"
	// ForChange proves who is about to change the PIN.
	ForChange PINUse = "change"
)

// What a PIN is, and how long five wrong ones in a row lock it: the first time,
// and each next time until a right one is given.
const (
	PINDigits    = 4
	PINFirstLock = 30 * time.Minute
	PINNextLock  = 24 * time.Hour
	pinTries     = 5
	// pinVersion tells how a PIN is hashed. Another pepper is another version.
	pinVersion = 1
)

// CheckPIN judges the PIN of a customer. The try is counted and committed
// before anything is compared, over all channels together.
//
// key names what is confirmed ("payment:7"); empty where nothing is. A PIN that
// came by SMS confirms one thing: for that key it opens again, so that a
// request whose answer was lost can be repeated, and for nothing else.
//
// Faults: Invalid "customer.pin_malformed" at pin (not counted); Invalid
// "customer.pin_wrong" at pin, {{.Left}} tries left; Forbidden
// "customer.pin_locked" until {{.Until}}; Forbidden "customer.pin_change_first";
// NotFound "customer.no_pin"; Unavailable (the try is given back).
func (cs *Customers) CheckPIN(ctx context.Context, id int64, pin string, use PINUse, key string) error {
	const act = "customer.pin.check"
	if use == ForPayment && key == "" {
		return fault.New(fault.Internal, act, "").Because(errors.New("what does the PIN confirm?"))
	}
	_, err := cs.verifyPIN(ctx, act, id, pin, pinPurpose{use: use, key: key})
	return err
}

// ClearPINOwed is CheckPIN on the site: a right PIN clears what c owes there. c is
// the customer as the session knows them; where all sessions were ended since,
// the new ones owe the PIN still.
func (cs *Customers) ClearPINOwed(ctx context.Context, c Customer, pin, key string) error {
	_, err := cs.verifyPIN(ctx, "customer.pin.owed", c.ID, pin, pinPurpose{use: ForSite, key: key, epoch: c.SessionEpoch})
	return err
}

// pinPurpose is what a PIN is tried for. epoch is of the sessions whose debt it
// pays; zero: of none.
type pinPurpose struct {
	use   PINUse
	key   string
	epoch int64
}

// verifyPIN gives the row of a PIN that was right and good for its use.
func (cs *Customers) verifyPIN(ctx context.Context, act string, id int64, pin string, to pinPurpose) (*pinRow, error) {
	row, err := cs.comparePIN(ctx, act, id, pin)
	if err != nil {
		return nil, err
	}
	var refusal error
	err = cs.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		refusal, err = acceptPIN(tx, act, row, to)
		return err
	})
	if err == nil {
		err = refusal
	}
	return row, fault.Wrap(act, err)
}

// acceptPIN writes what follows from a right PIN. A refusal commits: the tries
// begin anew whatever it was good for.
func acceptPIN(tx *database.Tx, act string, row *pinRow, to pinPurpose) (refusal, err error) {
	if same, err := clearTries(tx, row); err != nil || !same {
		return wrongPIN(act, row), err
	}
	if row.Issued && to.use != ForChange {
		fresh := row.UsedFor == ""
		if to.key != "" {
			if fresh, err = usePIN(tx, row, to.key); err != nil {
				return nil, err
			}
		}
		//mutant:drop TestIssuedPINConfirmsOnce
		if !fresh {
			return fault.New(fault.Forbidden, act, "customer.pin_change_first"), nil
		}
	}
	if to.epoch != 0 {
		return nil, clearPINOwed(tx, row.CustomerID, to.epoch)
	}
	return nil, nil
}

// ReturnPIN makes a PIN that came by SMS good for another thing, where what key
// names was refused for good: nothing was confirmed with it.
func (cs *Customers) ReturnPIN(ctx context.Context, id int64, key string) error {
	return fault.Wrap("customer.pin.return", cs.releasePIN(ctx, id, key))
}

// comparePIN counts a try and compares it. It gives the row of a right PIN.
func (cs *Customers) comparePIN(ctx context.Context, act string, id int64, typed string) (*pinRow, error) {
	pin, err := parsePIN(act, typed)
	if err != nil {
		return nil, err
	}
	row, err := cs.countPINAttempt(ctx, id, cs.o.Now())
	if err != nil {
		return nil, fault.Wrap(act, err)
	}
	if row == nil {
		return nil, cs.pinError(ctx, act, id)
	}
	right := false
	if row.Version == pinVersion {
		right, _, err = cs.hasher.Match(ctx, cs.peppered(id, pin), row.PINHash)
	} else {
		err = fault.New(fault.Internal, act, "").Because(fmt.Errorf("a PIN of version %d", row.Version))
	}
	switch {
	case err != nil:
		//mutant:replace errors.Join(err, cs.uncountPINAttempt(context.WithoutCancel(ctx), id)) => err TestOnlyComparedPINsCount
		return nil, errors.Join(err, cs.uncountPINAttempt(context.WithoutCancel(ctx), id))
	case right:
		return row, nil
	case row.Tries < pinTries:
		return nil, wrongPIN(act, row)
	}
	return nil, cs.lockPIN(ctx, act, row)
}

// ErrWrongPIN is the cause of each refusal of a PIN that was compared and is
// another's.
var ErrWrongPIN = errors.New("customer: wrong PIN")

func wrongPIN(act string, row *pinRow) error {
	return fault.New(fault.Invalid, act, "customer.pin_wrong").At("pin").With("Left", max(pinTries-row.Tries, 0)).Because(ErrWrongPIN)
}

// lockPIN tells the holder of the lock that the fifth try made.
func (cs *Customers) lockPIN(ctx context.Context, act string, row *pinRow) error {
	until := row.LockedUntil.UTC()
	err := cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		locked, err := stillLocked(tx, row)
		if err != nil || !locked {
			return err
		}
		holder, err := readByID(tx, row.CustomerID)
		if err != nil {
			return err
		}
		said := "sms.pin_locked"
		if cs.staffOnly(holder) {
			said = "sms.pin_locked_staff"
		}
		return outbox.Add(ctx, tx, sms.OutboxMessage(fmt.Sprintf("customer:pin_lock:%d", tx.NewID()), sms.Message{
			Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: said,
			Args: map[string]any{"Until": formatTime(until)},
		}))
	})
	if err != nil {
		return fault.Wrap(act, err)
	}
	return cs.locked(act, until).Because(ErrWrongPIN)
}

func (cs *Customers) locked(act string, until time.Time) *fault.Error {
	return fault.New(fault.Forbidden, act, "customer.pin_locked").
		With("Until", formatTime(until)).After(max(time.Second, until.Sub(cs.o.Now())))
}

func (cs *Customers) pinError(ctx context.Context, act string, id int64) error {
	row, err := cs.readPIN(ctx, id)
	switch {
	case err != nil:
		return fault.Wrap(act, err)
	case row == nil:
		return noPIN(act)
	case row.LockedUntil == nil: // unlocked at this moment
		return cs.locked(act, cs.o.Now())
	}
	return cs.locked(act, row.LockedUntil.UTC())
}

func noPIN(act string) error { return fault.New(fault.NotFound, act, "customer.no_pin") }

// mustReadPIN reads a PIN that has to be there.
func (cs *Customers) mustReadPIN(ctx context.Context, act string, id int64) (*pinRow, error) {
	row, err := cs.readPIN(ctx, id)
	if err == nil && row == nil {
		return nil, noPIN(act)
	}
	return row, fault.Wrap(act, err)
}

// PINState is what the pages may know of a PIN.
type PINState struct {
	// Set: there is a PIN.
	Set bool
	// Issued: it came by SMS and is not yet the holder's own. Used: it has
	// confirmed its one payment, and opens only its own change.
	Issued, Used bool
	// LockedUntil is zero while it is not locked. StaffOnly: the holder can't
	// open it sooner, only staff.
	LockedUntil time.Time
	StaffOnly   bool
}

// PIN tells how a customer's PIN stands.
func (cs *Customers) PIN(ctx context.Context, id int64) (PINState, error) {
	row, err := cs.readPIN(ctx, id)
	if err != nil || row == nil {
		return PINState{}, fault.Wrap("customer.pin", err)
	}
	state := PINState{Set: true, Issued: row.Issued, Used: row.Issued && row.UsedFor != ""}
	if row.LockedUntil != nil && row.LockedUntil.After(cs.o.Now()) {
		state.LockedUntil = row.LockedUntil.UTC()
		holder, err := cs.readByID(ctx, id)
		if err != nil {
			return PINState{}, fault.Wrap("customer.pin", err)
		}
		state.StaffOnly = cs.staffOnly(holder)
	}
	return state, nil
}

// parsePIN gives the four digits as typed. What is no PIN is not counted.
func parsePIN(act, typed string) (string, error) {
	pin := input.Digits(typed)
	if len(pin) != PINDigits || strings.Trim(pin, "0123456789") != "" {
		return "", fault.New(fault.Invalid, act, "customer.pin_malformed").At("pin")
	}
	return pin, nil
}

// peppered is what is hashed of a PIN: of ten thousand values a slow hash alone
// hides none, and the pepper is not in the database.
func (cs *Customers) peppered(id int64, pin string) string {
	//mutant:replace o.PINPepper => key TestPINIsPeppered
	mac := hmac.New(sha256.New, cs.o.PINPepper)
	_ = binary.Write(mac, binary.BigEndian, id) // a hash takes whatever is written
	mac.Write([]byte(pin))
	return hex.EncodeToString(mac.Sum(nil))
}

func (cs *Customers) hashPIN(ctx context.Context, id int64, pin string) (string, error) {
	return cs.hasher.Hash(ctx, cs.peppered(id, pin))
}
