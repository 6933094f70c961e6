package main_test

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"elsom/internal/database"
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
		thousands(transfers), p.took.Seconds(), thousands(float64(transfers)/p.took.Seconds()), p.memory>>20)
	return r
}

// fill puts completed payments of the last three hundred days into books, two
// transfers each, as «Оплатить» and its delivery leave them.
func (k *books) fill(transfers int) figure {
	k.m.b.Helper()
	begin, n := time.Now(), transfers/2
	now := k.db.Now()
	since := now.Add(-300 * 24 * time.Hour)
	first := database.FirstID(since)
	step := (database.FirstID(now.Add(-time.Hour)) - first) / int64(n+1)
	ctx := context.Background()
	conn, err := k.db.Pool().Conn(ctx)
	must(k.m.b, err)
	defer conn.Close()
	run := func(statement string, args ...any) {
		k.m.b.Helper()
		_, err := conn.ExecContext(ctx, statement, args...)
		must(k.m.b, err)
	}
	// The fill is no measurement: it may lose its last moment, and build the
	// scattered indexes at once.
	run("SET synchronous_commit = off")
	run("SET maintenance_work_mem = '512MB'")
	run("DROP INDEX entries_account")
	run("DROP INDEX payments_customer")
	run("ALTER TABLE payments DROP CONSTRAINT payments_code_key")
	run(`CREATE TEMPORARY TABLE lives AS SELECT $1::bigint + i * $2::bigint AS id, $3::timestamptz + i * $4::interval AS at,
			($5::bigint[])[1 + i % $6::bigint] AS wallet, i FROM generate_series(1::bigint, $7::bigint) i`,
		first, step, since, fmt.Sprintf("%d microseconds", 300*24*time.Hour.Microseconds()/int64(n+1)), k.wallets, len(k.wallets), n)
	for _, end := range []struct {
		key, act     string
		id           int
		from, to     string
		fromID, toID int64
	}{
		{key: "accept", act: "payment.accept", id: 1, from: "wallet", to: "$1::bigint", fromID: 0, toID: k.transit[0].account},
		{key: "end", act: "payment.settle", id: 2, from: "$1::bigint", to: "$2::bigint", fromID: k.transit[0].account, toID: k.payable},
	} {
		run(fmt.Sprintf(`INSERT INTO transfers (id, request_key, request_hash, act, posted_at)
			SELECT id + %d, 'payment:' || id || ':%s', md5(id::text) || '-----------', '%s', at FROM lives`, end.id, end.key, end.act))
		accounts := []any{end.toID}
		if end.fromID != 0 {
			accounts = []any{end.fromID, end.toID}
		}
		run(fmt.Sprintf(`INSERT INTO entries (transfer_id, line, account_id, amount)
			SELECT id + %d, line, CASE line WHEN 0 THEN %s ELSE %s END, CASE line WHEN 0 THEN -%d ELSE %d END
			FROM lives, generate_series(0, 1) line`, end.id, end.from, end.to, benchAmount, benchAmount), accounts...)
	}
	run(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state,
			accepted_at, result, ended_at, reference)
		SELECT id, wallet, 'dostek', 'dostek', '00207199610017', 'ОсОО «Ала-Тоо»', $1::bigint, 0, 'f' || lpad(i::text, 17, '0'),
			'f' || lpad((i * 387420489 % 100000000000)::text, 11, '0'), 'web', 'completed', at, 0, at, i::text FROM lives`, benchAmount)
	run(`INSERT INTO promises (id, lane, key, payload, due_at, state, made_at, tries, ended_at)
		SELECT id + word, CASE word WHEN 1 THEN 'biller:dostek' ELSE 'sms' END, CASE word WHEN 1 THEN id::text ELSE 'payment:' || id || ':completed' END,
			'', at, 'kept', at, 1, at FROM lives, generate_series(1, 2) word`)
	run(`UPDATE accounts SET balance = accounts.balance + moved.amount
		FROM (SELECT account_id, SUM(amount) AS amount FROM entries WHERE transfer_id BETWEEN $1 AND $2 GROUP BY account_id) moved
		WHERE accounts.id = moved.account_id`, first, first+step*int64(n+1))
	run("CREATE INDEX entries_account ON entries (account_id, transfer_id)")
	run("CREATE INDEX payments_customer ON payments (customer_id, accepted_at)")
	run("ALTER TABLE payments ADD CONSTRAINT payments_code_key UNIQUE (code)")
	run("VACUUM (ANALYZE)")
	run("CHECKPOINT")
	k.before = k.rows()
	return figure{done: int64(2 * n), rate: float64(2*n) / time.Since(begin).Seconds(), unit: " rows of transfers"}
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
