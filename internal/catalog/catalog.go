// Package catalog holds what the operator offers: categories, services, billers,
// limits of identification levels, and the number ranges of carriers.
//
// What it returns for payment can be paid: a service whose biller is not connected
// is left out. An import is all or nothing, and other processes see it within two
// seconds. The package never moves money and never calls a biller.
package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/phone"
)

// Text is one text in the three languages.
type Text struct{ KY, RU, EN string }

// In returns the text in a language ("ky", "ru", "en"); in Russian for other
// languages or a missing text.
func (t Text) In(lang string) string {
	switch {
	case lang == "ky" && t.KY != "":
		return t.KY
	case lang == "en" && t.EN != "":
		return t.EN
	}
	return t.RU
}

// all returns the texts that aren't empty.
func (t Text) all() []string {
	var texts []string
	for _, text := range []string{t.KY, t.RU, t.EN} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// IdentifierKind is what a payer types to say whom or what is paid.
type IdentifierKind string

// The kinds of identifiers.
const (
	// KindINN is the 14-digit taxpayer's number.
	KindINN IdentifierKind = "inn"
	// KindContract is an account or contract number of the biller's own form.
	KindContract IdentifierKind = "contract"
)

// StandardLevel is the identification level of the customers whom earlier releases
// registered, and of new ones where a file names no default level.
const StandardLevel = "standard"

// DostekBiller is the code of the biller whose address ELSOM_DOSTEK_URL sets.
const DostekBiller = "dostek"

// MaxIdentifier is the largest length of an identifier in characters, whatever the
// service's pattern.
const MaxIdentifier = 64

// Category groups services on screens and in the USSD menu.
type Category struct {
	Code string
	Name Text
	// USSDNumber is its fixed number in the *900# menu, 1–98; 0: not there.
	USSDNumber int
	// USSDName is its name there; if empty, Name.
	USSDName Text
	// Position orders categories, from 1.
	Position int
	// Retired categories are no longer in the operator's file.
	Retired bool
}

// Service is what a payer chooses and pays.
type Service struct {
	Code     string
	Category string
	Biller   string
	Name     Text
	// Label and Hint are for the identifier's field in the form.
	Label Text
	Hint  Text
	// Identifier is the form of the identifier; see Identify.
	Identifier IdentifierKind
	// Pattern is a Go regular expression that the whole identifier must
	// match; empty: any characters without spaces. Only for KindContract.
	Pattern string
	// Minimum and Maximum limit the amount of one payment; 0: no limit.
	Minimum money.Amount
	Maximum money.Amount
	Fee     Fee
	// USSDNumber is its fixed number in its category's USSD menu, 1–98; 0: not
	// there.
	USSDNumber int
	USSDName   Text
	// Search are additional search words.
	Search []string
	// Position orders services, from 1.
	Position int
	// Retired services are no longer in the operator's file; payments still
	// refer to them.
	Retired bool
}

// Biller is a payee of services.
type Biller struct {
	Code string
	Name string
	// URL is the payment address in use: the operator's, or in development the
	// stand-in's. Empty: not connected.
	URL string
	// AnswersStoredOutcome is set if by contract a repeated txn_id gets the outcome
	// stored at the first one, so that a refusal after an unknown attempt is final.
	AnswersStoredOutcome bool
	// Deadline is how long one call may take.
	Deadline time.Duration
	// Retired billers are no longer in the operator's file; open payments to them
	// are still delivered.
	Retired bool
}

// Connected reports whether the biller can be called.
func (b Biller) Connected() bool { return b.URL != "" }

// Level is an identification level with its limits; an amount of 0 is no limit.
type Level struct {
	Code string
	// Balance limits the wallet's balance after a credit. Refunds are never
	// limited.
	Balance money.Amount
	// Operation limits one operation.
	Operation money.Amount
	// Day and Month limit the debits of a day and a month in Bishkek.
	Day   money.Amount
	Month money.Amount
	// ConfirmAbove is the amount above which the site asks for the PIN or an SMS code
	// before money leaves the wallet. 0: no operation is confirmed for its amount.
	ConfirmAbove money.Amount
	// Retired levels are no longer in the operator's file; they still limit the
	// customers who have them.
	Retired bool
}

// DefaultConfirmAbove is Level.ConfirmAbove where a file doesn't have it.
const DefaultConfirmAbove money.Amount = 5_000_00

// Carrier is a mobile operator with its default number ranges (ported numbers are
// not known).
type Carrier struct {
	Code string
	Name string
	// Prefixes are the first digits after +996; the longest match wins.
	Prefixes []string
	// USSD reports whether its phones can dial *900#.
	USSD bool
}

// Options are the addresses of billers in this deployment.
type Options struct {
	// Development connects billers without an address to the stand-in.
	Development bool
	// StandInURL is the address of the stand-in in development; empty:
	// http://127.0.0.1:8090.
	StandInURL string
	// DostekURL replaces the address of the biller "dostek", if not empty.
	DostekURL string
}

// resolve returns the biller with the address to call.
func (o Options) resolve(b Biller) Biller {
	if b.Code == DostekBiller && o.DostekURL != "" {
		b.URL = o.DostekURL
		// In development DosTek is the stand-in.
		b.AnswersStoredOutcome = b.AnswersStoredOutcome || o.Development
	}
	if b.URL == "" && o.Development {
		b.URL = o.standIn(b.Code)
		b.AnswersStoredOutcome = true
	}
	return b
}

func (o Options) standIn(biller string) string {
	base := strings.TrimRight(o.StandInURL, "/")
	if base == "" {
		base = "http://127.0.0.1:8090"
	}
	if biller == DostekBiller {
		return base + "/pay"
	}
	return base + "/pay/" + biller
}

// Categories returns the categories with payable services, in order.
func (c *Catalog) Categories(ctx context.Context) ([]Category, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.categories), nil
}

