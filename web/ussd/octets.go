package ussd

import (
	"strings"
	"unicode/utf16"
)

// MaxOctets is the size limit of a screen.
const MaxOctets = 160

// gsm7 has the characters of one septet (GSM 03.38), gsm7two those of two.
const (
	gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7two = "^{}\\[~]|€\f"
)

// septetsOf has the number of septets of each character up to the last of gsm7; 0 for
// those outside the GSM alphabet.
var septetsOf = func() (table ['Ω' + 1]int8) {
	for _, r := range gsm7 {
		table[r] = 1
	}
	for _, r := range gsm7two {
		if int(r) < len(table) {
			table[r] = 2
		}
	}
	return table
}()

// septets returns the number of septets of a character; 0 if it is outside the GSM
// alphabet.
func septets(r rune) int {
	switch {
	case int(r) < len(septetsOf):
		return int(septetsOf[r])
	case r == '€':
		return 2
	}
	return 0
}

// Octets returns the size of a text on the network: packed septets if all of its
// characters are in the GSM alphabet, otherwise UCS-2.
func Octets(text string) int {
	sum := 0
	for _, r := range text {
		n := septets(r)
		if n == 0 {
			return 2 * units(text)
		}
		sum += n
	}
	return (sum*7 + 7) / 8
}

// units returns the length of a text in UTF-16.
func units(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// isGSM reports whether all characters of a text are in the GSM alphabet.
func isGSM(text string) bool {
	for _, r := range text {
		if septets(r) == 0 {
			return false
		}
	}
	return true
}

// fits reports whether the text fits a screen.
//
//mutant:replace MaxOctets => MaxOctets+2 TestMenuScreensFit
func fits(text string) bool { return Octets(text) <= MaxOctets }

// firstFitting returns the first text that fits a screen. If none does, the last
// one is cut.
func firstFitting(texts ...string) string {
	for _, text := range texts {
		if fits(text) {
			return text
		}
	}
	return cut(texts[len(texts)-1], MaxOctets)
}

// cut drops characters at the end until the text has at most that many octets.
func cut(text string, octets int) string {
	runes := []rune(text)
	for len(runes) > 0 && Octets(string(runes)) > octets {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}

// plain replaces spaces and signs that old phones don't display.
var plain = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "−", "-", "—", "-", "–", "-", "•", "*").Replace
