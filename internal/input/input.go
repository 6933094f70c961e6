// Package input normalizes text that people type or paste, before a parser (phone,
// inn, money, codes, PINs, names) reads it.
//
// It removes invisible characters and unifies characters that look alike; it does
// not validate. E-mail addresses and passwords are not normalized by it: an
// invisible character is refused in the first and significant in the second.
package input

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Clean returns the text without invisible characters (direction marks, joiners,
// soft hyphens, variation selectors, byte order marks), with every space or tab
// as ' ', full-width forms as ASCII, and without white space at either end.
// Line breaks inside the text stay: they separate two values. Text that is not
// UTF-8 is only trimmed; parsers refuse it.
func Clean(text string) string {
	if plain(text) || !utf8.ValidString(text) {
		return strings.TrimSpace(text)
	}
	return strings.TrimSpace(strings.Map(clean, text))
}

// Name is Clean, with letters composed (NFC) and runs of white space as one
// space: «Й» copied from a Mac's file name is two characters.
func Name(text string) string {
	return norm.NFC.String(strings.Join(strings.Fields(Clean(text)), " "))
}

// Digits is Clean for codes that people group: spaces and dashes are removed. The
// result may have characters other than digits.
func Digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || IsDash(r) {
			return -1
		}
		return r
	}, Clean(text))
}

// IsDash reports whether r is a hyphen, a dash or a minus sign.
func IsDash(r rune) bool { return r == '-' || r == '\u2212' || unicode.Is(unicode.Pd, r) }

// OneScript reports whether all letters of the word belong to one script, so
// that a Latin "a" cannot pass for a Cyrillic one.
func OneScript(word string) bool {
	var script *unicode.RangeTable
	for _, r := range word {
		if !unicode.IsLetter(r) || unicode.In(r, unicode.Common, unicode.Inherited) {
			continue
		}
		of := scriptOf(r)
		if of == nil || (script != nil && script != of) {
			return false
		}
		script = of
	}
	return true
}

func scriptOf(r rune) *unicode.RangeTable {
	switch {
	case unicode.Is(unicode.Cyrillic, r):
		return unicode.Cyrillic
	case unicode.Is(unicode.Latin, r):
		return unicode.Latin
	}
	for _, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return table
		}
	}
	return nil
}

// plain reports whether the text is ASCII without control characters.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Blank characters that Unicode counts neither as spaces nor as format
// characters: Hangul fillers and the empty Braille pattern.
const blanks = "\u115f\u1160\u2800\u3164\uffa0"

func clean(r rune) rune {
	switch {
	case r == '\t', unicode.Is(unicode.Zs, r):
		return ' '
	//mutant:replace unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), => ./web TestPastedValuesAreRead
	//mutant:replace , strings.ContainsRune(blanks, r) => TestCleanRemovesInvisibleCharacters
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), r == '\u034f', strings.ContainsRune(blanks, r):
		return -1
	case r >= '！' && r <= '～': // full-width ASCII
		return r - '！' + '!'
	}
	return r
}
