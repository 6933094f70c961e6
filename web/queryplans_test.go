package web_test

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/testkit/require"
)

// crowd is 10,000 wallets with a life behind them: each was filled, has a
// session and has paid; every fiftieth of the promises and messages is still open.
//
//nolint:dupword // columns
const crowd = `
CREATE TEMPORARY TABLE n AS SELECT n, 1000000 + n AS id, now() - n * interval '7 minutes' AS at FROM generate_series(1, 10000) n;
INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
	SELECT id, '+99655' || lpad(n::text, 7, '0'), '', 'ru', 'x', FALSE, 1, 'standard', at FROM n;
INSERT INTO accounts (id, kind, subject, currency, balance, floor, opened_at) SELECT id, 'wallet', id, 'KGS', 100000, 0, at FROM n;
INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) SELECT id - 1000000, 'fees', id, 'KGS', 0, at FROM n WHERE n <= 40;
INSERT INTO stripes SELECT id, stripe, 0 FROM accounts, generate_series(0, 255) stripe WHERE kind = 'fees';
INSERT INTO sessions (id, handle, customer_id, epoch, data, version, device, browser, created_at, seen_at, ends_at)
	SELECT md5(n::text), id, id, 1, '{}', 1, 'x', md5(n::text), at, at, at + interval '12 hours' FROM n;
INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT id, 'cashin:' || n, 'x', 'cashin.pay', at FROM n;
INSERT INTO entries (transfer_id, line, account_id, amount) SELECT id, line, CASE line WHEN 0 THEN id ELSE 1 END, 100000 * (1 - 2 * line) FROM n, generate_series(0, 1) line;
INSERT INTO drafts SELECT id, id, 'dostek', 'dostek', '00207199610017', '', 100, 0, 'd' || n, 'web', at, at + interval '1 hour' FROM n;
INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, due_at)
	SELECT id, id, 'dostek', 'dostek', '00207199610017', '', 100, 0, 'd' || n, 'c' || n, 'web', CASE WHEN n % 50 = 0 THEN 'processing' ELSE 'completed' END, at, now() + interval '1 day' FROM n;
INSERT INTO payment_attempts (payment_id, number, started_at, ended_at, outcome) SELECT id, 1, at, at, 'good' FROM n;
INSERT INTO wallet_transfers SELECT id, id, id + 1, 'x', 'x', 'x', 'x', 100, 'web', at FROM n;
INSERT INTO promises (id, lane, key, payload, state, due_at, made_at)
	SELECT 2 * id + push, CASE push WHEN 1 THEN 'push' ELSE 'email' END, n, '{}', CASE WHEN n % 50 = 0 THEN 'open' ELSE 'kept' END, now() + interval '1 day', at
	FROM n, generate_series(0, 1) push;
INSERT INTO messages (id, key, phone, text, state, made_at, queue, due_at)
	SELECT id, n, '+99655' || lpad(n::text, 7, '0'), 'x', CASE WHEN n % 50 = 0 THEN 'queued' ELSE 'delivered' END, at, 'sms', now() + interval '1 day' FROM n;
INSERT INTO log_queue (id, records) SELECT id, '' FROM n;
INSERT INTO sms_inbox SELECT id, n, '+99655' || lpad(n::text, 7, '0'), 'x', at FROM n;
DROP TABLE n;
ANALYZE`

// planned are the statements of a payment by shape, with the indexes that each uses.
var planned = map[string]string{}

// The tables of slots, of the catalog's version and of the log's state are small.
const (
	slots    = "ALL_OF biller_slots"
	version  = "ALL_OF catalog_state"
	logState = "ALL_OF log_queue_pkey log_state"
)

var (
	byIndex  = regexp.MustCompile(`Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)`)
	byTable  = regexp.MustCompile(`Seq Scan on (\w+)`)
	numbered = regexp.MustCompile(`\$\d+`)
)

