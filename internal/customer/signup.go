package customer

import (
	"context"
	"errors"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// Signup is the form that registers a number on the site.
type Signup struct {
	Phone           phone.Number
	Email, Password string
	// Offer reports whether the current edition of the public offer was accepted.
	Offer bool
	// Lang is the language of the visit: ky, ru or en.
	Lang string
	From Origin
}

// StartSignup checks the form and sends an SMS code to the number; nothing else is
// created before ConfirmSignup. If the number is registered already, the outcome is
// the same, but the SMS says so and has no code. sessionKey is the browser
// session's.
//
// Errors: Invalid at email, password, offer (joined); TooMany; Unavailable.
func (cs *Customers) StartSignup(ctx context.Context, sessionKey string, s Signup) (failure error) {
	const op = "customer.signup"
	email, badEmail := parseEmail(op, s.Email)
	//mutant:replace cs.checkNewPassword(op, s.Password, s.Phone) => error(nil) ./web TestInvalidSignUp
	badPassword := cs.checkNewPassword(op, s.Password, s.Phone)
	if badPassword == nil {
		//mutant:drop TestPersonalPasswords
		badPassword = checkPersonal(op, s.Password, "", email)
	}
	var badOffer error
	//mutant:drop TestSignupReportsEveryField
	if !s.Offer {
		badOffer = fault.New(fault.Invalid, op, "customer.offer_missing").At("offer")
	}
	if err := fault.Join(badEmail, badPassword, badOffer); err != nil {
		return err
	}
	if s.Phone == "" || sessionKey == "" || !i18n.Valid(s.Lang) {
		return fault.New(fault.Internal, op, "").Because(errors.New("number, session or language is missing"))
	}
	defer func() { cs.record(ctx, securitylog.CodeSent, subject{number: s.Phone}, string(ForSignup), failure) }()
	if err := cs.o.Counters.Take(ctx, signupAddress, ratelimit.Address(s.From.Address)); err != nil {
		return err
	}
	if err := cs.limitCode(ctx, s.Phone, s.From); err != nil {
		return err
	}
	hash, err := cs.anonymous.Hash(ctx, s.Password)
	if err != nil {
		return err
	}
	return fault.Wrap(op, cs.startCode(ctx, &confirmation{
		SessionKey: sessionKey, Purpose: string(ForSignup), Phone: s.Phone.String(),
		Email: email, PasswordHash: hash, Offer: OfferVersion, Lang: s.Lang, Address: s.From.Address,
	}, signupText))
}

func signupText(holder *Record) string {
	if holder != nil && holder.PasswordHash != "" {
		//mutant:replace registered_already => code TestSignupOfARegisteredNumber
		return "sms.registered_already"
	}
	return "sms.code"
}

// ConfirmSignup registers the number that the SMS code proves: it opens a wallet, or
// adds a login on the site to a wallet that was opened by *900#. Since only an SMS
// proves the latter, PINOwed is set, or the wallet is put on hold if it has no PIN.
// The acceptance of the offer is stored, and the browser becomes known.
//
// Errors: Invalid at code; TooMany; NotFound if the session awaits no code; Conflict
// if the number was registered meanwhile; Forbidden if its wallet is blocked.
func (cs *Customers) ConfirmSignup(ctx context.Context, sessionKey, code string, from Origin) (c Customer, failure error) {
	const op = "customer.confirm"
	row, err := cs.verifyCode(ctx, op, sessionKey, ForSignup, code)
	if err != nil {
		return Customer{}, err
	}
	defer func() {
		cs.record(ctx, securitylog.Signup, subject{phone.Number(row.Phone), c.ID}, string(Web), failure)
	}()
	level, err := cs.o.Levels.DefaultLevel(ctx)
	if err != nil {
		return Customer{}, err
	}
	var holder *Record
	var refusal error
	register := func(ctx context.Context, tx *database.Tx) error {
		holder, refusal, err = cs.register(ctx, tx, op, row, level, from)
		return err
	}
	err = cs.db.InTx(ctx, register)
	if isDuplicate(err) {
		// The same number was confirmed in another browser meanwhile, and its row can be
		// read now.
		err = cs.db.InTx(ctx, register)
	}
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	c = holder.Customer()
	//mutant:replace c.Browser.Known = true => _ = c ./web TestRegisteringBrowserIsKnown
	c.Browser.Known = true
	return c, nil
}

// register marks the code as used, and opens the wallet or adds the login. A refusal
// commits, so that the code is used in any case.
func (cs *Customers) register(ctx context.Context, tx *database.Tx, op string, row *confirmation, level string, from Origin) (
	holder *Record, refusal, err error,
) {
	now := cs.o.Now()
	if fresh, err := useCode(tx, row, now); err != nil || !fresh {
		return nil, noCode(op), err
	}
	holder, err = readByPhone(tx, row.Phone)
	switch {
	case err != nil:
		return nil, nil, err
	case holder == nil:
		holder, err = cs.open(ctx, tx, row, level, now)
	case holder.Blocked:
		return nil, fault.New(fault.Forbidden, op, "customer.blocked"), nil
	case holder.PasswordHash != "":
		return nil, fault.New(fault.Conflict, op, "customer.registered"), nil
	default:
		holder, err = addSiteLogin(ctx, tx, holder.ID, row, database.StoredTime(now.Add(cs.o.Hold)))
		if err == nil && holder == nil {
			return nil, fault.New(fault.Conflict, op, "customer.registered"), nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if err := insertAcceptance(tx, holder.ID, Acceptance{Version: row.Offer, At: now, Address: row.Address, Channel: Web}); err != nil {
		return nil, nil, err
	}
	//mutant:replace from => Origin{Address: from.Address} ./web TestKnownBrowserIsNotLimitedByItsAddress
	if err := cs.markFamiliar(tx, holder.ID, from, now); err != nil {
		return nil, nil, err
	}
	return holder, nil, cs.markKnown(tx, holder.ID, from, now)
}

// open inserts a customer of a level and opens the wallet.
func (cs *Customers) open(ctx context.Context, tx *database.Tx, row *confirmation, level string, now time.Time) (*Record, error) {
	holder := &Record{
		ID: tx.NewID(), Phone: row.Phone, Email: row.Email, Lang: row.Lang, PasswordHash: row.PasswordHash,
		SessionEpoch: 1, Level: level, CreatedAt: now, Registered: Web,
	}
	if err := inheritSpent(tx, holder); err != nil {
		return nil, err
	}
	if err := holder.Insert(tx); err != nil {
		return nil, err
	}
	return holder, cs.o.OpenWallet(ctx, tx, holder.ID)
}
