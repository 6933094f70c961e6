package customer

import (
	"embed"
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
	if common()[text] || repeated(text) {
		return true
	}
	word := strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	half := len(word) / 2
	return contextWords()[word] || (word[:half] == word[half:] && contextWords()[word[:half]])
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
// It requires length and refuses common passwords, but does not require kinds of
// characters.
func checkNewPassword(op, text string, number phone.Number) error {
	refuse := func(why string) error {
		return fault.New(fault.Invalid, op, fault.Reason("customer.password_"+why)).At("password")
	}
	normal, ok := password.Normal(text)
	if !ok {
		normal = text // its length is checked first
	}
	length := utf8.RuneCountInString(normal)
	switch {
	case length == 0:
		return refuse("empty")
	case length < PasswordMin:
		return refuse("short")
	case length > PasswordMax:
		return refuse("long")
	case !ok:
		return refuse("signs")
	//mutant:drop TestPassword
	case isCommon(normal):
		return refuse("common")
	case isNumber(normal, number):
		return refuse("phone")
	}
	return nil
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
