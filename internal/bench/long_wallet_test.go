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

// inTurn measures the wallets with a short and a long history twice, the long one second
// and third: so tables that grow and vacuums that begin meanwhile weigh on both.
func (m *runner) inTurn(name string, measure func(of payer) figure) (few, many figure) {
	_, _, long, short := m.longWallet()
	part := func(of payer, history string, n int) figure {
		return m.measureOnce(fmt.Sprintf("%s %s, part %d", name, history, n), func() figure { return measure(of) })
	}
	fewFirst := part(short, "few payments", 1)
	manyFirst, manySecond := part(long, "200,000 payments", 2), part(long, "200,000 payments", 3)
	return mean(fewFirst, part(short, "few payments", 4)), mean(manyFirst, manySecond)
}

// mean returns the mean of two measurements of equal length.
func mean(a, b figure) figure {
	m := b
	m.done, m.rate = a.done+b.done, (a.rate+b.rate)/2
	m.p50, m.p99, m.mean = (a.p50+b.p50)/2, (a.p99+b.p99)/2, (a.mean+b.mean)/2
	return m
}

// payingOf measures «Оплатить» of one wallet with 8 connections.
func (m *runner) payingOf(of payer) figure {
	bdb, p, _, _ := m.longWallet()
	bdb.ready(m.many()/20, p)
	queue := &drafts{list: bdb.newDrafts(m.many()/2, func() payer { return of })}
	return bdb.payFrom(queue, load{callers: 8, lasting: m.lasting / 4}, p)
}

func payingLong(m *runner) measured {
	bdb, _, _, _ := m.longWallet()
	few, many := m.inTurn("«Оплатить»,", m.payingOf)
	r := per(many, few)
	r.details += fmt.Sprintf("; p50 %.1f / %.1f ms", milliseconds(many.p50), milliseconds(few.p50))
	return on(r, bdb)
}

// besideOf measures the other wallets at 1,000 payments a second while one wallet makes
// 20 a second.
func (m *runner) besideOf(of payer) figure {
	const others, own = 1000, 20
	bdb, p, _, _ := m.longWallet()
	bdb.ready(int(others*m.lasting.Seconds()), p)
	queue := &drafts{list: bdb.newDrafts(int(own*m.lasting.Seconds()), func() payer { return of })}
	var beside sync.WaitGroup
	beside.Go(func() { bdb.payFrom(queue, load{callers: 4, lasting: m.lasting, rate: own}, p) })
	f := bdb.payOverHTTP(load{callers: 32, lasting: m.lasting, rate: others}, p)
	beside.Wait()
	return f
}

func besideLong(m *runner) measured {
	bdb, _, _, _ := m.longWallet()
	few, many := m.inTurn("others beside a wallet with", m.besideOf)
	return on(measured{
		ratio:   float64(many.p99) / float64(few.p99),
		details: fmt.Sprintf("%.1f / %.1f ms", milliseconds(many.p99), milliseconds(few.p99)),
	}, bdb)
}

// pageLong compares a page of the wallet with a long history with that of another.
func pageLong(path string) func(m *runner) measured {
	return func(m *runner) measured {
		bdb, p, _, _ := m.longWallet()
		few, many := m.inTurn(path+",", func(of payer) figure {
			return bdb.getPage(load{callers: 32, lasting: m.lasting / 4}, p, path, func(int) payer { return of })
		})
		return on(per(many, few), bdb)
	}
}

// page measures a page with 32 connections.
func (m *runner) page(name string, bdb *benchDB, p *portal, path string, of func(n int) payer) figure {
	return m.measureOnce(name, func() figure {
		return bdb.getPage(load{callers: 32, lasting: m.lasting / 2}, p, path, of)
	})
}

// getPage runs a load of a page after a fifth of it that is not measured.
func (bdb *benchDB) getPage(l load, p *portal, path string, of func(n int) payer) figure {
	bdb.refresh()
	before := l
	before.lasting /= 5
	bdb.getOverHTTP(before, p, path, of)
	return bdb.getOverHTTP(l, p, path, of)
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
