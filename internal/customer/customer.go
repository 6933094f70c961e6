// Package customer knows who holds a wallet: number, e-mail, password, PIN,
// acceptance of the public offer, language.
//
// It promises that a wallet is opened or bound only to who proved the number,
// by an SMS code or through the operator's own network (*900#); that a code
// proves one thing in one browser session, once; that tries of a PIN are
// counted over all channels together before anything is compared;
// that nothing but the first step tells a known number from a new one; and
// that a stranger's guesses slow an account down but never lock its owner out
// for good. It moves no money and knows no page.
package customer

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/password"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// Customer is a holder of a wallet. Its ID is also the wallet's account.
type Customer struct {
	ID    int64
	Phone phone.Number
	// Email is empty until the number is registered on the site.
	Email string
	// Name is first and last name, given by who signed up by *900#; else empty.
	Name string
	// Registered is the channel that opened the wallet: Web or USSD.
	Registered Channel
	// Lang is ky, ru or en.
	Lang string
	// HasPassword tells whether the number is registered on the site.
	HasPassword bool
	// HasPIN tells whether there is a PIN. PINOwed tells that the site takes
	// none of this wallet's money before the PIN was given there: its password
	// rests on an SMS alone.
	HasPIN, PINOwed bool
	// Blocked customers can't log in, and terminals are answered 79.
	Blocked bool
	// Closed customers have closed their wallet for good; Phone is its last number.
	Closed bool
	// HoldUntil is the moment before which a wallet without a PIN can't send
	// money out, since its password was set by SMS; zero: no hold.
	HoldUntil time.Time
	// SessionEpoch grows when all sessions must end; a session holds the
	// epoch of its login.
	SessionEpoch int64
	// Level is the identification level, a code of the catalogue.
	Level     string
	CreatedAt time.Time
}

// Limits of what may be typed, in characters.
const (
	PasswordMin = 8
	PasswordMax = password.Max
	EmailMax    = 254
	CodeDigits  = 6
)

// Times of SMS codes, and what a reset costs.
const (
	CodeLife    = 10 * time.Minute
	ResendPause = time.Minute
	DefaultHold = 24 * time.Hour
	codeTries   = 5
	codeHistory = time.Hour // a code is not sent again for a start older than this
)

const pepperBytes = 32

// DefaultLevel is the identification level of who only gave a number.
const DefaultLevel = "standard"

// Hash is how passwords are hashed.
type Hash = password.Hash

// Options of the customers.
type Options struct {
	// Secret is the server's; keys for codes are derived from it.
	Secret []byte
	// PINPepper is mixed into PINs before they are hashed; it never rests in
	// the database.
	PINPepper []byte
	Counters  *ratelimit.Counters
	Sealer    *sms.Sealer
	// OpenWallet opens the wallet of a new customer in the transaction that
	// makes it.
	OpenWallet func(ctx context.Context, tx *database.Tx, customerID int64) error
	// Email tells whether e-mails can be sent; otherwise none are promised.
	Email bool
	// Hold is how long a wallet without a PIN can't send money out after its
	// password was set by SMS; zero: DefaultHold.
	Hold time.Duration
	// Level of new customers; empty: DefaultLevel.
	Level string
	// Budget bounds the SMS codes that strangers can cause; zero: DefaultBudget.
	Budget Budget
	// Hash is how passwords are hashed; zero: password.DefaultHash.
	Hash Hash
	// Now replaces the database's clock, for tests.
	Now func() time.Time
}

// Customers is the register of customers.
type Customers struct {
	db     *database.DB
	o      Options
	key    []byte
	hasher *password.Hasher
	// strangers hashes for requests from where nobody was seen before.
	anonymous *password.Hasher
	budget    *budget

	callers *database.Coalescer[phone.Number, *callerRow]
}

