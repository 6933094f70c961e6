package customer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
)

// PINUse is the purpose for which a PIN is verified.
type PINUse string

// The uses.
const (
	// ForPayment confirms a payment or a transfer.
	ForPayment PINUse = "payment"
	// ForBalance gives access to the balance and other data that is only read.
	ForBalance PINUse = "balance"
	// ForSite proves on the site that its login belongs to the wallet's holder; see
	// ClearPINOwed.
	ForSite PINUse = "site"
	// ForClosing confirms the closing of the wallet.
	ForClosing PINUse = "closing"
	// ForChange authorizes a change of the PIN.
	ForChange PINUse = "change"
)

// The length of a PIN, and for how long it is locked after five wrong attempts in a
// row: the first time, and each further time until the right PIN is entered.
const (
	PINDigits    = 4
	PINFirstLock = 30 * time.Minute
	PINNextLock  = 24 * time.Hour
	pinTries     = 5
	// pinVersion is stored with a PIN and identifies the hash function and the
	// pepper.
	pinVersion = 1
)

// CheckPIN verifies the PIN of a customer. The attempt is counted and committed
// before anything is compared, over all channels together.
//
// key identifies the operation to confirm, such as "payment:7"; it is empty if there
// is none. A PIN that was sent by SMS confirms one operation: it is accepted again
// for the same key, so that a request whose answer was lost can be repeated, and
// refused for any other.
//
// Errors: Invalid "customer.pin_malformed" at pin (not counted); Invalid
// "customer.pin_wrong" at pin, with the argument Left (attempts left); Forbidden
// "customer.pin_locked", with the argument Until; Forbidden
// "customer.pin_change_first" and "customer.pin_expired"; NotFound "customer.no_pin"; Unavailable (the attempt
// is not counted).
func (cs *Customers) CheckPIN(ctx context.Context, id int64, pin string, use PINUse, key string) error {
	const op = "customer.pin.check"
	if use == ForPayment && key == "" {
		return fault.New(fault.Internal, op, "").Because(errors.New("the key of the payment is missing"))
	}
	_, err := cs.verifyPIN(ctx, op, id, pin, pinPurpose{use: use, key: key})
	return err
}

// ClearPINOwed verifies the PIN like CheckPIN, for ForSite, and clears PINOwed if it
// is right. c is the customer of the session: if all sessions were ended since it
// was read, PINOwed stays set.
func (cs *Customers) ClearPINOwed(ctx context.Context, c Customer, pin, key string) error {
	_, err := cs.verifyPIN(ctx, "customer.pin.owed", c.ID, pin, pinPurpose{use: ForSite, key: key, epoch: c.SessionEpoch})
	return err
}

// pinPurpose is what a PIN is verified for. If epoch is not zero, PINOwed is cleared
// if the customer still has this session epoch.
type pinPurpose struct {
	use   PINUse
	key   string
	epoch int64
}

// verifyPIN returns the row of a PIN that is right and may be used for the purpose.
func (cs *Customers) verifyPIN(ctx context.Context, op string, id int64, pin string, to pinPurpose) (*pinRow, error) {
	row, renew, err := cs.comparePIN(ctx, op, id, pin)
	if err != nil {
		return nil, err
	}
	var refusal error
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		refusal, err = cs.acceptPIN(ctx, tx, op, row, to)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err == nil && to.use != ForChange { // a change stores another hash anyway
		cs.renewPIN(ctx, row, input.Digits(pin), renew)
	}
	return row, fault.Wrap(op, err)
}

// acceptPIN resets the attempts after a right PIN and marks an issued PIN as used.
// refusal is nil if the PIN is accepted. A refusal commits too: the attempts are
// reset even if the PIN may not be used.
func (cs *Customers) acceptPIN(ctx context.Context, tx *database.Tx, op string, row *pinRow, to pinPurpose) (refusal, err error) {
	same, err := clearTries(tx, row)
	//mutant:replace !same => false TestPINIsHashedAnewWhileItIsUsed
	if err == nil && !same {
		same, err = clearTriesOfRenewed(tx, row)
	}
	if err != nil || !same {
		return wrongPIN(op, row), err
	}
	//mutant:drop TestIssuedPINExpires
	if cs.expired(row) {
		return pinExpired(op), nil
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
			return fault.New(fault.Forbidden, op, "customer.pin_change_first"), nil
		}
	}
	if to.epoch != 0 {
		return nil, clearPINOwed(ctx, tx, row.CustomerID, to.epoch)
	}
	return nil, nil
}

// expired reports whether a PIN that was sent by SMS and has confirmed nothing is too
// old. A repeat of the operation that it has confirmed is still accepted.
func (cs *Customers) expired(row *pinRow) bool {
	at := cs.expiry(row)
	return !at.IsZero() && !cs.o.Now().Before(at)
}

// expiry returns when a PIN expires; zero: never.
func (cs *Customers) expiry(row *pinRow) time.Time {
	//mutant:replace row.UsedFor != "" => false TestIssuedPINExpires
	if cs.o.IssuedPINLife <= 0 || !row.Issued || row.UsedFor != "" {
		return time.Time{}
	}
	return row.SetAt.Add(cs.o.IssuedPINLife).UTC()
}

// ReturnPIN makes a PIN that was sent by SMS usable again after the operation that
// key identifies was finally refused.
func (cs *Customers) ReturnPIN(ctx context.Context, id int64, key string) error {
	return fault.Wrap("customer.pin.return", cs.releasePIN(ctx, id, key))
}

