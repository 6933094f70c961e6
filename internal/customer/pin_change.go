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
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// pinChange limits changes of a PIN: each costs a slow hash and an SMS.
//
//mutant:replace , Always: true => TestPINsAreAlwaysCounted
var pinChange = ratelimit.Rule{Name: "PIN changed", Limit: 5, Window: time.Hour, Always: true}

// pinResend limits how often a first PIN is sent again.
//
//mutant:replace , Always: true => TestPINsAreAlwaysCounted
var pinResend = ratelimit.Rule{Name: "PIN sent again", Limit: 3, Window: 24 * time.Hour, Always: true}

// CheckNewPIN returns fault.Invalid "customer.pin_malformed" or "customer.pin_weak",
// at pin, if a customer may not choose this PIN.
func (cs *Customers) CheckNewPIN(ctx context.Context, id int64, pin string) error {
	const op = "customer.pin.check_new"
	_, _, err := cs.checkNewPIN(ctx, op, id, pin)
	return err
}

func (cs *Customers) checkNewPIN(ctx context.Context, op string, id int64, typed string) (*Record, string, error) {
	pin, err := parsePIN(op, typed)
	if err != nil {
		return nil, "", err
	}
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return nil, "", fault.Wrap(op, err)
	}
	if holder == nil {
		return nil, "", fault.New(fault.NotFound, op, "")
	}
	//mutant:drop TestSetPIN
	if weakPIN(pin, phone.Number(holder.Phone), inn.INN(holder.INN)) {
		return nil, "", fault.New(fault.Invalid, op, "customer.pin_weak").At("pin")
	}
	return holder, pin, nil
}

// weakPIN reports whether a PIN is among those tried first by guessing: a pattern,
// the end of the holder's number, or the year or day of birth from the ИНН.
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

// drawPIN returns a random PIN that is not weak.
func drawPIN(number phone.Number, person inn.INN) string {
	for {
		if pin := sms.Code(PINDigits); !weakPIN(pin, number, person) {
			return pin
		}
	}
}

// SetPIN sets the first PIN of a wallet after checking the password: otherwise
// another person at an open page could set a PIN and lock the owner out. It does not
// end a hold, because a password that was set by SMS proves no more than the SMS.
//
// Errors: Invalid at pin as CheckNewPIN, and at password; Conflict
// "customer.pin_there"; Forbidden with UnknownBrowser; TooMany; Unavailable.
func (cs *Customers) SetPIN(ctx context.Context, c Customer, password, pin string) (failure error) {
	const op = "customer.pin.set"
	id := c.ID
	holder, pin, err := cs.checkNewPIN(ctx, op, id, pin)
	if password == "" {
		err = fault.Join(fault.New(fault.Invalid, op, "customer.password_empty").At("password"), err)
	}
	if err != nil {
		return err
	}
	defer func() { cs.record(ctx, securitylog.PINSet, subject{phone.Number(holder.Phone), id}, "", failure) }()
	//mutant:drop TestSetPIN
	if holder.HasPIN {
		return fault.New(fault.Conflict, op, "customer.pin_there")
	}
	//mutant:drop TestSetPIN
	if err := cs.provePassword(ctx, op, holder, password); err != nil {
		return err
	}
	//mutant:drop ./web TestPINInAStrangeBrowser
	if !c.Browser.Known {
		return fault.New(fault.Forbidden, op, UnknownBrowser)
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
		set, err = insertPIN(tx, &pinRow{CustomerID: id, PINHash: hash, PepperID: cs.peppers[0].id, Version: pinVersion, SetAt: cs.o.Now()})
		if err != nil || !set {
			return err
		}
		if err := storeHasPIN(ctx, tx, id); err != nil {
			return err
		}
		return cs.addPINNotices(ctx, tx, holder)
	})
	if err == nil && !set {
		err = fault.New(fault.Conflict, op, "customer.pin_there")
	}
	return fault.Wrap(op, err)
}

func (cs *Customers) limitPINChange(ctx context.Context, id int64) error {
	return cs.o.Counters.Take(ctx, pinChange, strconv.FormatInt(id, 10))
}

// addPINNotices adds the SMS and the e-mail about a new PIN.
func (cs *Customers) addPINNotices(ctx context.Context, tx *database.Tx, holder *Record) error {
	if err := sms.Add(ctx, tx, pinChanged(tx, holder)); err != nil {
		return err
	}
	//mutant:replace cs.addSecurityMail(ctx, tx, holder, pinMail) => nil TestSecurityMails
	return cs.addSecurityMail(ctx, tx, holder, pinMail)
}

