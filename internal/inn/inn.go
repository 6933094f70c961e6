// Package inn reads and prints the ИНН, the 14-digit taxpayer's number.
//
// It promises only what is known: 14 digits are required. What the digits
// seem to say (person or company, a date) is common knowledge but not an
// official text, so it makes warnings and never refusals; nobody computes a
// check digit, and neither does this package.
package inn

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"elsom/internal/input"
)

// INN is 14 digits. The zero value is none.
type INN string

// The reasons for which Parse refuses a text; all are the typist's to mend.
var (
	ErrEmpty  = errors.New("inn: empty")
	ErrDigits = errors.New("inn: something other than digits")
	ErrLength = errors.New("inn: not 14 digits")
)

// Length is how many digits an ИНН has.
const Length = 14

// Parse reads an ИНН as people type or paste it; spaces, dots and dashes are
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

// String gives the 14 digits.
func (n INN) String() string { return string(n) }

// Grouped gives "0020 7199 6100 17" with no-break spaces.
func (n INN) Grouped() string { return Group(string(n)) }

// Masked shows the last four digits only: "•••• 0017".
func (n INN) Masked() string {
	if len(n) < 4 {
		return ""
	}
	return "••••\u00a0" + string(n[len(n)-4:])
}

// LogValue keeps the number out of logs.
func (n INN) LogValue() slog.Value { return slog.StringValue("•••") }

// Group writes digits in groups of four, joined by no-break spaces.
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

// Holder is whom an ИНН seems to belong to.
type Holder int

// What the first digit says: 0 a company, 1 a woman, 2 a man.
const (
	Unclear Holder = iota
	Company
	Woman
	Man
)

// Holder tells whom the number seems to belong to.
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

// Date gives the date that digits two to nine seem to hold (birth or
// registration), and whether it exists.
func (n INN) Date() (time.Time, bool) {
	if len(n) != Length {
		return time.Time{}, false
	}
	date, err := time.Parse("02012006", string(n[1:9]))
	return date, err == nil && date.Year() >= 1900
}

// Suspect tells whether the number looks mistyped: an unusual first digit or
// an impossible date. It earns a word on the check page, never a refusal.
func (n INN) Suspect() bool {
	_, dated := n.Date()
	return n.Holder() == Unclear || !dated
}
