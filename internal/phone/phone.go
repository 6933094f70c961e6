// Package phone parses and formats the mobile numbers of Kyrgyzstan that identify
// wallets (+996 and nine digits).
//
// It guarantees that a number has one form, however it is typed. Which carrier has a
// number is stored in the catalog.
package phone

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"elsom/internal/input"
)

// Number is a mobile number as "+996" and nine digits. The zero value is no number.
type Number string

// The errors of Parse.
var (
	ErrEmpty    = errors.New("phone: empty")
	ErrFormat   = errors.New("phone: not a phone number")
	ErrForeign  = errors.New("phone: a number of another country")
	ErrLandline = errors.New("phone: not a mobile number")
)

const maxLength = 40

// Parse parses a number as people type or paste it: 0700 123 456, 700123456,
// 996700123456, +996 (700) 12-34-56, +996 (0)700 123 456.
func Parse(text string) (Number, error) {
	if national := plain(text); national != "" {
		return Number("+996" + national), nil
	}
	digits, plus, err := clean(text)
	if err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(digits, "00996") && !plus:
		digits, plus = digits[2:], true
	case strings.HasPrefix(digits, "00") && len(digits) >= 9:
		return "", ErrForeign
	}
	switch {
	case strings.HasPrefix(digits, "996") && (len(digits) == 12 || (len(digits) == 13 && digits[3] == '0')):
		digits = digits[len(digits)-9:] // the trunk prefix 0 is often left in
	case plus:
		if len(digits) >= 7 && !strings.HasPrefix(digits, "996") {
			return "", ErrForeign
		}
		return "", ErrFormat
	case len(digits) == 10 && digits[0] == '0':
		digits = digits[1:]
	case len(digits) == 11 && (digits[0] == '7' || digits[0] == '8'), len(digits) == 12:
		return "", ErrForeign
	}
	if len(digits) != 9 {
		return "", ErrFormat
	}
	return checkMobile(digits)
}

// mobile are the first three digits of numbers that are all mobile. They need no look-up
// in the numbering library, which takes 2 µs.
//
//mutant:replace "220 221 => "312 220 221 TestPlainNumbersAreMobile
const mobile = "220 221 222 223 224 225 226 227 228 229 500 501 502 504 505 506 507 508 509 550 551 552 553 554 555 556 557 558 559 " +
	"700 701 702 703 704 705 706 707 708 709 755 770 771 772 773 774 775 776 777 778 779 880 990 995 996 997 998 999"

// plain returns the nine digits of a mobile number in a usual form, +996700123456,
// 996700123456 or 0700123456; empty for any other text.
func plain(text string) (national string) {
	switch {
	case len(text) == 13 && text[:4] == "+996":
		national = text[4:]
	case len(text) == 12 && text[:3] == "996":
		national = text[3:]
	case len(text) == 10 && text[0] == '0':
		national = text[1:]
	default:
		return ""
	}
	for i := range len(national) {
		//mutant:drop TestPlainNumbersAreMobile
		if national[i] < '0' || national[i] > '9' {
			return ""
		}
	}
	//mutant:drop TestParse
	if !strings.Contains(mobile, national[:3]) {
		return ""
	}
	return national
}

// clean returns the digits of a number and whether they follow a plus.
func clean(text string) (digits string, plus bool, err error) {
	text = input.Clean(text)
	if text == "" {
		return "", false, ErrEmpty
	}
	if len(text) > maxLength {
		return "", false, ErrFormat
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0:
			plus = true
		case strings.ContainsRune(" ().", r), input.IsDash(r):
		default:
			return "", false, ErrFormat
		}
	}
	return b.String(), plus, nil
}

func checkMobile(national string) (Number, error) {
	country := int32(996)
	value, err := strconv.ParseUint(national, 10, 64)
	if err != nil {
		return "", ErrFormat
	}
	switch phonenumbers.GetNumberType(&phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &value}) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return Number("+996" + national), nil
	case phonenumbers.UNKNOWN:
		return "", ErrFormat
	}
	//mutant:replace "", ErrLandline => Number("+996" + national), nil TestParse
	return "", ErrLandline
}

// String returns "+996700123456".
func (n Number) String() string { return string(n) }

// National returns the nine digits after +996; empty for the zero value.
func (n Number) National() string { return strings.TrimPrefix(string(n), "+996") }

// Pretty returns "+996 700 123 456" with no-break spaces.
func (n Number) Pretty() string {
	d := n.National()
	if len(d) != 9 {
		return string(n)
	}
	return "+996\u00a0" + d[:3] + "\u00a0" + d[3:6] + "\u00a0" + d[6:]
}

// Masked returns "+996 700 ••• 456", which its owner recognizes.
func (n Number) Masked() string {
	d := n.National()
	if len(d) != 9 {
		return ""
	}
	return "+996\u00a0" + d[:3] + "\u00a0•••\u00a0" + d[6:]
}

// LogValue keeps numbers out of logs.
//
//mutant:replace StringValue("•••") => StringValue(string(n)) TestStaysOutOfLogs
func (n Number) LogValue() slog.Value { return slog.StringValue("•••") }
