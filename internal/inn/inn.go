// Package inn parses and formats the ИНН, the 14-digit taxpayer's number.
//
// Only the length is certain. What the digits seem to encode (person or company, a
// date) is widely known but not officially documented, so it leads to warnings,
// never to errors. There is no check digit.
package inn

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"elsom/internal/input"
)

// INN is 14 digits; the zero value is no number.
type INN string

// The errors of Parse.
var (
	ErrEmpty  = errors.New("inn: empty")
	ErrDigits = errors.New("inn: something other than digits")
	ErrLength = errors.New("inn: not 14 digits")
)

// Length is the number of digits.
const Length = 14

// Parse parses an ИНН as people type or paste it; spaces, dots and dashes are
// ignored.
func Parse(text string) (INN, error) {
	var b strings.Builder
	for _, r := range input.Clean(text) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == ' ', r == '.', input.IsDash(r):
		default:
			return "", ErrDigits
		}
	}
	switch b.Len() {
	case 0:
		return "", ErrEmpty
	//mutant:replace case Length => default TestParse
	case Length:
		return INN(b.String()), nil
	}
	return "", ErrLength
}

// String returns the 14 digits.
func (n INN) String() string { return string(n) }

// Grouped returns "0020 7199 6100 17" with no-break spaces.
func (n INN) Grouped() string { return Group(string(n)) }

// Masked returns the last six digits only, in the groups of Grouped: "•••• 6100 17".
func (n INN) Masked() string {
	const last = 6
	if len(n) < last {
		return ""
	}
	return "••••\u00a0" + Group(string(n[len(n)-last:]))
}

// LogValue keeps the number out of logs.
func (n INN) LogValue() slog.Value { return slog.StringValue("•••") }

// Group returns digits in groups of four, joined by no-break spaces.
func Group(digits string) string {
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && i%4 == 0 {
			b.WriteRune('\u00a0')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Holder is the kind of holder that an ИНН seems to have.
type Holder int

// The kinds by the first digit: 0 a company, 1 a woman, 2 a man.
const (
	Unclear Holder = iota
	Company
	Woman
	Man
)

// Holder returns the kind of holder by the first digit.
func (n INN) Holder() Holder {
	if len(n) != Length {
		return Unclear
	}
	switch n[0] {
	case '0':
		return Company
	case '1':
		return Woman
	case '2':
		return Man
	}
	return Unclear
}

// Date returns the date of birth or registration that digits two to nine seem to
// encode, and whether it exists.
func (n INN) Date() (time.Time, bool) {
	if len(n) != Length {
		return time.Time{}, false
	}
	date, err := time.Parse("02012006", string(n[1:9]))
	return date, err == nil && date.Year() >= 1900
}

// Suspect reports whether the number looks mistyped: an unusual first digit or an
// impossible date. The check page warns of it.
func (n INN) Suspect() bool {
	_, dated := n.Date()
	return n.Holder() == Unclear || !dated
}