func pinChanged(tx *database.Tx, holder *Record) sms.Outgoing {
	return sms.OutboxMessage(fmt.Sprintf("customer:pin:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: "sms.pin_changed",
	})
}

// ChangePIN replaces the PIN. The old one is verified and counted as by CheckPIN;
// one that was sent by SMS may be changed if it was used, but not once it expired.
//
// Errors: those of CheckNewPIN at pin, and Invalid "customer.pin_same" there; those
// of CheckPIN at old_pin; TooMany; Conflict if it was changed elsewhere meanwhile.
func (cs *Customers) ChangePIN(ctx context.Context, id int64, old, pin string) error {
	const op = "customer.pin.change"
	was, badOld := parsePIN(op, old)
	holder, pin, err := cs.checkNewPIN(ctx, op, id, pin)
	if err := fault.Join(atOld(badOld), err); err != nil {
		return err
	}
	if was == pin {
		return fault.New(fault.Invalid, op, "customer.pin_same").At("pin")
	}
	row, _, err := cs.comparePIN(ctx, op, id, was)
	if err != nil {
		return atOld(err)
	}
	//mutant:drop TestIssuedPINExpires
	if cs.expired(row) { // the old one was right
		return errors.Join(pinExpired(op), cs.uncountPINAttempt(context.WithoutCancel(ctx), id))
	}
	err = cs.replaceWithOwnPIN(ctx, op, holder, row, pin)
	if fault.Is(err, fault.TooMany) { // the old one was right
		err = errors.Join(err, cs.uncountPINAttempt(context.WithoutCancel(ctx), id))
	}
	return err
}

// replaceWithOwnPIN replaces a PIN that was verified by one that the holder chose.
func (cs *Customers) replaceWithOwnPIN(ctx context.Context, op string, holder *Record, row *pinRow, pin string) (failure error) {
	defer func() {
		cs.record(ctx, securitylog.PINSet, subject{phone.Number(holder.Phone), row.CustomerID}, "", failure)
	}()
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
		changed, err = replacePIN(tx, row, hash, cs.peppers[0].id, false, cs.o.Now())
		if err != nil || !changed {
			return err
		}
		return cs.addPINNotices(ctx, tx, holder)
	})
	if err == nil && !changed {
		err = fault.New(fault.Conflict, op, "customer.pin_changed_elsewhere")
	}
	return fault.Wrap(op, err)
}

// atOld moves a fault at the field pin to the field old_pin.
func atOld(err error) error {
	if f := fault.As(err); f != nil && f.Field == "pin" {
		f.Field = "old_pin"
	}
	return err
}

// resendTime is how long after the registration a first PIN is sent again although
// there is money in the wallet.
const resendTime = 24 * time.Hour

// ResendPIN sends a new first PIN in place of one that has confirmed nothing, at
// most three times a day. An SMS proves the SIM card, not its holder: a day after the
// registration, a wallet with money in it gets a new PIN from staff only.
//
// Errors: TooMany; Conflict "customer.pin_used"; Forbidden "customer.pin_locked" and
// "customer.pin_resend_staff"; NotFound "customer.no_pin"; Unavailable.
func (cs *Customers) ResendPIN(ctx context.Context, id int64) error {
	const op = "customer.pin.resend"
	row, found, err := cs.readPIN(ctx, id)
	switch {
	case err != nil:
		return fault.Wrap(op, err)
	case !found:
		return noPIN(op)
	case !row.Issued || row.UsedFor != "":
		return fault.New(fault.Conflict, op, "customer.pin_used")
	//mutant:replace LockedUntil.After(cs.o.Now()) => LockedUntil.IsZero() TestResendPINRefusesWhileLocked
	case row.LockedUntil != nil && row.LockedUntil.After(cs.o.Now()):
		return cs.locked(op, row.LockedUntil.UTC())
	}
	//mutant:drop TestResendPINOfAWalletWithMoney
	if err := cs.checkResend(ctx, op, id); err != nil {
		return err
	}
	//mutant:drop TestResendPIN
	if err := cs.o.Counters.Take(ctx, pinResend, fmt.Sprint(id)); err != nil {
		return err
	}
	return cs.sendPIN(ctx, op, id, func(_ context.Context, tx *database.Tx, hash string) error {
		renewed, err := reissuePIN(tx, row, hash, cs.peppers[0].id, cs.o.Now())
		if err == nil && !renewed {
			return fault.New(fault.Conflict, op, "customer.pin_used")
		}
		return err
	})
}

