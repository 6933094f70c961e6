package transfer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/customer"
)

// MaskName returns the first word of a name and the initial of the second: "Бакыт
// Асанов" is "Бакыт А."; one word, or none, stays as it is.
func MaskName(name string) string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	initial, _ := utf8.DecodeRuneInString(words[1])
	//mutant:replace words[0] + " " + string(unicode.ToUpper(initial)) + "." => strings.Join(words, " ") + strings.Repeat(string(unicode.ToUpper(initial)), 0) TestMaskName
	return words[0] + " " + string(unicode.ToUpper(initial)) + "."
}

// maskedName returns a customer's name as the other party of a transfer is shown
// it.
func maskedName(c customer.Customer) string { return MaskName(c.Name) }
