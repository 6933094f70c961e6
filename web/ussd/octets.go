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

// Octets returns the size of a text on the network: packed septets if all of its
// characters are in the GSM alphabet, otherwise UCS-2.
func Octets(text string) int {
	septets := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm7, r):
			septets++
		case strings.ContainsRune(gsm7two, r):
			septets += 2
		default:
			return 2 * len(utf16.Encode([]rune(text)))
		}
	}
	return (septets*7 + 7) / 8
}

// isGSM reports whether all characters of a text are in the GSM alphabet.
func isGSM(text string) bool {
	for _, r := range text {
		if !strings.ContainsRune(gsm7, r) && !strings.ContainsRune(gsm7two, r) {
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
