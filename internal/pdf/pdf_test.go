package pdf_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elsom/internal/pdf"
)

var at = time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC)

// written returns the bytes of a document that draw has drawn.
func written(t testing.TB, o pdf.Options, draw func(*pdf.Document)) []byte {
	t.Helper()
	o.At = at
	d := pdf.New(o)
	draw(d)
	var b bytes.Buffer
	n, err := d.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d of %d bytes: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

// text returns the text of a document, as a reader's program extracts it.
func text(t testing.TB, document []byte) string {
	t.Helper()
	command := exec.Command("pdftotext", "-layout", "-", "-")
	command.Stdin = bytes.NewReader(document)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian: poppler-utils): %v: %s", err, stderr.String())
	}
	return string(out)
}

func sample(rows int) func(*pdf.Document) {
	return func(d *pdf.Document) {
		d.Text(pdf.Heading, "Выписка по электронному кошельку")
		d.Text(pdf.Body, "Ң Ө Ү ң ө ү — көчүрмө, «DosTek group», № 0020 7199 6100 17")
		d.Facts([]pdf.Fact{{Label: "Держатель", Value: "Айгүл 🌸👩🏽‍🌾 Токтогулова"}, {Label: "Баланс", Value: "1 500,00 сом", Bold: true}})
		d.Rule()
		table := d.Table([]pdf.Column{{Title: "Дата", Share: 0.2}, {Title: "Услуга", Share: 0.5}, {Title: "Сумма", Share: 0.3, Align: pdf.Right, Bold: true}})
		for i := range rows {
			table.Row("01.12.2026", fmt.Sprintf("Услуга %d", i), "−250,50")
		}
		table.End()
		d.Text(pdf.Small, "Конец")
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, size := range []pdf.Size{pdf.A4, pdf.A5} {
		document := written(t, pdf.Options{Size: size, Lang: "ru", Title: "Выписка", Author: "Элсом", Head: "Элсом", Foot: "Подвал"}, sample(120))
		got := text(t, document)
		for _, want := range []string{"Ң Ө Ү ң ө ү — көчүрмө, «DosTek group», № 0020 7199 6100 17", "Айгүл □ Токтогулова", "1 500,00 сом", "Услуга 119", "−250,50", "Конец"} {
			if !strings.Contains(strings.ReplaceAll(got, "\u00a0", " "), want) {
				t.Errorf("%s: no %q in %s", size, want, got)
			}
		}
		// Each page has the table's head, the head, the foot and its number.
		pages := strings.Count(got, "\f")
		if pages < 3 || strings.Count(got, "Дата") != pages || strings.Count(got, "Элсом") != pages || strings.Count(got, "Подвал") != pages ||
			!strings.Contains(strings.ReplaceAll(got, " ", ""), fmt.Sprintf("%d/%d\n", pages, pages)) {
			t.Errorf("%s: %d pages: %s", size, pages, got)
		}
		if len(document) > 60<<10 {
			t.Errorf("%s: %d bytes", size, len(document))
		}
	}
}

// The same calls write the same bytes: a receipt that is loaded twice is one file.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	o := pdf.Options{Size: pdf.A5, Lang: "ky", Title: "Дүмүрчөк"}
	first := written(t, o, sample(3))
	if n := bytes.Count(first, []byte("(D:20261201093000")); n != 2 {
		t.Errorf("the document's time is in it %d times", n)
	}
	for range 10 {
		if !bytes.Equal(written(t, o, sample(3)), first) {
			t.Fatal("the document changes")
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Өмүрбек Жаңыбаев":    "Өмүрбек Жаңыбаев",
		"Café Ünal & Söhne":   "Café Ünal & Söhne",
		"Айгүл 🌸":             "Айгүл □",
		"👩🏽‍🌾👨‍👩‍👧":           "□",
		"мир\u200b\u202eдом":  "мирдом",
		"a\tb\nc\u2003d":      "a b c d",
		"漢字 и буквы":          "□ и буквы",
		"\xff":                "□",
		"1\u00a0500,50\u202f": "1\u00a0500,50\u202f",
	} {
		if got := pdf.Printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLongWords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ы", 400)
	got := text(t, written(t, pdf.Options{Size: pdf.A5, Head: long, Foot: long}, func(d *pdf.Document) {
		d.Facts([]pdf.Fact{{Label: long, Value: long}})
		d.Text(pdf.Body, long)
		table := d.Table([]pdf.Column{{Title: long, Share: 0.5}, {Title: "", Share: 0.5}})
		table.Row(long)
		table.End()
	}))
	if n := strings.Count(got, "Ы"); n < 5*400 {
		t.Errorf("%d letters", n)
	}
}

// Both weights have the same characters: what is printable doesn't depend on them.
func TestFontsHaveTheSameCharacters(t *testing.T) {
	t.Parallel()
	regular, semibold := pdf.Characters()
	for r := range regular {
		if !semibold[r] {
			t.Errorf("%c", r)
		}
	}
	if len(regular) != len(semibold) || len(regular) < 300 {
		t.Errorf("%d and %d", len(regular), len(semibold))
	}
	for _, r := range "□№«»—−ҢңӨөҮү" {
		if !regular[r] {
			t.Errorf("no %c", r)
		}
	}
	if files, err := filepath.Glob("fonts/*LICENSE*"); err != nil || len(files) != 1 {
		t.Errorf("the license: %v, %v", files, err)
	}
}

func BenchmarkDocument(b *testing.B) {
	for b.Loop() {
		written(b, pdf.Options{Size: pdf.A4}, sample(1000))
	}
}

func BenchmarkSmallDocument(b *testing.B) {
	for b.Loop() {
		written(b, pdf.Options{Size: pdf.A5}, sample(3))
	}
}