// Each statement of a payment, from the page to the SMS, uses an index on large
// tables, both in its custom plan and in its generic plan.
func TestQueryPlansOfAPayment(t *testing.T) {
	t.Parallel()
	sent := &traced{}
	app := newAppWith(t, options{newDB: databasetest.Postgres, trace: sent.add})
	databasetest.Tamper(t, app.DB, crowd)
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder)
	sent.take()
	app.startDeliveries()
	b.draft(company, "250,50").press("Оплатить").waitEnded()
	app.messages(holder.Phone)
	_, err := app.Ledger.Post(context.Background(), ledger.Posting{Key: "more than there is", Op: "test", Entries: []ledger.Entry{
		{Account: holder.ID, Amount: -5000_00}, {Account: 1_000_001, Amount: 5000_00},
	}})
	if !fault.Is(err, fault.Insufficient) {
		t.Fatal(err)
	}
	told := sent.take()

	connection := app.freePlanner()
	seen := map[string]string{}
	for _, s := range told {
		if !s.reads() {
			continue
		}
		now, ever := app.plan(connection, s, s.args), app.genericPlan(connection, s)
		if now != ever {
			t.Errorf("%s: %q now, %q for all values", s.shape(), now, ever)
		}
		seen[s.shape()] = union(seen[s.shape()], now)
		if strings.Contains(now, "ALL_OF") && now != slots && now != version && now != logState {
			t.Errorf("%s reads %s", s.text, now)
		}
	}
	for shape, want := range planned {
		if seen[shape] != want {
			t.Errorf("%s: by %q, not by %q", shape, seen[shape], want)
		}
	}
}

// union returns the words of both, sorted, without duplicates.
func union(a, b string) string {
	words := strings.Fields(a + " " + b)
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// freePlanner returns a connection on which sequential scans are enabled.
func (app *testApp) freePlanner() *sql.Conn {
	app.t.Helper()
	connection, err := app.DB.Pool().Conn(context.Background())
	require.NoError(app.t, err)
	app.t.Cleanup(func() { _ = connection.Close() })
	_, err = connection.ExecContext(context.Background(), "SET enable_seqscan = on; SET plan_cache_mode = force_generic_plan", pgx.QueryExecModeSimpleProtocol)
	require.NoError(app.t, err)
	return connection
}

// reads reports whether a statement reads rows of a table.
func (s statement) reads() bool {
	shape := s.shape()
	return strings.Contains(shape, "from ") || strings.Contains(shape, "update ")
}

// genericPlan returns the indexes of a statement's generic plan.
func (app *testApp) genericPlan(connection *sql.Conn, s statement) string {
	app.t.Helper()
	if _, err := connection.ExecContext(context.Background(), "PREPARE planned AS "+s.text); err != nil {
		app.t.Fatalf("%s: %v", s.text, err)
	}
	defer func() {
		if _, err := connection.ExecContext(context.Background(), "DEALLOCATE planned"); err != nil {
			app.t.Error(err)
		}
	}()
	execute := "EXECUTE planned"
	values := numbered.FindAllString(s.text, -1)
	slices.Sort(values)
	if n := len(slices.Compact(values)); n > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	return app.plan(connection, statement{text: execute}, nil)
}

// plan returns the indexes that a statement uses, in order, and the tables that it
// scans.
func (app *testApp) plan(connection *sql.Conn, s statement, args []any) string {
	app.t.Helper()
	rows, err := connection.QueryContext(context.Background(), "EXPLAIN "+s.text, args...)
	if err != nil {
		app.t.Fatalf("%s %d: %v", s.text, len(args), err)
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var line string
		require.NoError(app.t, rows.Scan(&line))
		if m := byIndex.FindStringSubmatch(line); m != nil {
			found = append(found, m[1])
		}
		if m := byTable.FindStringSubmatch(line); m != nil {
			found = append(found, "ALL_OF "+m[1])
		}
	}
	require.NoError(app.t, rows.Err())
	return union("", strings.Join(found, " "))
}
