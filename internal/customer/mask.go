package customer

import (
	"strings"
	"unicode/utf8"

	"elsom/internal/inn"
)

// Masked returns the profile as staff see it without a reason: enough to recognize the
// holder, not enough to pass for them.
func (p Profile) Masked() (name, email, number string) {
	return maskName(p.Name), maskAddress(p.Email), maskINN(p.INN)
}

// maskName returns the first name and the initial of the last: "Бакыт А.".
func maskName(name string) string {
	first, last, found := strings.Cut(name, " ")
	if !found || last == "" {
		return first
	}
	initial, _ := utf8.DecodeRuneInString(last)
	return first + " " + string(initial) + "."
}

// maskAddress returns the first character of an e-mail address and of its domain, and
// the top-level domain: "a•••@e•••.kg".
func maskAddress(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || domain == "" {
		return ""
	}
	masked := firstOf(local) + "•••@" + firstOf(domain) + "•••"
	if dot := strings.LastIndexByte(domain, '.'); dot > 0 {
		masked += domain[dot:]
	}
	return masked
}

func firstOf(text string) string {
	r, _ := utf8.DecodeRuneInString(text)
	return string(r)
}

// maskINN returns the first four digits and the last two: "0020 •••• •••• 17".
func maskINN(number string) string {
	if len(number) != inn.Length {
		return ""
	}
	return inn.Group(number[:4]) + "\u00a0••••\u00a0••••\u00a0" + number[len(number)-2:]
}
