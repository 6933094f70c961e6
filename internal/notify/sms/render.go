package sms

import (
	"strings"

	"elsom/internal/i18n"
)

// maxArgLength limits the value of a placeholder, in characters, so that a long
// service name or contract number does not add a third part to a message.
const maxArgLength = 18

// plainSpaces replaces the no-break and thin spaces of amounts and numbers, which
// old phones show as squares.
var plainSpaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ")

// render returns the text of a message in a language.
func render(lang, key string, args map[string]string) (string, error) {
	clipped := make(map[string]string, len(args))
	for name, value := range args {
		clipped[name] = clip(value)
	}
	text, err := i18n.Render(lang, key, clipped)
	return plainSpaces.Replace(text), err
}

func clip(value string) string {
	runes := []rune(value)
	if len(runes) <= maxArgLength {
		return value
	}
	return string(runes[:maxArgLength-1]) + "…"
}

// masked replaces every digit of the arguments of a message with a code or PIN; a sum is
// no secret.
func masked(args map[string]string) map[string]string {
	result := make(map[string]string, len(args))
	for name, value := range args {
		//mutant:drop TestMaskedMessageHasItsSum
		if name == "Amount" {
			result[name] = value
			continue
		}
		result[name] = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '•'
			}
			return r
		}, value)
	}
	return result
}
