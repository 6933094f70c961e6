package customer

import (
	"context"
	"errors"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// Signup is what a person gives to register a number on the site.
type Signup struct {
	Phone           phone.Number
	Email, Password string
	// Offer tells whether the present edition of the public offer was accepted.
	Offer bool
	// Lang is the language of the visit: ky, ru or en.
	Lang string
	// From is where the request came from.
	From Origin
}

// StartSignup judges what was typed and sends an SMS code to the number;
// nothing else is made before ConfirmSignup. A number that is registered
// already takes the same course, but its holder is told so by SMS, and no code
// is sent. sessionKey is the browser session's.
//
// Faults: Invalid at email, password, offer (joined); TooMany; Unavailable.
func (cs *Customers) StartSignup(ctx context.Context, sessionKey string, s Signup) error {
	const act = "customer.signup"
	email, badEmail := parseEmail(act, s.Email)
	badPassword := checkNewPassword(act, s.Password, s.Phone)
	var badOffer error
	//mutant:drop TestSignupNamesEveryField
	if !s.Offer {
		badOffer = fault.New(fault.Invalid, act, "customer.offer_missing").At("offer")
	}
	if err := fault.Join(badEmail, badPassword, badOffer); err != nil {
		return err
	}
	if s.Phone == "" || sessionKey == "" || !isLang(s.Lang) {
		return fault.New(fault.Internal, act, "").Because(errors.New("number, session or language is missing"))
	}
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
	return fault.Wrap(act, cs.startCode(ctx, &confirmation{
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

// ConfirmSignup registers the number that the SMS code proves: a wallet is
// opened, or one that was opened elsewhere gets its login on the site (which
// asks its PIN before the first payment, since an SMS alone opened the door; a
// wallet without a PIN can't send money out for a while). The
// acceptance of the offer is kept with it, and the browser is known for the
// number from then on.
//
// Faults: Invalid at code; TooMany; NotFound where the session awaits no code;
// Conflict where the number was registered meanwhile; Forbidden where its
// wallet is blocked.
func (cs *Customers) ConfirmSignup(ctx context.Context, sessionKey, code string, from Origin) (Customer, error) {
	const act = "customer.confirm"
	row, err := cs.verifyCode(ctx, act, sessionKey, ForSignup, code)
	if err != nil {
		return Customer{}, err
	}
	var holder *Record
	var refusal error
	register := func(ctx context.Context, tx *database.Tx) error {
		holder, refusal, err = cs.register(ctx, tx, act, row, from)
		return err
	}
	err = cs.db.InTx(ctx, register)
	if isDuplicate(err) {
		// The same number was confirmed in another browser at this moment:
		// what it has become is known now.
		err = cs.db.InTx(ctx, register)
	}
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	return holder.Customer(), nil
}

// register spends the code and opens or binds the wallet. A refusal commits,
// so that the code is spent whatever it was good for.
func (cs *Customers) register(ctx context.Context, tx *database.Tx, act string, row *confirmation, from Origin) (
	holder *Record, refusal, err error,
) {
	now := cs.o.Now()
	if fresh, err := spendCode(tx, row, now); err != nil || !fresh {
		return nil, noCode(act), err
	}
	holder, err = readByPhone(tx, row.Phone)
	switch {
	case err != nil:
		return nil, nil, err
	case holder == nil:
		holder, err = cs.open(ctx, tx, row, now)
	case holder.Blocked:
		return nil, fault.New(fault.Forbidden, act, "customer.blocked"), nil
	case holder.PasswordHash != "":
		return nil, fault.New(fault.Conflict, act, "customer.registered"), nil
	default:
		holder, err = addSiteLogin(tx, holder.ID, row, database.StoredTime(now.Add(cs.o.Hold)))
		if err == nil && holder == nil {
			return nil, fault.New(fault.Conflict, act, "customer.registered"), nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if err := accept(tx, holder.ID, Acceptance{Version: row.Offer, At: now, Address: row.Address, Channel: Web}); err != nil {
		return nil, nil, err
	}
	//mutant:replace from => Origin{Address: from.Address} ./web TestKnownBrowsersAreServedBehindABusyAddress
	return holder, nil, cs.remember(tx, holder.ID, from, now)
}

// open makes a customer with a wallet.
func (cs *Customers) open(ctx context.Context, tx *database.Tx, row *confirmation, now time.Time) (*Record, error) {
	holder := &Record{
		ID: tx.NewID(), Phone: row.Phone, Email: row.Email, Lang: row.Lang, PasswordHash: row.PasswordHash,
		SessionEpoch: 1, Level: cs.o.Level, CreatedAt: now, Registered: Web,
	}
	if err := inheritSpent(tx, holder); err != nil {
		return nil, err
	}
	if err := insert(tx, holder); err != nil {
		return nil, err
	}
	return holder, cs.o.OpenWallet(ctx, tx, holder.ID)
}
