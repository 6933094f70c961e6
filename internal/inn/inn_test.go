package inn

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want INN
		err  error
	}{
		{"00207199610017", "00207199610017", nil},
		{" 0020 7199 6100 17 ", "00207199610017", nil},
		{"0020-7199-6100-17", "00207199610017", nil},
		{"0020\u00a07199\u202f6100–17", "00207199610017", nil},
		{"99999999999999", "99999999999999", nil},
		{"0020.7199.6100.17", "00207199610017", nil},
		{"\u20660020\u20097199\u20076100—17\u2069\ufeff", "00207199610017", nil},
		{"\u202d00207\u00ad199\u200b610\ufe0d017\u202c\t", "00207199610017", nil},
		{"0020−7199‑6100–17", "00207199610017", nil},
		{"", "", ErrEmpty},
		{" - ", "", ErrEmpty},
		{"0020719961001", "", ErrLength},
		{"002071996100170", "", ErrLength},
		{strings.Repeat("0", 100_000), "", ErrLength},
		{"0020719961001a", "", ErrDigits},
		{"ИНН 00207199610017", "", ErrDigits},
		{"٠٠٢٠٧١٩٩٦١٠٠١٧", "", ErrDigits},
		{"00207199610017\n1", "", ErrDigits},
		{"00207199610017;", "", ErrDigits},
	} {
		if got, err := Parse(c.text); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Parse(%.40q) = %q, %v; want %q, %v", c.text, string(got), err, string(c.want), c.err)
		}
	}
}

func TestFormat(t *testing.T) {
	n := INN("00207199610017")
	if n.String() != "00207199610017" || n.Grouped() != "0020\u00a07199\u00a06100\u00a017" || n.Masked() != "••••\u00a06100\u00a017" {
		t.Errorf("formatted as %q, %q, %q", n.String(), n.Grouped(), n.Masked())
	}
	if INN("").Masked() != "" || INN("").Grouped() != "" {
		t.Error("the zero value is not formatted as empty")
	}
	if Group("123456789012") != "1234\u00a05678\u00a09012" || Group("12345") != "1234\u00a05" {
		t.Errorf("groups: %q, %q", Group("123456789012"), Group("12345"))
	}
}

func TestHolderAndDate(t *testing.T) {
	for _, c := range []struct {
		number  INN
		holder  Holder
		date    string
		suspect bool
	}{
		{"00207199610017", Company, "1996-07-02", false},
		{"12902200000001", Woman, "2000-02-29", false},
		{"20101198500001", Man, "1985-01-01", false},
		{"12902190000001", Woman, "", true}, // 1900 was no leap year
		{"00013199610017", Company, "", true},
		{"00207189910017", Company, "", true},
		{"30207199610017", Unclear, "1996-07-02", true},
		{"9", Unclear, "", true},
		{"", Unclear, "", true},
	} {
		date, dated := c.number.Date()
		if dated != (c.date != "") || dated && date.Format(time.DateOnly) != c.date {
			t.Errorf("%s: date %v, %v; want %q", string(c.number), date, dated, c.date)
		}
		if c.number.Holder() != c.holder || c.number.Suspect() != c.suspect {
			t.Errorf("%s: holder %d, suspect %v; want %d, %v", string(c.number), c.number.Holder(), c.number.Suspect(), c.holder, c.suspect)
		}
	}
}

func TestStaysOutOfLogs(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("paid", "inn", INN("00207199610017"))
	if strings.Contains(out.String(), "0017") || !strings.Contains(out.String(), "paid") {
		t.Errorf("logged as %s", out.String())
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"00207199610017", "0020 7199 6100 17", "1", "", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if err != nil {
			return
		}
		if len(n) != Length || strings.Trim(string(n), "0123456789") != "" {
			t.Fatalf("%q: %q", text, string(n))
		}
		if _, dated := n.Date(); !dated && !n.Suspect() {
			t.Fatalf("%q has no date and is not suspect", string(n))
		}
		if again, err := Parse(n.Grouped()); err != nil || again != n {
			t.Fatalf("%q is parsed as %q, %v", n.Grouped(), string(again), err)
		}
	})
}
