package customer

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/inn"
	"elsom/internal/input"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
)

// NameMax is the maximum length of a name in characters: it must fit on the
// confirmation screen.
const NameMax = 40

// USSDSignup is a registration by *900#, where the carrier's network proves the
// number.
type USSDSignup struct {
	Phone phone.Number
	// Name is the first and last name, INN the personal number.
	Name, INN string
	// Lang is ky, ru or en.
	Lang string
	// OfferVersion is the edition of the public offer that was accepted.
	OfferVersion string
	// Gateway is the code of the gateway that the request came through.
	Gateway string
}

// CheckName returns a first and last name with single spaces, or Invalid
// "customer.name_malformed" at name. A name has two or more words of letters,
// hyphens and apostrophes, each with at least two letters; initials and pictures are
// refused.
func CheckName(text string) (string, error) {
	refuse := fault.New(fault.Invalid, "customer.name", "customer.name_malformed").At("name")
	if len(text) > 4*NameMax+100 || !utf8.ValidString(text) {
		return "", refuse
	}
	name := input.Name(text)
	words := strings.Fields(name)
	if len(words) < 2 || utf8.RuneCountInString(name) > NameMax {
		return "", refuse
	}
	for _, word := range words {
		//mutant:replace !input.OneScript(word => (false && !input.OneScript(word) TestCheckName
		//mutant:replace !isName(word) || => ./web/ussd TestInvalidInputs
		if !isName(word) || !input.OneScript(word) {
			return "", refuse
		}
	}
	return name, nil
}

func isName(word string) bool {
	letters, joined := 0, true // a word neither begins nor ends with a mark
	for _, r := range word {
		switch {
		case unicode.In(r, unicode.Cyrillic, unicode.Latin) && unicode.IsLetter(r):
			letters, joined = letters+1, false
		case strings.ContainsRune("-'’ʼ", r) && !joined:
			joined = true
		default:
			return false
		}
	}
	//mutant:replace return letters >= 2 && !joined => return letters >= 1 && !joined TestCheckName
	return letters >= 2 && !joined
}

// RegisterByUSSD opens a wallet and sends its first PIN. A repeat returns the same
// customer: a number gets one wallet and one PIN.
//
// Errors: Invalid at name and inn (joined); Conflict "customer.offer_changed" if
// another edition was accepted; Conflict "customer.registered" if the wallet was
// opened elsewhere; Forbidden "customer.blocked"; Unavailable.
func (cs *Customers) RegisterByUSSD(ctx context.Context, s USSDSignup) (Customer, error) {
	const op = "customer.ussd"
	name, badName := CheckName(s.Name)
	person, badINN := parseINN(op, s.INN)
	if err := fault.Join(badName, badINN); err != nil {
		return Customer{}, err
	}
	if s.Phone == "" || s.Gateway == "" || !i18n.Valid(s.Lang) {
		return Customer{}, fault.New(fault.Internal, op, "").Because(errors.New("number, gateway or language is missing"))
	}
	//mutant:replace OfferVersion != OfferVersion => OfferVersion == "" TestRegisterByUSSDRefuses
	if s.OfferVersion != OfferVersion {
		return Customer{}, fault.New(fault.Conflict, op, "customer.offer_changed")
	}
	holder, err := cs.readByPhone(ctx, s.Phone)
	if err != nil {
		return Customer{}, fault.Wrap(op, err)
	}
	if holder == nil {
		if holder, err = cs.openByUSSD(ctx, s, name, person); holder != nil {
			cs.record(ctx, securitylog.Signup, subject{s.Phone, holder.ID}, string(USSD), err)
		}
	}
	switch {
	case err != nil:
		return Customer{}, fault.Wrap(op, err)
	case holder.Registered != USSD:
		return Customer{}, fault.New(fault.Conflict, op, "customer.registered")
	case holder.Blocked:
		return Customer{}, fault.New(fault.Forbidden, op, "customer.blocked")
	}
	return holder.Customer(), nil
}

func (cs *Customers) openByUSSD(ctx context.Context, s USSDSignup, name string, person inn.INN) (*Record, error) {
	level, err := cs.o.Levels.DefaultLevel(ctx)
	if err != nil {
		return nil, err
	}
	fresh := Record{
		ID: cs.db.NewID(), Phone: s.Phone.String(), Lang: s.Lang, SessionEpoch: 1, Level: level, CreatedAt: cs.o.Now(),
		Name: name, INN: person.String(), Registered: USSD, HasPIN: true,
	}
	pin := drawPIN(s.Phone, person)
	hash, err := cs.hashPIN(ctx, fresh.ID, pin)
	if err != nil {
		return nil, err
	}
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		return cs.insertByUSSD(ctx, tx, &fresh, s, pin, hash)
	})
	if isDuplicate(err) { // the number was registered by a concurrent request
		return cs.readByPhone(ctx, s.Phone)
	}
	return &fresh, err
}

func (cs *Customers) insertByUSSD(ctx context.Context, tx *database.Tx, fresh *Record, s USSDSignup, pin, hash string) error {
	if err := inheritSpent(tx, fresh); err != nil {
		return err
	}
	if err := fresh.Insert(tx); err != nil {
		return err
	}
	if err := cs.o.OpenWallet(ctx, tx, fresh.ID); err != nil {
		return err
	}
	a := Acceptance{Version: s.OfferVersion, At: fresh.CreatedAt, Address: s.Gateway, Channel: USSD}
	if err := insertAcceptance(tx, fresh.ID, a); err != nil {
		return err
	}
	row := &pinRow{CustomerID: fresh.ID, PINHash: hash, PepperID: cs.peppers[0].id, Version: pinVersion, Issued: true, SetAt: fresh.CreatedAt}
	if _, err := insertPIN(tx, row); err != nil {
		return err
	}
	return sms.Add(ctx, tx, cs.pinMessage(tx, fresh, pin))
}

// parseINN parses a personal ИНН. An implausible date in its digits is not an error:
// the USSD menu warns of it.
func parseINN(op, text string) (inn.INN, error) {
	person, err := inn.Parse(text)
	switch {
	case err == nil:
		return person, nil
	case errors.Is(err, inn.ErrEmpty):
		return "", fault.New(fault.Invalid, op, "catalog.inn_empty").At("inn")
	case errors.Is(err, inn.ErrDigits):
		return "", fault.New(fault.Invalid, op, "catalog.inn_digits").At("inn")
	}
	return "", fault.New(fault.Invalid, op, "catalog.inn_length").At("inn")
}
