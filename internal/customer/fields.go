package customer

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"elsom/internal/fault"
	"elsom/internal/input"
)

// parseEmail returns an address as mail is sent to it, or a fault of the field.
// Invisible characters are refused, not removed: what a person sees must be
// what is stored. Whether anybody reads the mailbox, only a message shows.
func parseEmail(act, text string) (string, error) {
	text = strings.TrimSpace(text)
	refuse := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, act, fault.Reason("customer.email_"+why)).At("email")
	}
	if text == "" {
		return refuse("empty")
	}
	if len(text) > EmailMax {
		return refuse("long")
	}
	//mutant:drop TestEmailInvisible
	if strings.ContainsFunc(text, invisible) {
		return refuse("invisible")
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || strings.ContainsFunc(text, unicode.IsSpace) {
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
	if _, err := idna.Lookup.ToASCII(domain); err != nil {
		return refuse("wrong")
	}
	return text, nil
}

// invisible reports a character that shows nothing by itself: control and format
// characters (soft hyphen, zero-width and bidirectional marks, BOM), variation
// selectors, fillers, unassigned and private ones. White space is not among them.
func invisible(r rune) bool {
	if unicode.IsSpace(r) {
		return false
	}
	return r == utf8.RuneError || !unicode.IsGraphic(r) ||
		unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// parseCode gives the six digits of an SMS code as typed, or a fault of the
// field. What is no code is not counted as a try.
func parseCode(act, text string) (string, error) {
	code := input.Digits(text)
	if code == "" {
		return "", fault.New(fault.Invalid, act, "customer.code_empty").At("code")
	}
	if len(code) != CodeDigits || strings.Trim(code, "0123456789") != "" {
		return "", fault.New(fault.Invalid, act, "customer.code_format").At("code")
	}
	return code, nil
}
