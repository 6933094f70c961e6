package input

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var invisible = []string{
	"\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2060", "\u2061",
	"\u2066", "\u2067", "\u2068", "\u2069", "\u00ad", "\ufe0d", "\ufe0e", "\ufe0f", "\U000e0100", "\ufeff", "\u061c", "\u180e", "\u034f", "\u2800", "\u3164",
}

func TestCleanRemovesInvisibleCharacters(t *testing.T) {
	for _, mark := range invisible {
		if got := Clean(mark + "25" + mark + "0" + mark); got != "250" {
			t.Errorf("Clean with %+q gives %+q", mark, got)
		}
	}
}

func TestCleanUnifiesSpaces(t *testing.T) {
	for _, space := range []string{" ", "\t", "\u00a0", "\u2007", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000"} {
		if got := Clean(space + "1" + space + "500" + space); got != "1 500" {
			t.Errorf("Clean with %+q gives %+q", space, got)
		}
	}
	if got := Clean("\r\n0700123456\n0700123457\n"); got != "0700123456\n0700123457" {
		t.Errorf("two lines became %q", got)
	}
	if got := Clean("＋９９６－５５０"); got != "+996-550" {
		t.Errorf("full-width characters became %q", got)
	}
	if got := Clean("a\xffb"); got != "a\xffb" {
		t.Errorf("broken UTF-8 became %q", got)
	}
}

func TestDigits(t *testing.T) {
	for _, text := range []string{"123456", "123 456", "\u2066123\u2011456\u2069", "123\u2009456\t", "12−34–56"} {
		if got := Digits(text); got != "123456" {
			t.Errorf("Digits(%+q) = %q", text, got)
		}
	}
}

func TestName(t *testing.T) {
	if got := Name("\u202aСергеи\u0306  Май\u00a0\u202c"); got != "Сергей Май" {
		t.Errorf("Name gives %+q", got)
	}
}

func TestOneScript(t *testing.T) {
	for word, want := range map[string]bool{
		"Асанов": true, "Өмүр": true, "Asanov": true, "O'Neil": true, "Аsanov": false, "Aсанов": false, "Іван": true, "": true, "Αсан": false, "Салтанат-Anna": false,
	} {
		if OneScript(word) != want {
			t.Errorf("OneScript(%q) is not %v", word, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range append(invisible, "0700 123 456", "250,50 сом", "a\xff", "\r\n\t") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Clean(text)
		if Clean(got) != got {
			t.Fatalf("Clean(%q) is not stable", text)
		}
		if utf8.ValidString(text) && strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Cf, r) }) {
			t.Fatalf("Clean(%q) keeps an invisible character: %q", text, got)
		}
	})
}
