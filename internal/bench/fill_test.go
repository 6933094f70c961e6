package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/database"
	"elsom/internal/ledger"
)

// fill inserts completed payments of the last three hundred days, two transfers
// each, as accepting and settling leave them.
func fill(t testing.TB, db *database.DB, wallets []int64, transit, payable int64, transfers int) {
	t.Helper()
	n := transfers / 2
	now := db.Now()
	since := now.Add(-300 * 24 * time.Hour)
	first := database.FirstID(since)
	step := (database.FirstID(now.Add(-time.Hour)) - first) / int64(n+1)
	ctx := context.Background()
	conn, err := db.Pool().Conn(ctx)
	require.NoError(t, err)
	defer conn.Close()
	run := func(statement string, args ...any) {
		t.Helper()
		_, err := conn.ExecContext(ctx, statement, args...)
		require.NoError(t, err)
	}
	// Filling is not measured: it needs no durability, and builds the indexes at the
	// end.
	run("SET synchronous_commit = off")
	run("SET maintenance_work_mem = '512MB'")
	run("INSERT INTO unsigned_allowed (id) VALUES (1) ON CONFLICT DO NOTHING") // the rows are not signed
	run("DROP INDEX entries_account")
	run("DROP INDEX payments_customer")
	run("ALTER TABLE payments DROP CONSTRAINT payments_code_key")
	run(`CREATE TEMPORARY TABLE filled_payments AS SELECT $1::bigint + i * $2::bigint AS id, $3::timestamptz + i * $4::interval AS at,
			($5::bigint[])[1 + i % $6::bigint] AS wallet, i FROM generate_series(1::bigint, $7::bigint) i`,
		first, step, since, fmt.Sprintf("%d microseconds", 300*24*time.Hour.Microseconds()/int64(n+1)), wallets, len(wallets), n)
	for _, end := range []struct {
		key, act     string
		id           int
		from, to     string
		fromID, toID int64
	}{
		{key: "accept", act: "payment.accept", id: 1, from: "wallet", to: "$1::bigint", fromID: 0, toID: transit},
		{key: "end", act: "payment.settle", id: 2, from: "$1::bigint", to: "$2::bigint", fromID: transit, toID: payable},
	} {
		run(fmt.Sprintf(`INSERT INTO transfers (id, request_key, request_hash, act, posted_at)
			SELECT id + %d, 'payment:' || id || ':%s', md5(id::text) || '-----------', '%s', at FROM filled_payments`, end.id, end.key, end.act))
		accounts := []any{end.toID}
		if end.fromID != 0 {
			accounts = []any{end.fromID, end.toID}
		}
		run(fmt.Sprintf(`INSERT INTO entries (transfer_id, line, account_id, amount)
			SELECT id + %d, line, CASE line WHEN 0 THEN %s ELSE %s END, CASE line WHEN 0 THEN -%d ELSE %d END
			FROM filled_payments, generate_series(0, 1) line`, end.id, end.from, end.to, benchAmount, benchAmount), accounts...)
	}
	run(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state,
			accepted_at, due_at, ended_at, result, reference)
		SELECT id, wallet, 'dostek', 'dostek', '00207199610017', 'ОсОО «Ала-Тоо»', $1::bigint, 0, 'f' || lpad(i::text, 17, '0'),
			'f' || lpad((i * 387420489 % 100000000000)::text, 11, '0'), 'web', 'completed', at AS accepted_at, at AS due_at, at AS ended_at, 0, i::text FROM filled_payments`, benchAmount)
	run(`INSERT INTO messages (id, key, phone, text, state, queue, daily_limit, tries, made_at, due_at, sent_at)
		SELECT id + 2, 'payment:' || id || ':completed', '+996' || lpad((wallet % 1000000000)::text, 9, '0'), 'Платёж выполнен', 'sent', 'sms', 'full', 1,
			at AS made_at, at AS due_at, at AS sent_at FROM filled_payments`)
	run(`UPDATE accounts SET balance = accounts.balance + moved.amount
		FROM (SELECT account_id, SUM(amount) AS amount FROM entries
			JOIN (SELECT id + 1 AS id FROM filled_payments UNION ALL SELECT id + 2 AS id FROM filled_payments) t ON t.id = entries.transfer_id GROUP BY account_id) moved
		WHERE accounts.id = moved.account_id`) // earlier payments of the last hours are between them
	run("CREATE INDEX entries_account ON entries (account_id, transfer_id)")
	run("CREATE INDEX payments_customer ON payments (customer_id, accepted_at)")
	run("ALTER TABLE payments ADD CONSTRAINT payments_code_key UNIQUE (code)")
	run("VACUUM (ANALYZE)")
	books := ledger.New(db, ledger.Options{})
	defer books.Close()
	require.NoError(t, books.CountAll(ctx)) // as a portal does while it runs
	run("VACUUM (ANALYZE) accounts")
	run("CHECKPOINT")
}