// checkResend returns fault.Forbidden if a first PIN is not sent again by SMS alone.
func (cs *Customers) checkResend(ctx context.Context, op string, id int64) error {
	holder, err := cs.ByID(ctx, id)
	//mutant:replace Before(holder.CreatedAt.Add => After(holder.CreatedAt.Add TestResendPINOfAWalletWithMoney
	if err != nil || cs.o.Now().Before(holder.CreatedAt.Add(resendTime)) {
		return err
	}
	balance, err := cs.o.Balance(ctx, id)
	if err == nil && balance > 0 {
		err = fault.New(fault.Forbidden, op, "customer.pin_resend_staff")
	}
	return fault.Wrap(op, err)
}

// sendPIN draws a PIN, passes its hash to write, and queues the SMS, in one
// transaction.
func (cs *Customers) sendPIN(ctx context.Context, op string, id int64, write func(ctx context.Context, tx *database.Tx, hash string) error) (failure error) {
	defer func() { cs.record(ctx, securitylog.PINIssued, subject{wallet: id}, "", failure) }()
	holder, err := cs.readByID(ctx, id)
	if err != nil {
		return fault.Wrap(op, err)
	}
	pin := drawPIN(phone.Number(holder.Phone), inn.INN(holder.INN))
	hash, err := cs.hashPIN(ctx, id, pin)
	if err != nil {
		return err
	}
	return fault.Wrap(op, cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := write(ctx, tx, hash); err != nil {
			return err
		}
		return sms.Add(ctx, tx, cs.pinMessage(tx, holder, pin))
	}))
}

// pinLife is how long sending a PIN is attempted.
const pinLife = 24 * time.Hour

func (cs *Customers) pinMessage(tx *database.Tx, holder *Record, pin string) sms.Outgoing {
	//mutant:replace cs.o.Sealer => sms TestRegisterByUSSD
	return cs.o.Sealer.OutboxMessage(fmt.Sprintf("customer:pin_issued:%d", tx.NewID()), sms.Message{
		Phone: phone.Number(holder.Phone), Lang: holder.Lang, Key: "sms.pin_issued",
		Args: map[string]any{"PIN": pin}, Secret: true, Until: cs.o.Now().Add(pinLife),
	})
}

// VerifyOldPIN verifies a PIN that is about to be changed, as CheckPIN does, and
// returns a proof. The proof is valid until the PIN is changed, and reveals nothing
// about the PIN, so that a USSD session may store it.
func (cs *Customers) VerifyOldPIN(ctx context.Context, id int64, pin string) (proof string, err error) {
	row, err := cs.verifyPIN(ctx, "customer.pin.prove", id, pin, pinPurpose{use: ForChange})
	if err != nil {
		return "", err
	}
	return cs.proof(row), nil
}

func (cs *Customers) proof(row *pinRow) string {
	return cs.keys.Current().Sum(proofTexts(row)...)
}

func proofTexts(row *pinRow) []string {
	return []string{"pin proof", strconv.FormatInt(row.CustomerID, 10), row.PINHash}
}

// ChangePINByProof is ChangePIN with a proof in place of the old PIN. Repeated with
// the same PIN, it succeeds.
//
// Errors: those of CheckNewPIN at pin, and Invalid "customer.pin_same" there;
// Conflict "customer.pin_changed_elsewhere" if the proof is no longer valid;
// TooMany; Unavailable.
func (cs *Customers) ChangePINByProof(ctx context.Context, id int64, proof, pin string) error {
	const op = "customer.pin.change"
	holder, pin, err := cs.checkNewPIN(ctx, op, id, pin)
	if err != nil {
		return err
	}
	row, err := cs.mustReadPIN(ctx, op, id)
	if err != nil {
		return err
	}
	if !cs.keys.Made(proof, proofTexts(row)...) {
		// An earlier request may have succeeded and its answer was lost. The check
		// counts as an attempt.
		if cs.CheckPIN(ctx, id, pin, ForChange, "") == nil {
			return nil
		}
		return fault.New(fault.Conflict, op, "customer.pin_changed_elsewhere")
	}
	same, _, err := cs.matchPIN(ctx, row, pin)
	if err != nil {
		return err
	}
	if same {
		return fault.New(fault.Invalid, op, "customer.pin_same").At("pin")
	}
	return cs.replaceWithOwnPIN(ctx, op, holder, row, pin)
}
