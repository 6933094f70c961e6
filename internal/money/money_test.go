package money

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want Amount
		err  error
	}{
		{"250", 25000, nil},
		{"250,50", 25050, nil},
		{"250.50", 25050, nil},
		{"250.5", 25050, nil},
		{"0,01", 1, nil},
		{"0", 0, nil},
		{"007", 700, nil},
		{" 1 500,50 ", 150050, nil},
		{"1\u00a0500,50", 150050, nil},
		{"1\u202f500", 150000, nil},
		{"999999999999.99", Max, nil},
		{"000999999999999,99", Max, nil},
		{"", 0, ErrEmpty},
		{"  \u00a0 ", 0, ErrEmpty},
		{"-5", 0, ErrNegative},
		{"−5", 0, ErrNegative},
		{"-99999999999999999999", 0, ErrNegative},
		{"-", 0, ErrFormat},
		{"--5", 0, ErrFormat},
		{"-abc", 0, ErrFormat},
		{"+5", 0, ErrFormat},
		{"abc", 0, ErrFormat},
		{"1e3", 0, ErrFormat},
		{"0x10", 0, ErrFormat},
		{"1_000", 0, ErrFormat},
		{"NaN", 0, ErrFormat},
		{"٢٥٠", 0, ErrFormat},
		{"250,", 0, ErrFormat},
		{",50", 0, ErrFormat},
		{"1,234.56", 0, ErrFormat},
		{"1.2.3", 0, ErrFormat},
		{"250 сом", 25000, nil},
		{"250,50 сом", 25050, nil},
		{"1 500,50 Сом.", 150050, nil},
		{"1\u2009500\u00a0сомов", 150000, nil},
		{"250 KGS", 25000, nil},
		{"250.5 som", 25050, nil},
		{"250 с.", 25000, nil},
		{"\u2066250,50\u2069", 25050, nil},
		{"2\u200b50\ufeff", 25000, nil},
		{"\t250\t", 25000, nil},
		{"２５０", 25000, nil},
		{"\u202d250\ufe0d,50\u202c", 25050, nil},
		{"сом", 0, ErrFormat},
		{"сом 250", 0, ErrFormat},
		{"250 сом 50", 0, ErrFormat},
		{"250 руб", 0, ErrFormat},
		{"\u200e-5 сом", 0, ErrNegative},
		{"–5", 0, ErrNegative},
		{"2-50", 0, ErrFormat},
		{"250-", 0, ErrFormat},
		{"1\n5", 0, ErrFormat},
		{"1.234", 0, ErrDecimals},
		{"1,000", 0, ErrDecimals},
		{"1000000000000", 0, ErrTooLarge},
		{"99999999999999999999", 0, ErrTooLarge},
		{strings.Repeat("-", 1_000_000), 0, ErrFormat},
		{strings.Repeat("0", 1_000_000), 0, ErrFormat},
	} {
		got, err := Parse(c.text)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Parse(%.40q) = %d, %v; want %d, %v", c.text, int64(got), err, int64(c.want), c.err)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		amount            Amount
		group, plain, dot string
	}{
		{0, "0,00", "0,00", "0.00"},
		{1, "0,01", "0,01", "0.01"},
		{25050, "250,50", "250,50", "250.50"},
		{99999, "999,99", "999,99", "999.99"},
		{150050, "1\u00a0500,50", "1500,50", "1500.50"},
		{100000000, "1\u00a0000\u00a0000,00", "1000000,00", "1000000.00"},
		{-5, "−0,05", "-0,05", "-0.05"},
		{-150050, "−1\u00a0500,50", "-1500,50", "-1500.50"},
		{math.MinInt64, "−92\u00a0233\u00a0720\u00a0368\u00a0547\u00a0758,08", "-92233720368547758,08", "-92233720368547758.08"},
	} {
		if c.amount.Group() != c.group || c.amount.String() != c.group {
			t.Errorf("%d grouped: %q, want %q", int64(c.amount), c.amount.Group(), c.group)
		}
		if c.amount.Plain() != c.plain {
			t.Errorf("%d plain: %q, want %q", int64(c.amount), c.amount.Plain(), c.plain)
		}
		if c.amount.Dot() != c.dot {
			t.Errorf("%d with a dot: %q, want %q", int64(c.amount), c.amount.Dot(), c.dot)
		}
	}
}

func TestParseAcceptsFormatted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := Amount(rapid.Int64Range(0, int64(Max)).Draw(t, "amount"))
		for _, text := range []string{amount.Group(), amount.Plain(), amount.Dot()} {
			if got, err := Parse(text); err != nil || got != amount {
				t.Fatalf("Parse(%q) = %d, %v; want %d", text, int64(got), err, int64(amount))
			}
		}
	})
}

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		a, b, want Amount
		fits       bool
	}{
		{1, 2, 3, true},
		{-1, 1, 0, true},
		{math.MaxInt64, 0, math.MaxInt64, true},
		{math.MaxInt64 - 1, 1, math.MaxInt64, true},
		{math.MaxInt64, 1, 0, false},
		{math.MinInt64, -1, 0, false},
		{math.MinInt64, math.MaxInt64, -1, true},
		{math.MinInt64 + 1, -1, math.MinInt64, true},
	} {
		if got, fits := c.a.Add(c.b); got != c.want || fits != c.fits {
			t.Errorf("%d + %d = %d, %v; want %d, %v", int64(c.a), int64(c.b), int64(got), fits, int64(c.want), c.fits)
		}
	}
}

func TestSum(t *testing.T) {
	if got, fits := Sum(1, 2, -3, 4); got != 4 || !fits {
		t.Errorf("sum is %d, %v", int64(got), fits)
	}
	if got, fits := Sum(); got != 0 || !fits {
		t.Errorf("empty sum is %d, %v", int64(got), fits)
	}
	if _, fits := Sum(math.MaxInt64, 1, -1); fits {
		t.Error("a sum with an overflow of a partial sum fits")
	}
	million := make([]Amount, 1_000_000)
	for i := range million {
		million[i] = Max / 1100
	}
	if _, fits := Sum(million...); !fits {
		t.Error("a million large amounts don't fit")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"250", "1 500,50", "-5", "1e3", "0.001", "999999999999,99", "−1", "\u00a0", ".5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, err := Parse(text)
		if err != nil {
			if amount != 0 {
				t.Fatalf("%q: an error, and %d", text, int64(amount))
			}
			return
		}
		if amount < 0 || amount > Max {
			t.Fatalf("%q: %d is outside what a person may type", text, int64(amount))
		}
		if again, err := Parse(amount.Plain()); err != nil || again != amount {
			t.Fatalf("%q: %q is parsed as %d, %v", text, amount.Plain(), int64(again), err)
		}
	})
}

// A space groups by three digits, a tab separates the cells of a table: two amounts
// are never parsed as one.
func TestParseReadsOneAmount(t *testing.T) {
	for text, want := range map[string]Amount{"1 500 000": 150000000, "12  345,6": 1234560} {
		if got, err := Parse(text); got != want || err != nil {
			t.Errorf("Parse(%q) = %d, %v", text, int64(got), err)
		}
	}
	for _, text := range []string{
		"250 50", "15 00", "1500 000", "1 5000", "250, 50", "250 ,50", "1 500 ,50", "250\t300", "1\t500,50", "1\n500",
	} {
		if got, err := Parse(text); !errors.Is(err, ErrFormat) {
			t.Errorf("Parse(%q) = %d, %v", text, int64(got), err)
		}
	}
	if _, err := Parse("- 1 500"); !errors.Is(err, ErrNegative) {
		t.Errorf("a negative amount: %v", err)
	}
}
