// Package catalog holds what the operator sells and by which rules:
// categories, services, billers, limits of identification levels, and the
// number ranges of the carriers.
//
// It promises that what it shows can be paid (a service whose biller is not
// connected is neither shown nor given out for payment), that an import is all
// or nothing, and that a change made in one process is seen by the others
// within a second or two. It never moves money and never speaks to a biller.
package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"elsom/internal/money"
	"elsom/internal/phone"
)

// Words is one text in the three languages.
type Words struct{ KY, RU, EN string }

// In gives the text in the language ("ky", "ru", "en"), in Russian where the
// language is another or has no text.
func (w Words) In(lang string) string {
	switch {
	case lang == "ky" && w.KY != "":
		return w.KY
	case lang == "en" && w.EN != "":
		return w.EN
	}
	return w.RU
}

// all lists the texts that are there.
func (w Words) all() []string {
	var texts []string
	for _, t := range []string{w.KY, w.RU, w.EN} {
		if t != "" {
			texts = append(texts, t)
		}
	}
	return texts
}

// Kind is what a payer types to say whom or what is paid.
type Kind string

// The kinds of identifiers that services know.
const (
	// KindINN is the 14-digit taxpayer's number.
	KindINN Kind = "inn"
	// KindContract is an account or contract number of the biller's own form.
	KindContract Kind = "contract"
)

// StandardLevel is the identification level of every customer until levels
// come; the catalogue always has it.
const StandardLevel = "standard"

// DostekBiller is the biller that ELSOM_DOSTEK_URL speaks of.
const DostekBiller = "dostek"

// MaxIdentifier is how many characters an identifier may have, whatever the
// service's pattern.
const MaxIdentifier = 64

// Category groups services on screens and in the USSD menu.
type Category struct {
	Code string
	Name Words
	// USSDNumber is its fixed place in the *900# menu, 1–98; 0: not there.
	USSDNumber int
	// USSDName is its name there; the name itself where it is empty.
	USSDName Words
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
	Name     Words
	// Label and Hint stand at the field for the identifier.
	Label Words
	Hint  Words
	// Identifier tells how the identifier is read; see Identify.
	Identifier Kind
	// Pattern is a Go regular expression that the whole identifier must
	// match; empty: any characters without spaces. Only for KindContract.
	Pattern string
	// Minimum and Maximum bound the amount of one payment; 0: no bound.
	Minimum money.Amount
	Maximum money.Amount
	Fee     Fee
	// USSDNumber is its fixed place in its category's USSD menu, 1–98; 0: not there.
	USSDNumber int
	USSDName   Words
	// Search are further words by which people look for it.
	Search []string
	// Position orders services, from 1.
	Position int
	// Retired services are no longer in the operator's file; payments still
	// refer to them.
	Retired bool
}

// Biller is whom a service's money goes to.
type Biller struct {
	Code string
	Name string
	// URL is the biller's payment address in force: the operator's, or in
	// development the stand-in's. Empty: not connected.
	URL string
	// AnswersStoredOutcome: by contract a repeated txn_id gets the outcome
	// stored at the first one, so a refusal after an unknown attempt is final.
	AnswersStoredOutcome bool
	// Deadline is how long one call may take.
	Deadline time.Duration
	// Retired billers are no longer in the operator's file; payments on their
	// way to them still are delivered.
	Retired bool
}

// Connected tells whether the biller can be called.
func (b Biller) Connected() bool { return b.URL != "" }

// Level is an identification level with its limits; an amount of 0 is no limit.
type Level struct {
	Code string
	// Balance is the most a wallet may hold after money is put in. Refunds
	// are never limited.
	Balance money.Amount
	// Operation is the most of one operation.
	Operation money.Amount
	// Day and Month are the most that goes out in a day and a month of Bishkek.
	Day   money.Amount
	Month money.Amount
	// Retired levels are no longer in the operator's file; they go on
	// limiting the customers who have them.
	Retired bool
}

// Carrier is a mobile operator and the number ranges that its brand uses by
// default (number portability is not known here).
type Carrier struct {
	Code string
	Name string
	// Prefixes are the first digits after +996; the longest match wins.
	Prefixes []string
	// USSD tells whether its phones reach *900#.
	USSD bool
}

// Options are what the surroundings decide about billers.
type Options struct {
	// Development connects billers without an address to the stand-in.
	Development bool
	// StandInURL is where the stand-in listens in development; empty means
	// http://127.0.0.1:8090.
	StandInURL string
	// DostekURL replaces the address of the biller "dostek", where not empty.
	DostekURL string
}

// dress gives the biller as it is to be called in these surroundings.
func (o Options) dress(b Biller) Biller {
	if b.Code == DostekBiller && o.DostekURL != "" {
		b.URL = o.DostekURL
		// In development DosTek is the stand-in, or something like it.
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

// Categories lists those that hold a payable service, in their order.
func (c *Catalog) Categories(ctx context.Context) ([]Category, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.shown), nil
}

// Category gives one that holds a payable service; fault.NotFound otherwise.
func (c *Catalog) Category(ctx context.Context, code string) (Category, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Category{}, err
	}
	for _, category := range s.shown {
		if category.Code == code {
			return category, nil
		}
	}
	return Category{}, missing("catalog.category", "catalog.no_category")
}

// Services lists the payable services of a category in their order, all of
// them when the category is empty.
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

// Service gives a service that can be paid now; fault.NotFound for one that is
// unknown, retired, or whose biller is not connected.
func (c *Catalog) Service(ctx context.Context, code string) (Service, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Service{}, err
	}
	for _, service := range s.payable {
		if service.Code == code {
			return service, nil
		}
	}
	return Service{}, missing("catalog.service", "catalog.no_service")
}

// ServiceOfRecord gives a service whatever became of it: for receipts,
// history and deliveries of payments that name it.
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

// Biller gives a biller as it is to be called now, retired ones too;
// fault.NotFound for an unknown one. It may be unconnected.
func (c *Catalog) Biller(ctx context.Context, code string) (Biller, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Biller{}, err
	}
	if biller, ok := s.billers[code]; ok {
		return biller, nil
	}
	return Biller{}, missing("catalog.biller", "")
}

// Billers lists all that are not retired, by code.
func (c *Catalog) Billers(ctx context.Context) ([]Biller, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.called), nil
}

// Level gives an identification level; fault.NotFound for an unknown one, so
// that a wallet with a forgotten level is never without limits.
func (c *Catalog) Level(ctx context.Context, code string) (Level, error) {
	s, err := c.current(ctx)
	if err != nil {
		return Level{}, err
	}
	if level, ok := s.levels[code]; ok {
		return level, nil
	}
	return Level{}, missing("catalog.level", "")
}

// Carrier tells whose range a number is in, by the longest prefix;
// fault.NotFound for a number of none of the brands.
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
