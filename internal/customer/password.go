package customer

import (
	"embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"elsom/internal/fault"
	"elsom/internal/password"
	"elsom/internal/phone"
)

//go:embed common/zxcvbn.txt common/context.txt
var commonFiles embed.FS

func readList(name string) map[string]bool {
	text, err := commonFiles.ReadFile("common/" + name)
	if err != nil {
		panic(err) // can't happen: the file is embedded
	}
	set := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") {
			set[line] = true
		}
	}
	return set
}

var (
	common       = sync.OnceValue(func() map[string]bool { return readList("zxcvbn.txt") })
	contextWords = sync.OnceValue(func() map[string]bool { return readList("context.txt") })
)

// isCommon reports whether a password is among those tried first by guessing: a
// frequent password, or a word connected with this wallet or country, once or twice,
// also with digits and other characters around it.
func isCommon(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	//mutant:replace common()[text] || => TestCommonPasswords
	if common()[text] || repeated(text) {
		return true
	}
	word := wordOf(text)
	return contextWords()[word] || contextWords()[halfOf(word)]
}

// wordOf returns a text without the digits and other characters around its first and
// last letter.
func wordOf(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
}

// halfOf returns the word that a text consists of twice, or "".
func halfOf(text string) string {
	half := len(text) / 2
	if text[:half] != text[half:] {
		return ""
	}
	return text[:half]
}

// repeated reports whether a text repeats one to three characters: "11111111",
// "123123123", "ййййййййй".
func repeated(text string) bool {
	runes := []rune(text)
	const longest = 3
	for n := 1; n <= longest && 2*n <= len(runes); n++ {
		same := true
		for i := n; i < len(runes); i++ {
			same = same && runes[i] == runes[i-n]
		}
		if same {
			return true
		}
	}
	return false
}

// checkNewPassword returns fault.Invalid at password if a password may not be set.
// It requires length and refuses common passwords and those of Options.Refused, but
// does not require kinds of characters.
func (cs *Customers) checkNewPassword(op, text string, number phone.Number) error {
	normal, ok := password.Normal(text)
	if !ok {
		normal = text // its length is checked first
	}
	length := utf8.RuneCountInString(normal)
	switch {
	case length == 0:
		return refusePassword(op, "empty")
	//mutant:drop TestPassword
	case length < PasswordMin:
		return refusePassword(op, "short")
	case length > PasswordMax:
		return refusePassword(op, "long")
	case !ok:
		return refusePassword(op, "signs")
	//mutant:drop TestPassword
	case isCommon(normal):
		return refusePassword(op, "common")
	//mutant:drop TestRefusedPasswords
	case cs.o.Refused.Has(normal):
		return refusePassword(op, "breached")
	case isNumber(normal, number):
		return refusePassword(op, "phone")
	}
	return nil
}

func refusePassword(op string, why fault.Reason) error {
	return fault.New(fault.Invalid, op, "customer.password_"+why).At("password")
}

// checkPersonal returns fault.Invalid at password if a password is the holder's name
// or e-mail address, or a part of them, once or twice, also with digits and other
// characters around it. The answer depends on the holder's data, so callers verify a
// code or the old password before.
func checkPersonal(op, text, name, email string) error {
	normal, _ := password.Normal(text)
	if isPersonal(strings.ToLower(normal), strings.ToLower(name), strings.ToLower(email)) {
		return refusePassword(op, "personal")
	}
	return nil
}

// personalMin is the length in letters from which a part of a name or an address is
// refused: shorter ones are parts of too many unrelated passwords.
const personalMin = 3

func isPersonal(text, name, email string) bool {
	local, _, _ := strings.Cut(email, "@")
	parts := append(strings.FieldsFunc(name, notLetter), strings.FieldsFunc(local, notLetter)...)
	for i := range parts[:len(parts):len(parts)] {
		if i > 0 { // «Айгуль Асанова» in either order, without the space
			parts = append(parts, parts[i-1]+parts[i], parts[i]+parts[i-1])
		}
	}
	parts = append(parts, strings.Map(onlyLetters, local), strings.Map(onlyLetters, email))
	word := strings.Map(onlyLetters, wordOf(text))
	return slices.ContainsFunc(parts, func(part string) bool {
		//mutant:replace || part == halfOf(word) => TestIsPersonal
		return utf8.RuneCountInString(part) >= personalMin && (part == word || part == halfOf(word))
	})
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

func onlyLetters(r rune) rune {
	if notLetter(r) {
		return -1
	}
	return r
}

// isNumber reports whether the password is the wallet's number in any notation.
func isNumber(text string, number phone.Number) bool {
	var digits strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case unicode.IsLetter(r):
			return false
		}
	}
	national := number.National()
	return national != "" && strings.HasSuffix(digits.String(), national) &&
		strings.HasSuffix("00996"+national, strings.TrimLeft(digits.String(), "0"))
}
