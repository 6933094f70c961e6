package bench_test

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"elsom/internal/database"
	"elsom/internal/testkit/require"
)

// tenMinutes compares a long run with short ones before and after it. Its parts are
// tenths of the long run: the worst one shows checkpoints and vacuums.
func tenMinutes(m *runner) measured {
	short, long := m.open("short runs"), m.open("ten minutes")
	before := m.measureOnce("a short run", func() figure {
		short.postFor(32, m.lasting/5, limited)
		return short.postFor(32, m.lasting, limited)
	})
	var parts []figure
	all := m.measureOnce(fmt.Sprintf("a run of %s", *benchLong), func() figure {
		var sum figure
		long.postFor(32, m.lasting/5, limited)
		for part := range 10 {
			f := long.postFor(32, *benchLong/10, limited)
			printf("    part %d of 10: %s\n", part+1, f)
			parts = append(parts, f)
			sum.done += f.done
			sum.rate += f.rate / 10
			sum.p99 = max(sum.p99, f.p99)
			sum.p50 = max(sum.p50, f.p50)
		}
		return sum
	})
	after := m.measureOnce("a short run after it", func() figure { return short.postFor(32, m.lasting, limited) })
	reference := (before.rate + after.rate) / 2
	r := measured{
		ratio: all.rate / reference, books: []*benchDB{long, short},
		details: fmt.Sprintf("%s / %s (p99 of the worst tenth %.1f ms)", formatThousands(all.rate), formatThousands(reference), milliseconds(all.p99)),
	}
	long.drop()
	for _, f := range parts {
		r.parts = append(r.parts, f.rate/reference)
	}
	return r
}

// manyTransfers compares a database with ten million transfers with a fresh one.
func manyTransfers(m *runner) measured {
	full := m.manyBooks()
	r := measured{books: []*benchDB{full}}
	full.postFor(32, m.lasting/5, limited)
	for round := range 3 {
		fresh := m.open(fmt.Sprintf("fresh books %d", round+1))
		fresh.postFor(32, m.lasting/5, limited)
		few := m.measureOnce(fmt.Sprintf("at 10,000 transfers, %d", round+1), func() figure { return fresh.postFor(32, m.lasting, limited) })
		many := m.measureOnce(fmt.Sprintf("at %s transfers, %d", formatThousands(*benchMany), round+1), func() figure { return full.postFor(32, m.lasting, limited) })
		r.parts = append(r.parts, many.rate/few.rate)
		r.details = formatThousands(many.rate) + " / " + formatThousands(few.rate)
		r.books = append(r.books, fresh)
	}
	r.ratio = median(r.parts)
	p := full.verify()
	transfers := full.before.Transfers + p.added.Transfers
	r.details += fmt.Sprintf(" (audit of %s transfers: %.0f s, %s a second, %d MiB at most)",
		formatThousands(transfers), p.took.Seconds(), formatThousands(float64(transfers)/p.took.Seconds()), p.memory)
	full.drop()
	return r
}

// fill inserts completed payments, as the superuser: it drops indexes meanwhile.
func (bdb *benchDB) fill(wallets []int64, transfers int) figure {
	bdb.m.b.Helper()
	begin := time.Now()
	super, err := database.Open(context.Background(), bdb.m.server.server.Address(bdb.database()), database.WithKeys(booksKeys(), false))
	require.NoError(bdb.m.b, err)
	defer super.Close()
	fill(bdb.m.b, super, wallets, bdb.transit[0].account, bdb.payable, transfers)
	bdb.before = bdb.rows()
	return figure{done: int64(transfers), rate: float64(transfers) / time.Since(begin).Seconds(), unit: " rows of transfers"}
}

// embedded compares the ledger on SQLite with one transaction per payment on the
// same driver, with one writer and prepared statements.
func embedded(m *runner) measured {
	batched, raw := m.embedded("SQLite batched"), m.embedded("SQLite raw")
	yardstick := m.measureOnce("SQLite, one transaction each", func() figure {
		r := newRaw(raw)
		defer r.close()
		return load{callers: 32, lasting: m.lasting, do: r.pay}.run()
	})
	f := m.measureOnce("SQLite batched, 32 callers", func() figure { return batched.postFor(32, m.lasting, limited) })
	return on(per(f, yardstick), batched, raw)
}

func (m *runner) embedded(name string) *benchDB {
	m.b.Helper()
	if bdb, ok := m.books[name]; ok {
		return bdb
	}
	address := "sqlite:" + filepath.Join(m.b.TempDir(), "elsom.db")
	seed(m.b, address, "")
	bdb := m.openAt(name, address)
	m.books[name] = bdb
	return bdb
}