// comparePIN counts an attempt, compares it, and returns the row of a right PIN,
// and what of it is to be stored anew.
func (cs *Customers) comparePIN(ctx context.Context, op string, id int64, typed string) (_ *pinRow, _ renewal, failure error) {
	pin, err := parsePIN(op, typed)
	if err != nil {
		return nil, renewNothing, err
	}
	//mutant:drop ./web TestSecurityEventsOfSite
	defer func() { cs.record(ctx, securitylog.PIN, subject{wallet: id}, "", failure) }()
	row, counted, err := cs.countPINAttempt(ctx, id, cs.o.Now())
	if err != nil {
		return nil, renewNothing, fault.Wrap(op, err)
	}
	if !counted {
		return nil, renewNothing, cs.pinError(ctx, op, id)
	}
	right, renew := false, renewNothing
	if row.Version == pinVersion {
		right, renew, err = cs.matchPIN(ctx, row, pin)
	} else {
		err = fault.New(fault.Internal, op, "").Because(fmt.Errorf("a PIN of version %d", row.Version))
	}
	switch {
	case err != nil:
		//mutant:replace errors.Join(err, cs.uncountPINAttempt(context.WithoutCancel(ctx), id)) => err TestOnlyComparedPINsAreCounted
		return nil, renewNothing, errors.Join(err, cs.uncountPINAttempt(context.WithoutCancel(ctx), id))
	case right:
		return row, renew, nil
	case row.Tries < pinTries:
		return nil, renewNothing, wrongPIN(op, row)
	}
	return nil, renewNothing, cs.lockPIN(ctx, op, row)
}

// ErrWrongPIN is the cause of every refusal of a PIN that was compared and is wrong.
var ErrWrongPIN = errors.New("customer: wrong PIN")

func wrongPIN(op string, row *pinRow) error {
	return fault.New(fault.Invalid, op, "customer.pin_wrong").At("pin").With("Left", max(pinTries-row.Tries, 0)).Because(ErrWrongPIN)
}

// lockPIN notifies the holder of the lock that the fifth attempt caused, and returns
// the error.
func (cs *Customers) lockPIN(ctx context.Context, op string, row *pinRow) error {
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
		text := "sms.pin_locked"
		if cs.staffOnly(holder) {
			text = "sms.pin_locked_staff"
		}
		return sms.Add(ctx, tx, sms.OutboxMessage(fmt.Sprintf("customer:pin_lock:%d", tx.NewID()), sms.Message{
			Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: text,
			Args: map[string]any{"Until": formatTime(until)},
		}))
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	return cs.locked(op, until).Because(ErrWrongPIN)
}

func (cs *Customers) locked(op string, until time.Time) *fault.Error {
	return fault.New(fault.Forbidden, op, "customer.pin_locked").
		With("Until", formatTime(until)).After(max(time.Second, until.Sub(cs.o.Now())))
}

// pinError returns the error for a PIN at which no attempt is possible.
func (cs *Customers) pinError(ctx context.Context, op string, id int64) error {
	row, found, err := cs.readPIN(ctx, id)
	switch {
	case err != nil:
		return fault.Wrap(op, err)
	case !found:
		return noPIN(op)
	case row.LockedUntil == nil: // unlocked meanwhile
		return cs.locked(op, cs.o.Now())
	}
	return cs.locked(op, row.LockedUntil.UTC())
}

func pinExpired(op string) error { return fault.New(fault.Forbidden, op, "customer.pin_expired") }

func noPIN(op string) error { return fault.New(fault.NotFound, op, "customer.no_pin") }

// mustReadPIN returns the row of a PIN, or fault.NotFound.
func (cs *Customers) mustReadPIN(ctx context.Context, op string, id int64) (*pinRow, error) {
	row, found, err := cs.readPIN(ctx, id)
	if err == nil && !found {
		return nil, noPIN(op)
	}
	return row, fault.Wrap(op, err)
}

// PINState is the state of a PIN as pages show it.
type PINState struct {
	// Set reports whether there is a PIN.
	Set bool
	// Issued reports that the PIN was sent by SMS and not changed since. Used reports
	// that it has confirmed its one operation and can only be changed now.
	Issued, Used bool
	// Expired reports that the PIN was sent by SMS and not used in time, which ends at
	// ExpiresAt; zero: it doesn't expire.
	Expired   bool
	ExpiresAt time.Time
	// LockedUntil is zero unless the PIN is locked. StaffOnly reports that only
	// staff can unlock it sooner.
	LockedUntil time.Time
	StaffOnly   bool
}

// PIN returns the state of a customer's PIN.
func (cs *Customers) PIN(ctx context.Context, id int64) (PINState, error) {
	row, found, err := cs.readPIN(ctx, id)
	if err != nil || !found {
		return PINState{}, fault.Wrap("customer.pin", err)
	}
	state := row.state(cs.o.Now())
	state.Expired, state.ExpiresAt = cs.expired(row), cs.expiry(row)
	if !state.LockedUntil.IsZero() {
		holder, err := cs.readByID(ctx, id)
		if err != nil {
			return PINState{}, fault.Wrap("customer.pin", err)
		}
		state.StaffOnly = cs.staffOnly(holder)
	}
	return state, nil
}

// state returns the state without StaffOnly, which depends on the customer.
func (r *pinRow) state(now time.Time) PINState {
	state := PINState{Set: true, Issued: r.Issued, Used: r.Issued && r.UsedFor != ""}
	if r.LockedUntil != nil && r.LockedUntil.After(now) {
		state.LockedUntil = r.LockedUntil.UTC()
	}
	return state
}

// parsePIN returns the four digits as typed, or fault.Invalid, which is not counted
// as an attempt.
func parsePIN(op, typed string) (string, error) {
	pin := input.Digits(typed)
	if len(pin) != PINDigits || strings.Trim(pin, "0123456789") != "" {
		return "", fault.New(fault.Invalid, op, "customer.pin_malformed").At("pin")
	}
	return pin, nil
}
