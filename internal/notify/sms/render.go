package sms

import (
	"errors"
	"strings"

	"elsom/internal/i18n"
)

// longestArg bounds what fills a placeholder, in characters, so that no
// service's name or contract number makes a third part of a message.
const longestArg = 18

// plainSpaces makes the spaces of printed amounts and numbers plain: old
// phones show the others as squares.
var plainSpaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ")

var errNoText = errors.New("sms: no text for the key, or an argument is missing")

// render gives the text of key in the language.
func render(lang, key string, args map[string]string) (string, error) {
	speaker, _ := i18n.Parse(lang)
	filled := make(i18n.Args, len(args))
	for name, value := range args {
		filled[name] = clip(value)
	}
	text := plainSpaces.Replace(speaker.T(key, filled))
	if strings.HasPrefix(text, "⟨") || strings.Contains(text, "<no value>") {
		return "", errNoText
	}
	return text, nil
}

func clip(value string) string {
	runes := []rune(value)
	if len(runes) <= longestArg {
		return value
	}
	return string(runes[:longestArg-1]) + "…"
}

// masked hides every digit of arguments that hold a code or PIN.
func masked(args map[string]string) map[string]string {
	hidden := make(map[string]string, len(args))
	for name, value := range args {
		hidden[name] = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '•'
			}
			return r
		}, value)
	}
	return hidden
}
