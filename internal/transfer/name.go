package transfer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/customer"
)

// MaskName shows of a name what one who knows the person knows them by: the
// first word, and of the next its initial. "Бакыт Асанов" is "Бакыт А."; one
// word, or none, stays as it is.
func MaskName(name string) string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	initial, _ := utf8.DecodeRuneInString(words[1])
	//mutant:replace words[0] + " " + string(unicode.ToUpper(initial)) + "." => strings.Join(words, " ") + strings.Repeat(string(unicode.ToUpper(initial)), 0) TestMaskName
	return words[0] + " " + string(unicode.ToUpper(initial)) + "."
}

// maskedName is how the other side of a transfer is told who a customer is.
func maskedName(c customer.Customer) string { return MaskName(c.Name) }
