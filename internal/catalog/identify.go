package catalog

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/input"
	"elsom/internal/money"
)

// Identify parses an identifier as typed and returns it in the biller's form. It
// returns fault.Invalid at the field "account".
func (s Service) Identify(text string) (string, error) {
	const act = "catalog.identify"
	refuse := func(reason fault.Reason) error {
		return fault.New(fault.Invalid, act, reason).At("account")
	}
	if s.Identifier == KindINN {
		n, err := inn.Parse(text)
		switch {
		case errors.Is(err, inn.ErrEmpty):
			return "", refuse("catalog.inn_empty")
		case errors.Is(err, inn.ErrLength):
			return "", refuse("catalog.inn_length")
		case err != nil:
			return "", refuse("catalog.inn_digits")
		}
		return n.String(), nil
	}
	text = input.Clean(text)
	switch {
	case text == "":
		return "", refuse("catalog.contract_empty")
	case !printable(text), utf8.RuneCountInString(text) > MaxIdentifier, !s.matches(text):
		return "", refuse("catalog.contract_form")
	}
	return text, nil
}

func (s Service) matches(text string) bool {
	if s.Pattern == "" {
		return !strings.ContainsFunc(text, unicode.IsSpace)
	}
	pattern, err := anchored(s.Pattern)
	return err == nil && pattern.MatchString(text)
}

// anchored compiles the operator's pattern so that it matches whole identifiers
// only. Go's expressions run in time linear in the text.
func anchored(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // "a)(b" must not become valid by our brackets
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

// printable reports whether a text has no control characters and is valid UTF-8.
func printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Accepts returns fault.Limit at the field "amount", with the limit as {{.Amount}},
// if the amount is outside the service's limits.
func (s Service) Accepts(amount money.Amount) error {
	const act = "catalog.accepts"
	switch {
	case s.Minimum > 0 && amount < s.Minimum:
		return fault.New(fault.Limit, act, "catalog.below_minimum").With("Amount", s.Minimum).At("amount")
	case s.Maximum > 0 && amount > s.Maximum:
		return fault.New(fault.Limit, act, "catalog.above_maximum").With("Amount", s.Maximum).At("amount")
	}
	return nil
}

func missing(op string, reason fault.Reason) error { return fault.New(fault.NotFound, op, reason) }
