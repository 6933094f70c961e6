// Package customer manages the holders of wallets: phone number, e-mail, password,
// PIN, acceptance of the public offer, language.
//
// It guarantees that a wallet is opened, or gets a login on the site, only after
// the number was proved by an SMS code or by the carrier's network (*900#); that a
// code confirms one operation in one browser session, once; that attempts at a PIN
// are counted over all channels together, before the PIN is compared; that only the
// first step of the login (Known) distinguishes a registered number from a new one;
// and that other people's guesses can delay the holder but never lock the holder
// out permanently. It moves no money.
package customer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/keyedhash"
	"elsom/internal/money"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/password"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/securitylog"
)

// Customer is the holder of a wallet. Its ID is also the id of the wallet's account.
type Customer struct {
	ID    int64
	Phone phone.Number
	// Email is empty until the number is registered on the site.
	Email string
	// EmailConfirmed reports whether the customer confirmed Email by a code sent to it.
	EmailConfirmed bool
	// Notices are the chosen messages; see Gets.
	Notices Notices
	// Name is the first and last name given at registration by *900#, else empty.
	Name string
	// Registered is the channel that opened the wallet: Web or USSD.
	Registered Channel
	// Lang is ky, ru or en.
	Lang string
	// HasPassword reports whether the number is registered on the site.
	HasPassword bool
	// HasPIN reports whether a PIN is set. PINOwed reports whether the PIN must be
	// entered on the site before it can send money: the password was set with only an
	// SMS code, so the login does not prove that the customer owns the wallet.
	HasPIN, PINOwed bool
	// Blocked customers can't log in or pay, and terminals get result 79. BlockedOut
	// ones can't send money out.
	Blocked, BlockedOut bool
	// Closed customers have closed their wallet for good; Phone is its last number.
	Closed bool
	// HoldUntil is the end of the hold: until then a wallet without a PIN can't send
	// money out, since its password was set by SMS. Zero means no hold.
	HoldUntil time.Time
	// SessionEpoch is increased to end all sessions: a session is valid for the
	// epoch of its login.
	SessionEpoch int64
	// Level is the code of the identification level in the catalog.
	Level     string
	CreatedAt time.Time
	// Browser is where the customer is signed in; zero if the customer was not read
	// with a session, or by LogIn, ConfirmLogin or ConfirmSignup.
	Browser Browser

	mac, keyID string // of the row; see CheckSigned
	// What closed wallets of the number had sent on the day and in the month of spentAt;
	// see SpentBefore. It never changes while the wallet is open.
	spentAt time.Time
	spent   Spent
}

// Browser is a browser in which a customer is signed in.
type Browser struct {
	// Session identifies the browser session; see web/session.
	Session string
	// Row is the session's row as it was read. Money leaves the wallet only while it is
	// there unchanged, and not Idle without a request.
	Row  SessionRow
	Idle time.Duration
	// Known reports whether the browser registered the wallet or has confirmed an
	// operation of it. Money leaves the wallet from another browser only with the PIN
	// or an SMS code.
	Known bool
}

// Lengths of what people type, in characters.
const (
	PasswordMin = password.Min
	PasswordMax = password.Max
	EmailMax    = 254
	CodeDigits  = 6
)

// Times of SMS codes and of the hold after a reset.
const (
	CodeLife    = 10 * time.Minute
	ResendPause = time.Minute
	DefaultHold = 24 * time.Hour
	codeTries   = 5
	codeHistory = time.Hour // a code is not resent for an operation older than this
)

const pepperBytes = 32

// Levels are the identification levels; *catalog.Catalog implements it.
type Levels interface {
	// DefaultLevel returns the code of the level of a newly registered customer, who
	// proved only a number.
	DefaultLevel(ctx context.Context) (string, error)
	// Assignable reports whether customers may be given a level.
	Assignable(ctx context.Context, code string) (bool, error)
}

// Hash holds the parameters by which passwords are hashed.
type Hash = password.Hash

