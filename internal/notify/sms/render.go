package sms

import (
	"strings"
	"unicode/utf16"

	"elsom/internal/i18n"
	"elsom/internal/money"
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

// maxLength is the number of UTF-16 units of two parts.
const maxLength = 134

// textWithBalance returns the text to be sent: with the wallet's balance if the text
// lacks it and two parts hold both.
func (r dueRow) textWithBalance() string {
	if r.Balance == nil {
		return r.Text
	}
	sentence, err := render(r.Lang, "sms.balance", map[string]string{"Balance": money.Amount(*r.Balance).Group()})
	text := strings.TrimSuffix(r.Text, ".") + ". " + sentence
	if err != nil || len(utf16.Encode([]rune(text))) > maxLength {
		return r.Text
	}
	return text
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
