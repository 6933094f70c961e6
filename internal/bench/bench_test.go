package bench_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit/require"
)

// How much is measured. `make bench` uses the defaults.
var (
	benchLines    = flag.String("lines", "", "bench: only the aims whose names match")
	benchRounds   = flag.Int("rounds", 3, "bench: interleaved rounds")
	benchSeconds  = flag.Float64("seconds", 10, "bench: seconds of one measurement")
	benchLong     = flag.Duration("long", 10*time.Minute, "bench: the long run")
	benchMany     = flag.Int("many", 10_000_000, "bench: the transfers of books that have many")
	benchPast     = flag.Int("operations", 10, "bench: earlier payments of each wallet")
	benchScale    = flag.Int("scale", 50, "bench: pgbench's scale, so large that its own rows are not hot")
	benchCheck    = flag.Bool("judge", true, "bench: fail if a line misses its minimum")
	benchMarkdown = flag.Bool("markdown", false, "bench: print the table as Markdown too")
)

// aim is a line of the table: a rate of the product as a ratio to a reference that
// was measured in the same round.
type aim struct {
	name, what    string
	minimum, goal float64
	// upperBound makes minimum the maximum.
	upperBound bool
	// once: measured after all rounds, in parts of its own.
	once bool
	// unchecked: a miss of the minimum doesn't fail the benchmark.
	unchecked bool
	measure   func(m *runner) measured
}

// measured is the result of an aim in one round.
type measured struct {
	ratio float64
	// parts are the ratios of the parts of an aim that is measured once.
	parts   []float64
	details string     // the figures behind the ratio
	books   []*benchDB // where its rows stand
}

// runner is one run of the benchmark.
type runner struct {
	b       testing.TB
	server  *benchServer
	lasting time.Duration // of one measurement
	books   map[string]*benchDB
	round   map[string]figure // what was measured in this round
	ussd    *ussdBench
	naive   *naiveBooks
	opened  []*benchDB
}

// measureOnce measures a name at most once a round: lines share their references.
// Each begins after a checkpoint, so that none writes another's dirty pages.
func (m *runner) measureOnce(name string, measure func() figure) figure {
	if had, ok := m.round[name]; ok {
		return had
	}
	_, err := m.server.admin.Exec("CHECKPOINT")
	require.NoError(m.b, err)
	begin := time.Now()
	f := measure()
	m.round[name] = f
	printf("  %-34s %s  (%.0f s)\n", name, f, time.Since(begin).Seconds())
	return f
}

// BenchmarkAims measures the aims in interleaved rounds on one PostgreSQL with
// default durability and prints them as one table. It fails if a line misses its
// minimum, if fewer rows were written than were acknowledged, or if an audit fails.
func BenchmarkAims(b *testing.B) {
	chosen := chosenAims(b)
	begin := time.Now()
	m := newMeter(b)
	defer m.close()
	table := newTable(m, chosen)
	for round := range *benchRounds {
		m.round = map[string]figure{}
		printf("round %d of %d\n", round+1, *benchRounds)
		table.measure(func(a aim) bool { return !a.once })
	}
	m.round = map[string]figure{}
	table.measure(func(a aim) bool { return a.once })
	var writes bytes.Buffer
	if regexp.MustCompile(*benchLines).MatchString(writesLine) {
		m.writes(&writes)
	}
	table.prove()
	printf("\n%s\n", m.server.words())
	printf("%d rounds of %s, %s in all; pgbench at scale %d; %s\n\n", *benchRounds, m.lasting, time.Since(begin).Round(time.Second), *benchScale, benchWork)
	if len(chosen) > 0 {
		table.print(os.Stdout)
	}
	if *benchMarkdown && len(chosen) > 0 {
		table.markdown(os.Stdout)
	}
	_, _ = writes.WriteTo(os.Stdout)
	if *benchCheck {
		table.checkMinimums(b)
	}
}

const benchWork = "10,000 wallets, random ones; a payment is a transfer with two entries, the wallet debited, the biller credited, " +
	"and a payment row that is due for its delivery, all in one durable commit"

func chosenAims(b *testing.B) []aim {
	b.Helper()
	like, err := regexp.Compile(*benchLines)
	if err != nil {
		b.Fatal(err)
	}
	chosen := slices.DeleteFunc(slices.Clone(aims), func(a aim) bool { return !like.MatchString(a.name) })
	if len(chosen) == 0 && !like.MatchString(writesLine) {
		b.Fatalf("no aim is called %q", *benchLines)
	}
	return chosen
}

func newMeter(b *testing.B) *runner {
	b.Helper()
	debug.SetGCPercent(400) // as `elsom serve` does
	return &runner{
		b: b, server: startBenchServer(b), lasting: time.Duration(*benchSeconds * float64(time.Second)),
		books: map[string]*benchDB{}, round: map[string]figure{},
	}
}

func (m *runner) close() {
	for _, bdb := range m.opened {
		bdb.close()
	}
}

func printf(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format, args...) }

// formatThousands formats 12345 as 12,345.
func formatThousands[N int | int64 | float64](n N) string {
	text := fmt.Sprintf("%.0f", float64(n))
	var groups []string
	for len(text) > 3 {
		groups = append([]string{text[len(text)-3:]}, groups...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, groups...), ",")
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}