// Options configure Customers.
type Options struct {
	// Secret is the server's; keys for codes are derived from it.
	Secret []byte
	// PINPepper is mixed into PINs before they are hashed. It is never stored in the
	// database.
	PINPepper []byte
	// PreviousSecret and PreviousPepper are those that Secret and PINPepper replace;
	// empty: none. What was made with them is accepted, and made anew when it is used.
	PreviousSecret, PreviousPepper []byte
	Counters                       *ratelimit.Counters
	Sealer                         *sms.Sealer
	// OpenWallet opens the wallet of a new customer in the transaction that inserts
	// the customer.
	OpenWallet func(ctx context.Context, tx *database.Tx, customerID int64) error
	// Balance returns the balance of a customer's wallet.
	Balance func(ctx context.Context, customerID int64) (money.Amount, error)
	// IssuedPINLife is how long a PIN that was sent by SMS and has confirmed nothing is
	// accepted; zero: until it is changed.
	IssuedPINLife time.Duration
	// Email encrypts the codes in e-mails; nil: e-mails can't be sent, and none are queued.
	Email *email.Sealer
	// Hold is the length of the hold after a password was set by SMS; zero:
	// DefaultHold.
	Hold   time.Duration
	Levels Levels
	// Budget limits the SMS codes for unfamiliar origins; zero: DefaultBudget.
	Budget Budget
	// Hash holds the parameters by which passwords are hashed; zero:
	// password.DefaultHash.
	Hash Hash
	// Refused are passwords that may not be set, besides the common ones; may be nil.
	Refused *password.Refused
	// SecurityLog gets logins, codes, PINs and their outcomes; may be nil.
	SecurityLog *securitylog.Log
	// Now replaces the database's clock, for tests.
	Now func() time.Time
}

// Customers is the register of customers.
type Customers struct {
	desk
	o    Options
	keys keyedhash.Keys
	// peppers has the pepper in use first.
	peppers []pepperKey
	hasher  *password.Hasher
	// anonymous hashes for requests from unfamiliar origins, with lower priority.
	anonymous *password.Hasher
	budget    *budget

	callers *database.Coalescer[phone.Number, *callerRow]
}

// New returns the register on db.
func New(db *database.DB, o Options) (*Customers, error) {
	if o.Counters == nil || o.Sealer == nil || o.Levels == nil || o.OpenWallet == nil || o.Balance == nil {
		return nil, errors.New("customer: Counters, Sealer, Levels, OpenWallet and Balance are required")
	}
	if len(o.PINPepper) < pepperBytes {
		return nil, errors.New("customer: the PIN pepper is missing or too short")
	}
	//mutant:replace , o.PreviousSecret => TestPreviousSecretIsAccepted
	keys, err := keyedhash.DeriveAll("elsom customer", o.Secret, o.PreviousSecret)
	if err != nil {
		return nil, fmt.Errorf("customer: %w", err)
	}
	if o.Hold == 0 {
		o.Hold = DefaultHold
	}
	if o.Budget == (Budget{}) {
		o.Budget = DefaultBudget
	}
	if o.Now == nil {
		o.Now = db.Now
	}
	hasher, err := password.New(o.Hash)
	if err != nil {
		return nil, fmt.Errorf("customer: %w", err)
	}
	cs := &Customers{desk: desk{db, o.Levels}, o: o, keys: keys, peppers: peppersOf(o), hasher: hasher, anonymous: hasher.LowPriority(), budget: newBudget(o.Budget)}
	cs.callers = database.NewCoalescer(cs.readCallers)
	return cs, nil
}

// ByID returns a customer, or fault.NotFound.
func (cs *Customers) ByID(ctx context.Context, id int64) (Customer, error) {
	return found(cs.readByID(ctx, id))
}

// ByIDs returns the customers with these ids, in no particular order; unknown ids are
// left out. It needs none of the server's keys.
func ByIDs(ctx context.Context, db *database.DB, ids []int64) ([]Customer, error) {
	list, err := readByIDs(ctx, db, ids)
	return list, fault.Wrap("customer.several", err)
}