// New makes the register on db.
func New(db *database.DB, o Options) (*Customers, error) {
	if o.Counters == nil || o.Sealer == nil || o.OpenWallet == nil {
		return nil, errors.New("customer: Attempts, Sealer and OpenWallet are needed")
	}
	if len(o.PINPepper) < pepperBytes {
		return nil, errors.New("customer: the PIN pepper is missing or short")
	}
	key, err := hkdf.Key(sha256.New, o.Secret, nil, "elsom customer", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("customer: %w", err)
	}
	if o.Hold == 0 {
		o.Hold = DefaultHold
	}
	if o.Level == "" {
		o.Level = DefaultLevel
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
	cs := &Customers{db: db, o: o, key: key, hasher: hasher, anonymous: hasher.Behind(), budget: newBudget(o.Budget)}
	cs.callers = database.NewCoalescer(cs.readCallers)
	return cs, nil
}

// ByID gives a customer; fault.NotFound where there is none.
func (cs *Customers) ByID(ctx context.Context, id int64) (Customer, error) {
	return found(cs.readByID(ctx, id))
}

// ByIDs gives those of the customers that there are, in no certain order.
func (cs *Customers) ByIDs(ctx context.Context, ids []int64) ([]Customer, error) {
	list, err := cs.readByIDs(ctx, ids)
	return list, fault.Wrap("customer.several", err)
}

// ByPhone gives the customer of a number; fault.NotFound where there is none.
func (cs *Customers) ByPhone(ctx context.Context, number phone.Number) (Customer, error) {
	return found(cs.readByPhone(ctx, number))
}

// Caller gives the customer of a number that dials *900#, and whether the PIN
// they were sent was never used; fault.NotFound where there is none.
func (cs *Customers) Caller(ctx context.Context, number phone.Number) (holder Customer, unusedPIN bool, err error) {
	r, err := cs.callers.Do(ctx, number)
	if err != nil || r == nil {
		holder, err = found(nil, err)
		return holder, false, err
	}
	return r.Customer(), r.HasPIN && r.UnusedPIN, nil
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

// SetLanguage keeps the language in which a customer is spoken to.
func (cs *Customers) SetLanguage(ctx context.Context, id int64, lang string) error {
	if !isLang(lang) {
		return fault.New(fault.Invalid, "customer.language", "")
	}
	return updated("customer.language")(cs.storeLanguage(ctx, id, lang))
}

func isLang(lang string) bool { return lang == "ky" || lang == "ru" || lang == "en" }

// Block stops a customer from logging in and ends all sessions.
func (cs *Customers) Block(ctx context.Context, id int64) error {
	return updated("customer.block")(cs.storeBlocked(ctx, id, true))
}

// Unblock takes a block back. Sessions stay ended.
func (cs *Customers) Unblock(ctx context.Context, id int64) error {
	return updated("customer.unblock")(cs.storeBlocked(ctx, id, false))
}

// updated makes fault.NotFound of a change that met no customer.
func updated(act string) func(rows int64, err error) error {
	return func(rows int64, err error) error {
		if err == nil && rows == 0 {
			return fault.New(fault.NotFound, act, "")
		}
		return fault.Wrap(act, err)
	}
}

// Bishkek is the zone of all times that people read.
var Bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

func formatTime(t time.Time) string { return t.In(Bishkek).Format("02.01.2006 15:04") }

// Hold is how long a wallet without a PIN sends nothing after a reset by SMS.
func (cs *Customers) Hold() time.Duration { return cs.o.Hold }

// CheckHold gives fault.Forbidden with the moment when it ends, while a
// wallet without a PIN may not send money out.
func CheckHold(c Customer, now time.Time) error {
	if c.HoldUntil.IsZero() || !now.Before(c.HoldUntil) {
		return nil
	}
	return fault.New(fault.Forbidden, "customer.hold", "customer.hold").
		With("Until", formatTime(c.HoldUntil)).After(c.HoldUntil.Sub(now))
}

// CheckPINOwed gives fault.Forbidden while the site may not send money out of a
// wallet before its PIN was given there.
func CheckPINOwed(c Customer) error {
	if !c.PINOwed {
		return nil
	}
	return fault.New(fault.Forbidden, "customer.pin_owed", PINOwed)
}

// PINOwed is the reason of a refusal that ends when the PIN is given on the site.
const PINOwed fault.Reason = "customer.pin_owed"

// Purge deletes SMS codes and familiar addresses that serve no more, and tells
// how many.
func (cs *Customers) Purge(ctx context.Context) (int64, error) {
	n, err := cs.purge(ctx, cs.o.Now())
	return n, fault.Wrap("customer.purge", err)
}
