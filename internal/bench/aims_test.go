package bench_test

import "fmt"

// aims are the lines of the table, in its order.
var aims = []aim{
	{name: "ledger 32", what: "ledger, 10,000 wallets to one biller, 32 callers, limits judged / pgbench tpcb-like, 32 clients, prepared", minimum: 4, goal: 7, measure: ledger32},
	{name: "ledger 128", what: "the same, 128 callers / pgbench", minimum: 6, goal: 10, measure: ledger128},
	{name: "ledger billers", what: "one biller / a thousand billers, 32 callers", minimum: 0.95, goal: 1, measure: billers},
	{name: "http 32", what: "«Оплатить» over HTTP (session, CSRF, draft, books), 32 connections / pgbench", minimum: 1.25, goal: 3, measure: http32},
	{name: "http 128", what: "the same, 128 connections / pgbench", minimum: 1.7, goal: 4, measure: http128},
	{name: "http deliveries", what: "the same with deliveries to an instant biller, until every payment is completed / pgbench", minimum: 0.45, goal: 1, measure: delivering},
	{name: "http sms", what: "the same until every SMS is handed over / pgbench", minimum: 0.35, goal: 0.8, measure: handingOver},
	{name: "http p99", what: "p99 of «Оплатить» in ms at 300 payments a second, deliveries and SMS running (at most)", minimum: 50, goal: 20, upperBound: true, unchecked: true, measure: peakHour},
	{name: "ledger p99", what: "p99 of the ledger, 32 callers / pgbench's mean latency (at most)", minimum: 0.7, goal: 0.35, upperBound: true, measure: latency},
	{name: "ten minutes", what: "ten minutes' rate of the ledger / a short run's", minimum: 0.85, goal: 0.95, once: true, measure: tenMinutes},
	{name: "history filters", what: "pages of the history with filter and totals at 10,000,000 transfers / at 10,000, the wallets having as many, 32 callers", minimum: 1 / 1.3, goal: 1, once: true, measure: filteredHistories},
	{name: "many transfers", what: "rate at 10,000,000 transfers / rate at 10,000", minimum: 0.9, goal: 1, once: true, measure: manyTransfers},
	{name: "long pay", what: "«Оплатить» of a wallet with 200,000 payments / of one with 10", minimum: 0.9, goal: 1, measure: payingLong},
	{name: "long others", what: "p99 of the others beside a wallet with 200,000 payments / beside one with 10 (at most)", minimum: 1.2, goal: 1.05, upperBound: true, measure: besideLong},
	{name: "long cabinet", what: "/cabinet of a wallet with 200,000 payments / of one with 10", minimum: 0.9, goal: 1, measure: pageLong("/cabinet")},
	{name: "long history", what: "/history of a wallet with 200,000 payments / of one with 10", minimum: 0.9, goal: 1, measure: pageLong("/history")},
	{name: "page", what: "/cabinet, 32 connections / a bare Echo + templ page of the same size, compressed", minimum: 0.3, goal: 0.5, measure: cabinetBare},
	{name: "http logins", what: "«Оплатить» at half the saturating rate in a storm of logins / without it", minimum: 0.8, goal: 0.95, measure: storm},
	{name: "ussd", what: "USSD requests without PIN steps / a bare Echo handler", minimum: benchUSSDLeast, goal: 0.4, measure: dialing},
	{name: "ussd pin", what: "USSD dialogs with PIN steps / argon2id hashes", minimum: benchUSSDPINLeast, goal: 0.95, measure: proving},
	{name: "http two", what: "two portal processes on one database / one", minimum: 0.9, goal: 1.1, measure: twoPortals},
	{name: "sqlite", what: "embedded SQLite, batched, 32 callers / one raw transaction a payment on the same driver", minimum: 2.5, goal: 4, measure: embedded},
	{name: "http overload", what: "goodput at ten times the load that saturates / peak", minimum: 0.9, goal: 0.98, measure: overload},
	{name: "memory idle", what: "memory of an idle portal in MB (at most)", minimum: 100, goal: 70, upperBound: true, once: true, measure: memoryIdle},
	{name: "memory paying", what: "memory of a portal with 1,000 paying connections in MB (at most)", minimum: 250, goal: 150, upperBound: true, once: true, measure: memoryPaying},
	{name: "peer", what: "a naive GORM transaction a payment behind the same route of Echo, 32 connections / pgbench", unchecked: true, measure: naive},
}

func per(f, yardstick figure) measured {
	r := measured{ratio: f.rate / yardstick.rate, details: formatThousands(f.rate) + " / " + formatThousands(yardstick.rate)}
	if f.cpu.n > 0 {
		r.details += "; " + f.cpu.String()
	}
	return r
}

func on(r measured, all ...*benchDB) measured {
	r.books = all
	return r
}

func ledger32(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.ledger32()
	plain, without := m.ledger("ledger without limits, 32 callers", 32, whole, 1)
	r := per(f, yardstick)
	r.details += fmt.Sprintf(" (without the limits %s)", formatThousands(plain.rate))
	return on(r, bdb, without)
}

func (m *runner) ledger32() (figure, *benchDB) { return m.ledger("ledger, 32 callers", 32, limited, 1) }

func ledger128(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.ledger("ledger, 128 callers", 128, limited, 1)
	return on(per(f, yardstick), bdb)
}

func billers(m *runner) measured {
	one, bdb := m.ledger32()
	many, thousand := m.ledger("ledger, a thousand billers", 32, limited, 1000)
	return on(per(one, many), bdb, thousand)
}

func latency(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.ledger32()
	return measured{
		ratio: float64(f.p99) / float64(yardstick.mean), books: []*benchDB{bdb},
		details: fmt.Sprintf("%.1f / %.1f ms", milliseconds(f.p99), milliseconds(yardstick.mean)),
	}
}
