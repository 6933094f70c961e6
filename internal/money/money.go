// Package money represents amounts in whole tyiyn (1 som = 100 tyiyn).
//
// It guarantees that no amount is rounded, overflows silently or is converted to a
// float. There is one currency; fees and accounts are elsewhere.
package money

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"elsom/internal/input"
)

// Amount is a sum of money in whole tyiyn; negative amounts are debits.
type Amount int64

// Currency is the only currency of the books (ISO 4217).
const Currency = "KGS"

// Max is the largest amount that a person may type: 999,999,999,999.99 som. A
// million of them can be added without overflow.
const Max Amount = 99_999_999_999_999

// The errors of Parse.
var (
	ErrEmpty    = errors.New("money: empty")
	ErrFormat   = errors.New("money: not an amount")
	ErrDecimals = errors.New("money: more than two decimals")
	ErrNegative = errors.New("money: negative")
	ErrTooLarge = errors.New("money: too large")
)

// Parse parses an amount in som as people type or paste it: 250, 250,50, 250.5, 1
// 500,50, 250,50 сом. Spaces group by three digits; a comma or dot starts one or two
// decimals; the currency may follow. Anything else (signs, exponents, several
// separators, two amounts) is refused.
func Parse(text string) (Amount, error) {
	s := withoutCurrency(input.Clean(text))
	switch {
	case s == "":
		return 0, ErrEmpty
	//mutant:replace , strings.Contains(strings.TrimSpace(text), "\t") => TestParseReadsOneAmount
	case len(s) > maxLength, strings.Contains(strings.TrimSpace(text), "\t"): // two cells of a table
		return 0, ErrFormat
	}
	if sign, width := utf8.DecodeRuneInString(s); input.IsDash(sign) {
		if _, err := unsigned(strings.TrimLeft(s[width:], " ")); err == nil || errors.Is(err, ErrTooLarge) {
			//mutant:replace 0, ErrNegative => unsigned(s[width:]) TestParse
			return 0, ErrNegative
		}
		return 0, ErrFormat
	}
	return unsigned(s)
}

// currencies are the notations of som after an amount; a longer one precedes its
// prefix.
var currencies = []string{"сомов", "сома", "сом", "som", "kgs", "с"}

// withoutCurrency removes the currency from the end of an amount. A currency without
// an amount is returned as it is.
func withoutCurrency(text string) string {
	lower := strings.ToLower(strings.TrimSuffix(text, "."))
	for _, currency := range currencies {
		if amount, ok := strings.CutSuffix(lower, currency); ok && amount != "" {
			return strings.TrimRight(amount, " ")
		}
	}
	return text
}

func unsigned(s string) (Amount, error) {
	whole, frac := s, ""
	if i := strings.IndexAny(s, ".,"); i >= 0 {
		whole, frac = s[:i], s[i+1:]
		if frac == "" {
			return 0, ErrFormat
		}
	}
	whole, ok := ungrouped(whole)
	if !ok || !digits(whole) || (frac != "" && !digits(frac)) {
		return 0, ErrFormat
	}
	//mutant:drop TestParse
	if len(frac) > 2 {
		return 0, ErrDecimals
	}
	return assemble(whole, frac)
}

// ungrouped removes the spaces that group digits by three. ok is false if spaces
// separate two numbers.
func ungrouped(whole string) (string, bool) {
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r == ' ' })
	if len(groups) < 2 {
		return whole, true
	}
	const size = 3
	for _, group := range groups[1:] {
		//mutant:replace != size => == 0 TestParseReadsOneAmount
		if len(group) != size {
			return "", false
		}
	}
	return strings.Join(groups, ""), len(groups[0]) <= size && !strings.HasSuffix(whole, " ")
}

// maxLength, in bytes, is far above the length of any amount.
const maxLength = 80

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func assemble(whole, frac string) (Amount, error) {
	whole = strings.TrimLeft(whole, "0")
	for len(frac) < 2 {
		frac += "0"
	}
	if len(whole) > 12 {
		return 0, ErrTooLarge
	}
	n, err := strconv.ParseInt("0"+whole+frac, 10, 64)
	if err != nil || Amount(n) > Max {
		return 0, ErrTooLarge
	}
	return Amount(n), nil
}

// Group formats the amount in som for people, in all three languages: "1 500,50",
// grouped by no-break spaces, always with two decimals.
func (a Amount) Group() string {
	sign, whole, frac := a.parts()
	var b strings.Builder
	if sign != "" {
		b.WriteRune('−')
	}
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteRune('\u00a0')
		}
		b.WriteRune(d)
	}
	return b.String() + "," + frac
}

// String returns Group.
func (a Amount) String() string { return a.Group() }

// Plain formats the amount as it would be typed: "1500,50". Parse accepts it.
func (a Amount) Plain() string {
	sign, whole, frac := a.parts()
	return sign + whole + "," + frac
}

// Dot formats the amount for machines: "1500.50" (OSMP's sum).
func (a Amount) Dot() string {
	sign, whole, frac := a.parts()
	return sign + whole + "." + frac
}

func (a Amount) parts() (sign, whole, frac string) {
	u := uint64(a)
	if a < 0 {
		sign, u = "-", -u
	}
	s := strconv.FormatUint(u, 10)
	for len(s) < 3 {
		s = "0" + s
	}
	return sign, s[:len(s)-2], s[len(s)-2:]
}

// Add returns a+b and whether it fits.
func (a Amount) Add(b Amount) (Amount, bool) {
	//mutant:drop TestAdd
	if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {
		return 0, false
	}
	return a + b, true
}

// Sum returns the sum of amounts and whether it and all partial sums fit.
func Sum(amounts ...Amount) (Amount, bool) {
	var total Amount
	for _, a := range amounts {
		//mutant:replace total.Add(a) => total+a, true TestSum
		next, ok := total.Add(a)
		if !ok {
			return 0, false
		}
		total = next
	}
	return total, true
}
