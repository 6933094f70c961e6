package bench_test

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"elsom/internal/testkit/require"
)

// longPayments is the number of payments of a wallet with a long history.
const longPayments = 200_000

// longWallet opens a database in which the first payer has 200,000 payments of the last
// two hours, and the second one as few as all others.
func (m *runner) longWallet() (bdb *benchDB, p *portal, long, short payer) {
	m.b.Helper()
	bdb = m.open("long history")
	if long, short = m.server.payers[0], m.server.payers[1]; len(bdb.portals) > 0 {
		return bdb, bdb.portals[0], long, short
	}
	begin := time.Now()
	history := newPast(m.b, bdb.db)
	history.written = int64(*benchPast * benchWallets) // numbers of before are taken
	history.pay([]int64{long.customer}, longPayments)
	seal(m.b, bdb.db)
	require.NoError(m.b, m.server.server.Exec(bdb.database(), "VACUUM (ANALYZE)"))
	bdb.before = bdb.rows()
	printf("  %-34s %s payments of one wallet (%.0f s)\n", "filling", formatThousands(longPayments), time.Since(begin).Seconds())
	return bdb, bdb.portal("long history", m.server.silent()), long, short
}

// payingOf measures «Оплатить» of one wallet with 8 connections.
func (m *runner) payingOf(name string, of payer) figure {
	bdb, p, _, _ := m.longWallet()
	return m.measureOnce("«Оплатить» of a wallet with "+name, func() figure {
		bdb.ready(m.many()/20, p)
		queue := &drafts{list: bdb.newDrafts(m.many(), func() payer { return of })}
		return bdb.payFrom(queue, load{callers: 8, lasting: m.lasting / 2}, p)
	})
}

func payingLong(m *runner) measured {
	bdb, _, long, short := m.longWallet()
	few := m.payingOf("few payments", short)
	many := m.payingOf("200,000 payments", long)
	r := per(many, few)
	r.details += fmt.Sprintf("; p50 %.1f / %.1f ms", milliseconds(many.p50), milliseconds(few.p50))
	return on(r, bdb)
}

// besideOf measures the other wallets at 1,000 payments a second while one wallet makes
// 20 a second.
func (m *runner) besideOf(name string, of payer) figure {
	bdb, p, _, _ := m.longWallet()
	return m.measureOnce("others beside a wallet with "+name, func() figure {
		const others, own = 1000, 20
		bdb.ready(int(others*m.lasting.Seconds()), p)
		queue := &drafts{list: bdb.newDrafts(int(own*m.lasting.Seconds()), func() payer { return of })}
		var beside sync.WaitGroup
		beside.Go(func() { bdb.payFrom(queue, load{callers: 4, lasting: m.lasting, rate: own}, p) })
		f := bdb.payOverHTTP(load{callers: 32, lasting: m.lasting, rate: others}, p)
		beside.Wait()
		return f
	})
}

func besideLong(m *runner) measured {
	bdb, _, long, short := m.longWallet()
	few := m.besideOf("few payments", short)
	many := m.besideOf("200,000 payments", long)
	return on(measured{
		ratio:   float64(many.p99) / float64(few.p99),
		details: fmt.Sprintf("%.1f / %.1f ms", milliseconds(many.p99), milliseconds(few.p99)),
	}, bdb)
}

// pageLong compares a page of the wallet with a long history with that of another.
func pageLong(path string) func(m *runner) measured {
	return func(m *runner) measured {
		bdb, p, long, short := m.longWallet()
		few := m.page(path+", few payments", bdb, p, path, func(int) payer { return short })
		many := m.page(path+", 200,000 payments", bdb, p, path, func(int) payer { return long })
		return on(per(many, few), bdb)
	}
}

// page measures a page with 32 connections.
func (m *runner) page(name string, bdb *benchDB, p *portal, path string, of func(n int) payer) figure {
	return m.measureOnce(name, func() figure {
		bdb.refresh()
		bdb.getOverHTTP(load{callers: 32, lasting: m.lasting / 10}, p, path, of)
		return bdb.getOverHTTP(load{callers: 32, lasting: m.lasting / 2}, p, path, of)
	})
}

// getOverHTTP runs a load of a page.
func (bdb *benchDB) getOverHTTP(l load, p *portal, path string, of func(n int) payer) figure {
	connections, next := make([]connection, l.callers), make([]int, l.callers)
	for i := range connections {
		connections[i].host = p.listen
		defer connections[i].close()
		next[i] = i * 997
	}
	length := make([]int, l.callers)
	l.do = func(caller int) outcome {
		next[caller]++
		r, err := connections[caller].get(path, of(next[caller]).headers)
		if err != nil || r.status != http.StatusOK {
			bdb.m.b.Errorf("%s was answered %d %s, %v", path, r.status, r.location, err)
			return over
		}
		length[caller] = r.length
		return done
	}
	f := bdb.m.server.measureCPU(l.run, p)
	f.note = fmt.Sprintf("%s bytes compressed", formatThousands(int64(length[0])))
	return f
}
