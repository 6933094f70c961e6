package bench_test

import (
	"fmt"
	"path/filepath"
	"time"
)

// tenMinutes compares a long run with short ones before and after it. Its parts
// are tenths of the long run: the worst one tells of checkpoints and vacuums.
func tenMinutes(m *meter) measured {
	short, long := m.open("short runs"), m.open("ten minutes")
	before := m.once("a short run", func() figure {
		short.rush(32, m.lasting/5, whole)
		return short.rush(32, m.lasting, whole)
	})
	var parts []figure
	all := m.once(fmt.Sprintf("a run of %s", *benchLong), func() figure {
		var sum figure
		long.rush(32, m.lasting/5, whole)
		for part := range 10 {
			f := long.rush(32, *benchLong/10, whole)
			say("    part %d of 10: %s\n", part+1, f)
			parts = append(parts, f)
			sum.done += f.done
			sum.rate += f.rate / 10
			sum.p99 = max(sum.p99, f.p99)
			sum.p50 = max(sum.p50, f.p50)
		}
		return sum
	})
	after := m.once("a short run after it", func() figure { return short.rush(32, m.lasting, whole) })
	usual := (before.rate + after.rate) / 2
	r := measured{
		ratio: all.rate / usual, books: []*books{long, short},
		said: fmt.Sprintf("%s / %s (p99 of the worst tenth %.1f ms)", thousands(all.rate), thousands(usual), milliseconds(all.p99)),
	}
	long.drop()
	for _, f := range parts {
		r.parts = append(r.parts, f.rate/usual)
	}
	return r
}

// manyTransfers compares books that have ten million transfers with fresh ones.
func manyTransfers(m *meter) measured {
	full := m.open("many transfers")
	m.once("filling", func() figure { return full.fill(*benchMany - benchWallets) })
	r := measured{books: []*books{full}}
	full.rush(32, m.lasting/5, whole)
	for round := range 3 {
		fresh := m.open(fmt.Sprintf("fresh books %d", round+1))
		fresh.rush(32, m.lasting/5, whole)
		few := m.once(fmt.Sprintf("at 10,000 transfers, %d", round+1), func() figure { return fresh.rush(32, m.lasting, whole) })
		many := m.once(fmt.Sprintf("at %s transfers, %d", thousands(*benchMany), round+1), func() figure { return full.rush(32, m.lasting, whole) })
		r.parts = append(r.parts, many.rate/few.rate)
		r.said = thousands(many.rate) + " / " + thousands(few.rate)
		r.books = append(r.books, fresh)
	}
	r.ratio = median(r.parts)
	p := full.prove()
	transfers := full.before.Transfers + p.written.Transfers
	r.said += fmt.Sprintf(" (audit of %s transfers: %.0f s, %s a second, %d MiB at most)",
		thousands(transfers), p.took.Seconds(), thousands(float64(transfers)/p.took.Seconds()), p.memory)
	full.drop()
	return r
}

// fill puts completed payments into books.
func (k *books) fill(transfers int) figure {
	k.m.b.Helper()
	begin := time.Now()
	fill(k.m.b, k.db, k.wallets, k.transit[0].account, k.payable, transfers)
	k.before = k.rows()
	return figure{done: int64(transfers), rate: float64(transfers) / time.Since(begin).Seconds(), unit: " rows of transfers"}
}

// embedded compares the ledger on SQLite with one transaction a payment by
// hand on the same driver, one writer at a time, its statements prepared.
func embedded(m *meter) measured {
	batched, raw := m.embedded("SQLite batched"), m.embedded("SQLite raw")
	yardstick := m.once("SQLite, one transaction each", func() figure {
		r := newRaw(raw)
		defer r.close()
		return rush{callers: 32, lasting: m.lasting, act: r.pay}.run()
	})
	f := m.once("SQLite batched, 32 callers", func() figure { return batched.rush(32, m.lasting, whole) })
	return on(per(f, yardstick), batched, raw)
}

func (m *meter) embedded(name string) *books {
	m.b.Helper()
	if k, ok := m.books[name]; ok {
		return k
	}
	address := "sqlite:" + filepath.Join(m.b.TempDir(), "elsom.db")
	seed(m.b, address, "")
	k := m.openAt(name, address)
	m.books[name] = k
	return k
}
