package web_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/history"
	"elsom/internal/testkit/require"
)

// inserted inserts $2 payments of the wallet $1, with an SMS each; $3 is added to ids.
var inserted = []string{
	`INSERT INTO transfers (id, request_key, request_hash, act, posted_at, subject_kind, subject_id)
		SELECT $3::bigint + n, 'payment:' || ($3::bigint + n) || ':accept', 'x', 'payment.accept', now() - interval '1 day' * n / 100, 'payment', $3::bigint + n FROM generate_series(1, $2::bigint) n WHERE $1::bigint > 0`,
	`INSERT INTO entries (transfer_id, line, account_id, amount)
		SELECT $3::bigint + n, line, CASE line WHEN 0 THEN $1::bigint ELSE 1 END, 100 * (2 * line - 1) FROM generate_series(1, $2::bigint) n, generate_series(0, 1) line`,
	`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, ended_at)
		SELECT $3::bigint + n, $1::bigint, 'dostek', 'dostek', '00207199610017', '', 100, 0, $3::bigint + n, 'c' || $2::bigint || 'x' || n, 'web', 'completed', now() - interval '1 day' * n / 100, now() FROM generate_series(1, $2::bigint) n`,
	`INSERT INTO messages (id, key, phone, text, state, made_at)
		SELECT $3::bigint + n, $3::bigint + n, (SELECT phone FROM customers WHERE id = $1::bigint), 'x', 'delivered', now() - interval '1 day' * n / 100 FROM generate_series(1, $2::bigint) n`,
	`UPDATE accounts SET moves = NULL WHERE id = $1::bigint AND $2::bigint + $3::bigint > 0`,
}

// rowsRead are the rows that the nodes of a plan have read from tables, and the entries that
// they have read from indexes for a bitmap.
func rowsRead(plan map[string]any) (rows float64) {
	number := func(key string) float64 { n, _ := plan[key].(float64); return n }
	if kind, _ := plan["Node Type"].(string); strings.HasSuffix(kind, "Scan") && (plan["Relation Name"] != nil || plan["Index Name"] != nil) {
		rows = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops")
	}
	children, _ := plan["Plans"].([]any)
	for _, child := range children {
		rows += rowsRead(child.(map[string]any))
	}
	return rows
}

// rowsOf returns the rows that a statement reads by its generic plan.
func (app *testApp) rowsOf(connection *sql.Conn, s statement) float64 {
	app.t.Helper()
	exec := func(text string) {
		_, err := connection.ExecContext(context.Background(), text)
		require.NoError(app.t, err)
	}
	exec("PREPARE planned AS " + s.text)
	defer exec("DEALLOCATE planned")
	args, execute := []any{pgx.QueryExecModeSimpleProtocol}, "EXECUTE planned"
	for _, arg := range s.args {
		if _, option := arg.(pgx.QueryResultFormatsByOID); !option {
			execute += fmt.Sprintf("%s$%d", map[bool]string{true: "(", false: ", "}[len(args) == 1], len(args))
			args = append(args, arg)
		}
	}
	if len(args) > 1 {
		execute += ")"
	}
	var text string
	require.NoError(app.t, connection.QueryRowContext(context.Background(), "EXPLAIN (ANALYZE, FORMAT JSON) "+execute, args...).Scan(&text))
	var plans []struct{ Plan map[string]any }
	require.NoError(app.t, json.Unmarshal([]byte(text), &plans))
	return rowsRead(plans[0].Plan)
}

// Neither a page nor a payment reads more rows for a wallet with 20,000 payments than for
// one with 10, among 10,000 wallets with one payment, whether the tables were analyzed with it
// or before.
func TestNothingGrowsWithAWallet(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{"analyzed": "ANALYZE", "analyzed before": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantNoGrowth(t, statement)
		})
	}
}

// wantNoGrowth runs a statement when the tables are filled.
func wantNoGrowth(t *testing.T, filled string) {
	t.Helper()
	sent := &traced{}
	app := newAppWith(t, options{newDB: databasetest.Postgres, trace: sent.add})
	admin := databasetest.Superuser(t, app.DB)
	databasetest.Tamper(t, app.DB, crowd)
	wallets := map[int]customer.Customer{10: app.newCustomer(50_000_00), 20_000: app.newCustomer(50_000_00)}
	for n, c := range wallets {
		ids := app.DB.NewID() - 1<<43 // of half an hour ago
		for _, statement := range inserted {
			_, err := admin.Pool().Exec(statement, c.ID, int64(n), ids)
			require.NoError(t, err)
		}
		_, err := admin.Pool().Exec("UPDATE accounts SET balance = balance - $2 WHERE id = $1", c.ID, n*100)
		require.NoError(t, err)
	}
	databasetest.Tamper(t, app.DB, filled)
	connection := app.freePlanner()
	rows := map[string]map[int]float64{}
	for n, c := range wallets {
		b := app.browserOf(c)
		b.draft(company, "1").press("Оплатить").wantStatus(200) // counts the wallet
		today := history.Day(app.DB.Now())
		year := "from=" + today.AddDate(0, 0, -300).Format("2006-01-02") + "&to=" + today.Format("2006-01-02")
		b.open("/history?" + year).wantStatus(200) // sums up the days
		for name, visit := range map[string]func(){
			"pay":                              func() { b.draft(company, "1").press("Оплатить").wantStatus(200) },
			"/cabinet":                         func() { b.open("/cabinet") },
			"/history":                         func() { b.open("/history").wantStatus(200) },
			"/history?direction":               func() { b.open("/history?direction=out").wantStatus(200) },
			"/history?direction, none":         func() { b.open("/history?direction=in").wantStatus(200) },
			"/history?from":                    func() { b.open("/history?" + year).wantStatus(200) },
			"/history?from, no such operation": func() { b.open("/history?kind=cashin&" + year).wantStatus(200) },
			"/history?from, statement":         func() { b.open("/statement?" + year).wantStatus(200) },
			"/limits":                          func() { b.open("/limits") },
			"/messages":                        func() { b.open("/messages") },
			"/settings/close":                  func() { b.open("/settings/close") },
			"/services":                        func() { b.open("/services") },
			"/history, the page after":         func() { b.open("/history?before=4611686018427387904") },
		} {
			sent.take()
			visit()
			if rows[name] == nil {
				rows[name] = map[int]float64{}
			}
			for _, s := range sent.take() {
				if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(s.text)), "SELECT") {
					rows[name][n] += app.rowsOf(connection, s)
				}
			}
		}
	}
	for name, read := range rows {
		few, many := read[10], read[20_000]
		if few > 1000 {
			t.Errorf("%s reads %.0f rows for 10 payments", name, few)
		}
		t.Logf("%-30s %6.0f rows with 10 payments, %6.0f with 20,000", name, few, many)
		if many > allowed(name, few) {
			t.Errorf("%s reads %.0f rows for 20,000 payments, %.0f for 10", name, many, few)
		}
	}
}

// allowed returns how many rows a page may read for a wallet with many payments.
func allowed(name string, few float64) float64 {
	rows := 2*few + 300 // ten payments don't fill the lists of 20 rows
	// A filter reads the sums of the days and up to 300 operations behind them, and looks
	// at 1,000 entries at most, each with its transfer and what that is about.
	switch {
	case strings.HasPrefix(name, "/history?direction"), strings.HasSuffix(name, "no such operation"):
		rows += 5_000
	case strings.HasPrefix(name, "/history?from"):
		rows += 1_000
	}
	return rows
}