// Category returns a category with payable services; fault.NotFound for others.
func (c *Catalog) Category(ctx context.Context, code string) (Category, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Category{}, err
	}
	for _, category := range s.categories {
		if category.Code == code {
			return category, nil
		}
	}
	return Category{}, missing("catalog.category", "catalog.no_category")
}

// Services returns the payable services of a category in order; all of them if
// category is empty.
func (c *Catalog) Services(ctx context.Context, category string) ([]Service, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	if category == "" {
		return slices.Clone(s.payable), nil
	}
	var found []Service
	for _, service := range s.payable {
		if service.Category == category {
			found = append(found, service)
		}
	}
	return found, nil
}

// Service returns a payable service; fault.NotFound for one that is unknown,
// retired, or whose biller is not connected; fault.Unavailable if the catalog is not
// as it was signed.
func (c *Catalog) Service(ctx context.Context, code string) (Service, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Service{}, err
	}
	if err := s.verified.check(servicesList, code); err != nil {
		return Service{}, err
	}
	for _, service := range s.payable {
		if service.Code == code {
			return service, nil
		}
	}
	return Service{}, missing("catalog.service", "catalog.no_service")
}

// ServiceOfRecord returns a service, also a retired or unpayable one: for receipts,
// history and deliveries of payments.
func (c *Catalog) ServiceOfRecord(ctx context.Context, code string) (Service, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Service{}, err
	}
	if service, ok := s.services[code]; ok {
		return service, nil
	}
	return Service{}, missing("catalog.service", "catalog.no_service")
}

// Biller returns a biller with the address to call, also a retired one;
// fault.NotFound for an unknown one; fault.Unavailable for one that is not as it was
// signed, which must not be called. It may be unconnected.
func (c *Catalog) Biller(ctx context.Context, code string) (Biller, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Biller{}, err
	}
	if err := s.verified.check(billersList, code); err != nil {
		return Biller{}, err
	}
	if biller, ok := s.billers[code]; ok {
		return biller, nil
	}
	return Biller{}, missing("catalog.biller", "")
}

// Billers returns all billers that are not retired, by code.
func (c *Catalog) Billers(ctx context.Context) ([]Biller, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.activeBillers), nil
}

// Level returns an identification level; fault.NotFound for an unknown one, so that
// no wallet is without limits; fault.Unavailable for one that is not as it was signed.
func (c *Catalog) Level(ctx context.Context, code string) (Level, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Level{}, err
	}
	if err := s.verified.check(levelsList, code); err != nil {
		return Level{}, err
	}
	if level, ok := s.levels[code]; ok {
		return level, nil
	}
	return Level{}, missing("catalog.level", "")
}

// DefaultLevel returns the code of the level of a newly registered customer.
func (c *Catalog) DefaultLevel(ctx context.Context) (string, error) {
	s, err := c.current(ctx)
	if err != nil {
		return "", err
	}
	return s.contents.DefaultLevel, nil
}

// Levels returns the identification levels that are not retired, in order.
func (c *Catalog) Levels(ctx context.Context) ([]Level, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(s.contents.Levels), func(l Level) bool { return l.Retired }), nil
}

// Assignable reports whether customers may be given a level: it exists and is not
// retired.
func (c *Catalog) Assignable(ctx context.Context, code string) (bool, error) {
	level, err := c.Level(ctx, code)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	//mutant:replace !level.Retired => !level.Retired || true TestRetiredLevelsLimitButAreNotAssignable
	return err == nil && !level.Retired, err
}

// Carrier returns the carrier of a number by the longest prefix; fault.NotFound for
// a number outside all ranges.
func (c *Catalog) Carrier(ctx context.Context, number phone.Number) (Carrier, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Carrier{}, err
	}
	national, best, length := number.National(), Carrier{}, 0
	for _, carrier := range s.carriers {
		for _, prefix := range carrier.Prefixes {
			if len(prefix) > length && strings.HasPrefix(national, prefix) {
				best, length = carrier, len(prefix)
			}
		}
	}
	if length == 0 {
		return Carrier{}, missing("catalog.carrier", "")
	}
	return best, nil
}
