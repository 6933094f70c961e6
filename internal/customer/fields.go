package customer

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/fault"
	"elsom/internal/phone"
)

// parseEmail gives an address as it is written to, or a fault of the field.
// Whether somebody reads it can only be found out by writing.
func parseEmail(act, text string) (string, error) {
	text = strings.TrimSpace(text)
	refuse := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, act, "customer.email_"+why).At("email")
	}
	if text == "" {
		return refuse("empty")
	}
	if len(text) > EmailMax {
		return refuse("long")
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || strings.ContainsFunc(text, unfit) {
		return refuse("wrong")
	}
	at := strings.LastIndexByte(text, '@')
	local, domain := text[:at], text[at+1:]
	if len(local) > 64 || strings.ContainsAny(text, `"[]`) || !strings.Contains(domain, ".") {
		return refuse("wrong")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return refuse("wrong")
		}
	}
	return text, nil
}

func unfit(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }

// judgePassword gives a fault of the field for a password that may not be set.
// There are no rules of composition: length and not being everybody's are what
// keeps guessers out.
func judgePassword(act, password string, number phone.Number) error {
	refuse := func(why string) error {
		return fault.New(fault.Invalid, act, "customer.password_"+why).At("password")
	}
	length := utf8.RuneCountInString(password)
	switch {
	case length == 0:
		return refuse("empty")
	case length < PasswordMin:
		return refuse("short")
	case length > PasswordMax:
		return refuse("long")
	case isCommon(password):
		return refuse("common")
	case isNumber(password, number):
		return refuse("phone")
	}
	return nil
}

// isNumber tells whether the password is the wallet's number in any writing.
func isNumber(password string, number phone.Number) bool {
	var digits strings.Builder
	for _, r := range password {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case unicode.IsLetter(r):
			return false
		}
	}
	national := number.National()
	return national != "" && strings.HasSuffix(digits.String(), national) &&
		strings.HasSuffix("00996"+national, strings.TrimLeft(digits.String(), "0"))
}

// parseCode gives the six digits of an SMS code as typed, or a fault of the
// field. What is no code is not counted as a try.
func parseCode(act, text string) (string, error) {
	code := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, text)
	if code == "" {
		return "", fault.New(fault.Invalid, act, "customer.code_empty").At("code")
	}
	if len(code) != CodeDigits || strings.Trim(code, "0123456789") != "" {
		return "", fault.New(fault.Invalid, act, "customer.code_format").At("code")
	}
	return code, nil
}
