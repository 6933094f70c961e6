package bench_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// table collects the results of the rounds.
type table struct {
	m    *runner
	rows []*tableRow
}

type tableRow struct {
	aim
	ratios  []float64 // of its rounds, or of its parts
	middle  float64   // of those
	pgbench []float64 // its rate in each round
	details string    // of the last round
	books   []*benchDB
}

func newTable(m *runner, chosen []aim) *table {
	t := &table{m: m}
	for _, a := range chosen {
		t.rows = append(t.rows, &tableRow{aim: a})
	}
	return t
}

// measure measures the wanted aims once.
func (t *table) measure(wanted func(aim) bool) {
	for _, r := range t.rows {
		if !wanted(r.aim) || t.m.b.Failed() {
			continue
		}
		got := r.aim.measure(t.m)
		r.ratios = append(r.ratios, got.ratio)
		r.middle = median(r.ratios)
		if r.once {
			r.ratios, r.middle = got.parts, got.ratio
		}
		r.details = got.details
		r.pgbench = append(r.pgbench, t.m.pgbench().rate)
		for _, bdb := range got.books {
			if !slices.Contains(r.books, bdb) {
				r.books = append(r.books, bdb)
			}
		}
	}
}

// prove verifies all databases.
func (t *table) prove() {
	printf("audits\n")
	for _, bdb := range t.m.opened {
		if p := bdb.verify(); !p.ok || p.short != "" {
			t.m.b.Errorf("the books %s:\n%s%s", bdb.name, p.short, p.output)
		}
	}
}

// worst returns the round furthest from the aim.
func (r *tableRow) worst() float64 {
	if r.upperBound {
		return slices.Max(r.ratios)
	}
	return slices.Min(r.ratios)
}

func (r *tableRow) reached() bool {
	if r.upperBound {
		return r.middle <= r.minimum
	}
	return r.middle >= r.minimum
}

func (r *tableRow) verdict() string {
	verdict := "SHORT"
	switch {
	case r.minimum == 0:
		verdict = "a look"
	case r.reached():
		verdict = "pass"
	}
	if median(r.pgbench) < slowDisk {
		verdict += ", slow disk"
	}
	return verdict
}

// cells returns the cells of a row, for text and Markdown.
func (r *tableRow) cells() []string {
	if len(r.ratios) == 0 {
		return []string{r.what, "–", "–", "–", bound(r.minimum), bound(r.goal), "–", "not measured", "", "", ""}
	}
	spread := (slices.Max(r.ratios) - slices.Min(r.ratios)) / r.middle
	var written rowCounts
	audits := []string{}
	wallets := 0
	for _, bdb := range r.books {
		p := bdb.verify()
		wallets = len(bdb.wallets)
		written.Transfers += p.added.Transfers
		written.Entries += p.added.Entries
		written.Payments += p.added.Payments
		if !slices.Contains(audits, p.verdict()) {
			audits = append(audits, p.verdict())
		}
	}
	return []string{
		r.what, number(r.middle), number(r.worst()), fmt.Sprintf("%.0f %%", 100*spread), bound(r.minimum), bound(r.goal),
		formatThousands(median(r.pgbench)), r.verdict(), r.details,
		fmt.Sprintf("%s: %s, %s, %s", formatThousands(wallets), formatThousands(written.Transfers), formatThousands(written.Entries), formatThousands(written.Payments)),
		strings.Join(audits, ", "),
	}
}

// bound formats a minimum or goal; 0: none.
func bound(n float64) string {
	if n == 0 {
		return "–"
	}
	return number(n)
}

// slowDisk is the rate of pgbench below which ratios to it say little: its
// transactions each wait for the disk, payments share that wait.
const slowDisk = 2000

func number(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.2f", n), ".00") }

var benchHead = []string{
	"aim", "median", "worst", "spread", "at least", "goal", "pgbench a second", "", "the last round, a second",
	"wallets: transfers, entries, payments written", "audit",
}

func (t *table) print(w io.Writer) {
	columns := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(columns, strings.Join(benchHead, "\t"))
	for _, r := range t.rows {
		_, _ = fmt.Fprintln(columns, strings.Join(r.cells(), "\t"))
	}
	_ = columns.Flush()
	_, _ = fmt.Fprintln(w)
}

func (t *table) markdown(w io.Writer) {
	_, _ = fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(benchHead, " | "), strings.Repeat(" --- |", len(benchHead)))
	for _, r := range t.rows {
		_, _ = fmt.Fprintf(w, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	_, _ = fmt.Fprintf(w, "\n%s\n\n", t.m.server.words())
}

// checkMinimums reports an error for each line that misses its minimum.
func (t *table) checkMinimums(b *testing.B) {
	b.Helper()
	for _, r := range t.rows {
		switch {
		case len(r.ratios) == 0:
			b.Errorf("not measured: %s", r.what)
		case r.unchecked:
		case !r.reached() && r.upperBound:
			b.Errorf("%s: %s, at most %s is wanted", r.what, number(r.middle), number(r.minimum))
		case !r.reached():
			b.Errorf("%s: %s, at least %s is wanted", r.what, number(r.middle), number(r.minimum))
		}
	}
	b.ReportMetric(float64(len(t.rows)), "aims")
	b.ReportMetric(0, "ns/op")
}
