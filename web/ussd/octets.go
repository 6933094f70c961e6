package ussd

import (
	"strings"
	"unicode/utf16"
)

// Most is how many octets a screen may have.
const MaxOctets = 160

// gsm7 are the characters that one septet carries (GSM 03.38), and gsm7two
// those that take two.
const (
	gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7two = "^{}\\[~]|€\f"
)

// Octets is how many a network needs for a text: packed septets where GSM's
// alphabet has all of its characters, otherwise UCS-2.
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

// isGSM tells whether GSM's alphabet has all characters of a text.
func isGSM(text string) bool {
	for _, r := range text {
		if !strings.ContainsRune(gsm7, r) && !strings.ContainsRune(gsm7two, r) {
			return false
		}
	}
	return true
}

// fits tells whether a screen can carry the text.
//
//mutant:replace MaxOctets => MaxOctets+2 TestWholeTree
func fits(text string) bool { return Octets(text) <= MaxOctets }

// firstFitting gives the first of several ways to say a thing that a screen can
// carry. If none can, the last is cut: better a broken word than no screen.
func firstFitting(ways ...string) string {
	for _, way := range ways {
		if fits(way) {
			return way
		}
	}
	return cut(ways[len(ways)-1], MaxOctets)
}

// cut takes characters off the end until a text needs no more octets.
func cut(text string, octets int) string {
	runes := []rune(text)
	for len(runes) > 0 && Octets(string(runes)) > octets {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}

// plain writes a text with spaces and signs that phones of all ages know.
var plain = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "−", "-", "—", "-", "–", "-", "•", "*").Replace
