package bench_test

import (
	"fmt"
)

// aims are the lines of the table, in its order.
var aims = []aim{
	{name: "ledger 32", what: "ledger, 10,000 wallets to one biller, 32 callers / pgbench tpcb-like, 32 clients", minimum: 4, goal: 7, measure: ledger32},
	{name: "ledger 128", what: "the same, 128 callers / pgbench, 32 clients", minimum: 6, goal: 10, measure: ledger128},
	{name: "ledger billers", what: "one biller / a thousand billers, 32 callers", minimum: 0.9, goal: 1, measure: billers},
	{name: "ledger p99", what: "p99 of the ledger, 32 callers / pgbench's mean latency (at most)", minimum: 1, goal: 0.35, upperBound: true, measure: latency},
	{name: "http", what: "«Оплатить» over HTTP (session, CSRF, draft, books), 32 connections / pgbench", minimum: 1.5, goal: 3, measure: http32},
	{name: "http deliveries", what: "the same with deliveries to an instant biller, until every payment is completed / pgbench", minimum: 0.6, goal: 1, measure: delivering},
	{name: "ten minutes", what: "ten minutes' rate of the ledger / a short run's", minimum: 0.7, goal: 0.9, once: true, measure: tenMinutes},
	{name: "many transfers", what: "rate at 10,000,000 transfers / rate at 10,000", minimum: 0.8, goal: 1, once: true, measure: manyTransfers},
	{name: "http logins", what: "«Оплатить» at half the saturating rate in a storm of logins / without it", minimum: 0.67, goal: 0.9, measure: storm},
	{name: "ussd", what: "USSD requests without PIN steps / a bare Echo handler", minimum: benchUSSDLeast, goal: 0.4, measure: dialing},
	{name: "ussd pin", what: "USSD dialogues with PIN steps / argon2id hashes", minimum: benchUSSDPINLeast, goal: 0.95, measure: proving},
	{name: "http two", what: "two portal processes on one database / one", minimum: 0.9, goal: 1.3, measure: twoPortals},
	{name: "sqlite", what: "embedded SQLite, batched, 32 callers / one raw transaction a payment on the same driver", minimum: 2.5, goal: 4, measure: embedded},
	{name: "http overload", what: "goodput at ten times the load that saturates / peak", minimum: 0.8, goal: 0.95, measure: overload},
}

func per(f, yardstick figure) measured {
	return measured{ratio: f.rate / yardstick.rate, details: formatThousands(f.rate) + " / " + formatThousands(yardstick.rate)}
}

func on(r measured, all ...*benchDB) measured {
	r.books = all
	return r
}

func ledger32(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.ledger("ledger, 32 callers", 32, whole, 1)
	plain, alone := m.ledger("bare transfers, 32 callers", 32, bare, 1)
	checked, limits := m.ledger("bare transfers with limits checked, 32 callers", 32, limited, 1)
	r := per(f, yardstick)
	r.details += fmt.Sprintf(" (bare transfers %s, with the limits of «Оплатить» %s)", formatThousands(plain.rate), formatThousands(checked.rate))
	return on(r, bdb, alone, limits)
}

func ledger128(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.ledger("ledger, 128 callers", 128, whole, 1)
	return on(per(f, yardstick), bdb)
}

func billers(m *runner) measured {
	one, bdb := m.ledger("ledger, 32 callers", 32, whole, 1)
	many, thousand := m.ledger("ledger, a thousand billers", 32, whole, 1000)
	return on(per(one, many), bdb, thousand)
}

func latency(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.ledger("ledger, 32 callers", 32, whole, 1)
	return measured{
		ratio: float64(f.p99) / float64(yardstick.mean), books: []*benchDB{bdb},
		details: fmt.Sprintf("%.1f / %.1f ms", milliseconds(f.p99), milliseconds(yardstick.mean)),
	}
}
