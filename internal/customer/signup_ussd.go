package customer

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/input"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// NameMax is how long a name may be, in characters: on the smallest screen it
// is confirmed whole.
const NameMax = 40

// USSDSignup is what a person gives to open a wallet by *900#. The operator's
// network proves the number.
type USSDSignup struct {
	Phone phone.Number
	// Name is first and last name, INN the person's own.
	Name, INN string
	// Lang is ky, ru or en.
	Lang string
	// OfferVersion is the edition of the public offer that was accepted.
	OfferVersion string
	// Gateway is the code of the gateway that the request came through.
	Gateway string
}

// CheckName gives a person's first and last name with single spaces, or
// Invalid "customer.name_malformed" at name. Two words or more, of letters,
// hyphens and apostrophes, each with two letters at least: initials and
// pictures are nobody's name.
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
		if !isName(word) || !input.OneScript(word) {
			return "", refuse
		}
	}
	return name, nil
}

func isName(word string) bool {
	letters, joined := 0, true // a word neither begins nor ends with a sign
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

// RegisterByUSSD opens a wallet and sends its first PIN. However often it is
// asked, a number has one wallet and gets one PIN: a repeat gives the same
// customer.
//
// Faults: Invalid at name and inn (joined); Conflict "customer.offer_changed"
// where the accepted edition is not today's; Conflict "customer.registered"
// where the wallet was opened elsewhere; Forbidden "customer.blocked";
// Unavailable.
func (cs *Customers) RegisterByUSSD(ctx context.Context, s USSDSignup) (Customer, error) {
	const act = "customer.ussd"
	name, badName := CheckName(s.Name)
	person, badINN := parseINN(act, s.INN)
	if err := fault.Join(badName, badINN); err != nil {
		return Customer{}, err
	}
	if s.Phone == "" || s.Gateway == "" || !isLang(s.Lang) {
		return Customer{}, fault.New(fault.Internal, act, "").Because(errors.New("number, gateway or language is missing"))
	}
	//mutant:replace OfferVersion != OfferVersion => OfferVersion == "" TestRegisterByUSSDRefuses
	if s.OfferVersion != OfferVersion {
		return Customer{}, fault.New(fault.Conflict, act, "customer.offer_changed")
	}
	holder, err := cs.readByPhone(ctx, s.Phone)
	if err != nil {
		return Customer{}, fault.Wrap(act, err)
	}
	if holder == nil {
		holder, err = cs.openByUSSD(ctx, s, name, person)
	}
	switch {
	case err != nil:
		return Customer{}, fault.Wrap(act, err)
	case holder.Registered != USSD:
		return Customer{}, fault.New(fault.Conflict, act, "customer.registered")
	case holder.Blocked:
		return Customer{}, fault.New(fault.Forbidden, act, "customer.blocked")
	}
	return holder.Customer(), nil
}

func (cs *Customers) openByUSSD(ctx context.Context, s USSDSignup, name string, person inn.INN) (*Record, error) {
	fresh := Record{
		ID: cs.db.NewID(), Phone: s.Phone.String(), Lang: s.Lang, SessionEpoch: 1, Level: cs.o.Level, CreatedAt: cs.o.Now(),
		Name: name, INN: person.String(), Registered: USSD, HasPIN: true,
	}
	pin := drawPIN(s.Phone, person)
	hash, err := cs.hashPIN(ctx, fresh.ID, pin)
	if err != nil {
		return nil, err
	}
	err = cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		return cs.insertByUSSD(ctx, tx, fresh, s, pin, hash)
	})
	if isDuplicate(err) { // the same number was confirmed twice at this moment
		return cs.readByPhone(ctx, s.Phone)
	}
	return &fresh, err
}

func (cs *Customers) insertByUSSD(ctx context.Context, tx *database.Tx, fresh Record, s USSDSignup, pin, hash string) error {
	if err := inheritSpent(tx, &fresh); err != nil {
		return err
	}
	if err := insert(tx, &fresh); err != nil {
		return err
	}
	if err := cs.o.OpenWallet(ctx, tx, fresh.ID); err != nil {
		return err
	}
	a := Acceptance{Version: s.OfferVersion, At: fresh.CreatedAt, Address: s.Gateway, Channel: USSD}
	if err := accept(tx, fresh.ID, a); err != nil {
		return err
	}
	row := &pinRow{CustomerID: fresh.ID, PINHash: hash, Version: pinVersion, Issued: true, SetAt: fresh.CreatedAt}
	if _, err := insertPIN(tx, row); err != nil {
		return err
	}
	return outbox.Add(ctx, tx, cs.pinMessage(tx, &fresh, pin))
}

// parseINN reads a personal ИНН. What its digits seem to say earns a warning
// by the door, never a refusal.
func parseINN(act, text string) (inn.INN, error) {
	person, err := inn.Parse(text)
	switch {
	case err == nil:
		return person, nil
	case errors.Is(err, inn.ErrEmpty):
		return "", fault.New(fault.Invalid, act, "catalog.inn_empty").At("inn")
	case errors.Is(err, inn.ErrDigits):
		return "", fault.New(fault.Invalid, act, "catalog.inn_digits").At("inn")
	}
	return "", fault.New(fault.Invalid, act, "catalog.inn_length").At("inn")
}