// ByPhone returns the customer with a number, or fault.NotFound.
func (cs *Customers) ByPhone(ctx context.Context, number phone.Number) (Customer, error) {
	return found(cs.readByPhone(ctx, number))
}

// Receiver is ByPhone for money that goes to the wallet of a number. It returns
// fault.Unavailable, which is no refusal, if the row is not as it was signed.
func (cs *Customers) Receiver(ctx context.Context, number phone.Number) (Customer, error) {
	c, err := cs.ByPhone(ctx, number)
	if err != nil {
		return Customer{}, err
	}
	//mutant:drop ./internal/payment TestForgedCustomer
	if err := CheckSigned(ctx, cs.db, c); err != nil {
		return Customer{}, err
	}
	return c, nil
}

// Caller returns the customer of a number that dials *900#, or fault.NotFound.
// unusedPIN reports that the PIN sent by SMS has not been used.
func (cs *Customers) Caller(ctx context.Context, number phone.Number) (holder Customer, unusedPIN bool, err error) {
	r, err := cs.callers.Do(ctx, number)
	if err != nil || r == nil {
		holder, err = found(nil, err)
		return holder, false, err
	}
	return r.Customer(), r.record.HasPIN && r.unusedPIN, nil
}

func found(r *Record, err error) (Customer, error) {
	if err != nil {
		return Customer{}, fault.Wrap("customer.read", err)
	}
	if r == nil {
		return Customer{}, fault.New(fault.NotFound, "customer.read", "")
	}
	return r.Customer(), nil
}

// SetLanguage stores the language of a customer's messages and pages.
func (cs *Customers) SetLanguage(ctx context.Context, id int64, lang string) error {
	if !i18n.Valid(lang) {
		return fault.New(fault.Invalid, "customer.language", "")
	}
	return updated("customer.language")(cs.storeLanguage(ctx, id, lang))
}

// updated returns fault.NotFound for an update that changed no row.
func updated(op string) func(rows int64, err error) error {
	return func(rows int64, err error) error {
		if err == nil && rows == 0 {
			return fault.New(fault.NotFound, op, "")
		}
		return fault.Wrap(op, err)
	}
}

// Bishkek is the time zone of messages and pages.
var Bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

func formatTime(t time.Time) string { return t.In(Bishkek).Format("02.01.2006 15:04") }

// Hold returns the length of the hold after a password was set by SMS.
func (cs *Customers) Hold() time.Duration { return cs.o.Hold }

// CheckHold returns fault.Forbidden while the customer can't send money out: because
// of a block of that kind, or of a hold, with the time until its end.
func CheckHold(c Customer, now time.Time) error {
	//mutant:drop ./internal/payment TestBlockOutStopsPayments
	if c.BlockedOut {
		return fault.New(fault.Forbidden, "customer.hold", "customer.blocked_out")
	}
	if c.HoldUntil.IsZero() || !now.Before(c.HoldUntil) {
		return nil
	}
	return fault.New(fault.Forbidden, "customer.hold", "customer.hold").
		With("Until", formatTime(c.HoldUntil)).After(c.HoldUntil.Sub(now))
}

// CheckPINOwed returns fault.Forbidden if the PIN must be entered on the site before
// it can send money.
func CheckPINOwed(c Customer) error {
	if !c.PINOwed {
		return nil
	}
	return fault.New(fault.Forbidden, "customer.pin_owed", PINOwed)
}

// PINOwed is the reason of a refusal because the PIN has not been entered on the
// site; see Customer.PINOwed.
const PINOwed fault.Reason = "customer.pin_owed"

// Purge deletes SMS codes an hour after they expired, and origins that are no
// longer familiar. It returns the number of rows.
func (cs *Customers) Purge(ctx context.Context) (int64, error) {
	n, err := cs.purge(ctx, cs.o.Now())
	return n, fault.Wrap("customer.purge", err)
}
