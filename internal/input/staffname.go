package input

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// StaffNameMax is the maximum length of a name of staff, in characters.
const StaffNameMax = 60

// Punctuation that names of staff may have, besides letters, digits and spaces.
const namePunctuation = `-.'_@\`

// StaffName parses the name of a member of staff: compatibility characters are
// replaced (NFKC), and runs of spaces are one space. It refuses, with an error for
// the operator, an empty or long name, invisible characters, letters of other scripts
// than Latin and Cyrillic, and letters of both in one name: «Воb» is not "Bob".
func StaffName(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the name of staff is not valid UTF-8")
	}
	if i := strings.IndexFunc(text, invisibleInName); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return "", fmt.Errorf("the name of staff has an invisible character (U+%04X)", r)
	}
	name := strings.Join(strings.Fields(norm.NFKC.String(text)), " ")
	if n := utf8.RuneCountInString(name); n == 0 || n > StaffNameMax {
		return "", fmt.Errorf("the name of staff has 1 to %d characters", StaffNameMax)
	}
	latin, cyrillic := false, false
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Latin, r) && (r <= 'ſ' || r >= 'Ḁ' && r <= 'ỹ'): // not the phonetic letters
			latin = true
		case unicode.Is(unicode.Cyrillic, r) && unicode.IsLetter(r) && r <= 'ԯ':
			cyrillic = true
		case r >= '0' && r <= '9', r == ' ', strings.ContainsRune(namePunctuation, r):
		default:
			return "", fmt.Errorf("the name of staff has %q: give Latin or Cyrillic letters", r)
		}
	}
	switch {
	//mutant:drop TestStaffNameIsRefused
	case latin && cyrillic:
		return "", errors.New("the name of staff mixes Latin and Cyrillic letters that look alike")
	case !latin && !cyrillic:
		return "", errors.New("the name of staff has no letter")
	}
	return name, nil
}

// invisibleInName reports whether a reader would not see r: what Clean removes, and
// control characters other than white space.
func invisibleInName(r rune) bool {
	return clean(r) == -1 || (unicode.IsControl(r) && !unicode.IsSpace(r))
}

// SamePerson reports whether two names of staff are one person's, or could pass for
// it: they are equal without case, accents and punctuation, with characters that look
// alike taken as one, and with their words in any order. «оса» in Cyrillic is "oca" in
// Latin, and «Асанов Бакыт» is «Бакыт Асанов». Two people whose names look the same need
// names that differ.
//
// It does not find that names are one person's if words are left out or abbreviated
// («Б. Асанов»), if the name is written by the sounds of another alphabet ("Asanov"), or
// if it is simply another name: only a login would.
func SamePerson(a, b string) bool {
	//mutant:replace || sortedWords(a) == sortedWords(b) => TestSamePerson
	return skeleton(a) == skeleton(b) || sortedWords(a) == sortedWords(b)
}

// sortedWords returns the skeletons of a name's words, sorted. Words are separated by
// anything but letters, digits and accents.
func sortedWords(name string) string {
	words := strings.FieldsFunc(norm.NFKC.String(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && r != '\''
	})
	for i, word := range words {
		words[i] = skeleton(word)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// skeleton returns a form of a name that is equal for names that look alike.
func skeleton(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKC.String(name))) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) { // accents too: «й» is «и»
			continue
		}
		//mutant:drop TestSamePerson
		if to, ok := lookAlike[r]; ok {
			b.WriteString(to)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lookAlike maps folded characters to one that looks like them in lower or upper
// case: «в» is "b", since «В» is "B". Kyrgyz letters are those that people type in
// their place. After the confusables of Unicode (UTS #39).
var lookAlike = map[rune]string{
	'а': "a", 'ә': "e", 'в': "b", 'ь': "b", 'ъ': "b", 'б': "6", 'г': "r", 'ґ': "r", 'ғ': "r", 'ԁ': "cl", 'е': "e", 'є': "e",
	'з': "3", 'ѕ': "s", 'і': "l", 'ӏ': "l", 'ј': "j", 'к': "k", 'қ': "k", 'м': "rn", 'н': "h", 'ң': "h", 'һ': "h",
	'о': "o", 'ө': "o", 'р': "p", 'с': "c", 'т': "t", 'у': "y", 'ү': "y", 'ұ': "y", 'ԛ': "q", 'ԝ': "vv", 'ѵ': "v", 'х': "x", 'ҳ': "x",
	'm': "rn", 'w': "vv", 'd': "cl", 'ы': "bl", 'i': "l", 'ı': "l", '1': "l", '0': "o", 'ø': "o", 'ɑ': "a", 'ɡ': "g", 'ł': "l", 'đ': "cl", 'ƅ': "b",
}
