package phone

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want Number
		err  error
	}{
		{"0700 123 456", "+996700123456", nil},
		{"700123456", "+996700123456", nil},
		{"996700123456", "+996700123456", nil},
		{"+996 700 123 456", "+996700123456", nil},
		{"+996 (700) 12-34-56", "+996700123456", nil},
		{"00996700123456", "+996700123456", nil},
		{" 0555\u00a0123\u202f456 ", "+996555123456", nil},
		{"555-12-34-56", "+996555123456", nil},
		{"555-12-34-5", "", ErrFormat},
		{"555-123-456", "+996555123456", nil},
		{"0770123456", "+996770123456", nil},
		{"0220123456", "+996220123456", nil},
		{"+996 (0)700 123 456", "+996700123456", nil},
		{"+9960700123456", "+996700123456", nil},
		{"9960700123456", "+996700123456", nil},
		{"009960700123456", "+996700123456", nil},
		{"\u202a+996\u00a0700\u2009123\u2007456\u202c", "+996700123456", nil},
		{"\u2066\u200e0700\u00ad123\ufe0d456\u2069", "+996700123456", nil},
		{"0700\t123\t456", "+996700123456", nil},
		{"0700—123−456", "+996700123456", nil},
		{strings.Repeat("\u200b", 500) + "0700123456", "+996700123456", nil},
		{"+996 1700 123 456", "", ErrFormat},
		{"0990123456", "+996990123456", nil},
		{"", "", ErrEmpty},
		{" ", "", ErrEmpty},
		{"-", "", ErrFormat},
		{"+", "", ErrFormat},
		{"abc", "", ErrFormat},
		{"0700 123 45x", "", ErrFormat},
		{"0700123456\n0700123457", "", ErrFormat},
		{"07001234567", "", ErrFormat},
		{"070012345", "", ErrFormat},
		{"+9967001234567", "", ErrFormat},
		{"700+123456", "", ErrFormat},
		{"++996700123456", "", ErrFormat},
		{"0100123456", "", ErrFormat},
		{"٠٧٠٠١٢٣٤٥٦", "", ErrFormat},
		{strings.Repeat("0", 41), "", ErrFormat},
		{"+7 701 123 45 67", "", ErrForeign},
		{"8 701 123 45 67", "", ErrForeign},
		{"77011234567", "", ErrForeign},
		{"+998 90 123 45 67", "", ErrForeign},
		{"998901234567", "", ErrForeign},
		{"00998901234567", "", ErrForeign},
		{"+1 212 555 0100", "", ErrForeign},
		{"0312 960 888", "", ErrLandline},
		{"+996 312 986 000", "", ErrLandline},
	} {
		if got, err := Parse(c.text); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Parse(%q) = %q, %v; want %q, %v", c.text, string(got), err, string(c.want), c.err)
		}
	}
}

// The ranges that the three carriers use must be accepted, whatever a new version of
// the numbering library says.
func TestRangesOfTheCarriersAreMobile(t *testing.T) {
	for _, prefix := range []string{
		"220", "221", "229", "500", "505", "509", "550", "555", "559", "700", "705", "709",
		"755", "770", "775", "779", "880", "990", "995", "997", "998", "999",
	} {
		if _, err := Parse("0" + prefix + "123456"); err != nil {
			t.Errorf("0%s…: %v", prefix, err)
		}
	}
}

func TestFormat(t *testing.T) {
	n := Number("+996700123456")
	if n.String() != "+996700123456" || n.National() != "700123456" ||
		n.Pretty() != "+996\u00a0700\u00a0123\u00a0456" || n.Masked() != "+996\u00a0700\u00a0•••\u00a0456" {
		t.Errorf("formatted as %q, %q, %q, %q", n.String(), n.National(), n.Pretty(), n.Masked())
	}
	var none Number
	if none.String() != "" || none.National() != "" || none.Pretty() != "" || none.Masked() != "" {
		t.Error("the zero value is not formatted as empty")
	}
}

func TestStaysOutOfLogs(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("sent", "to", Number("+996700123456"))
	_, logged, _ := strings.Cut(out.String(), `"level"`) // after the time, which may have any digits
	if strings.Contains(logged, "123") || !strings.Contains(out.String(), "sent") {
		t.Errorf("logged as %s", out.String())
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0700 123 456", "+996700123456", "00996700123456", "+7", "0312960888", "", "996"} {
		f.Add(seed)
	}
	written := regexp.MustCompile(`^\+996[0-9]{9}$`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if err != nil {
			if n != "" {
				t.Fatalf("%q: an error, and %q", text, string(n))
			}
			return
		}
		if !written.MatchString(string(n)) {
			t.Fatalf("%q: %q", text, string(n))
		}
		for _, form := range []string{n.String(), n.Pretty(), n.National(), "0" + n.National()} {
			if again, err := Parse(form); err != nil || again != n {
				t.Fatalf("%q is parsed as %q, %v; want %q", form, string(again), err, string(n))
			}
		}
	})
}
