package database_test

import (
	"context"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// rowsOfEach inserts a row into each append-only table and returns the tables.
func rowsOfEach(t *testing.T, db *database.DB) []string {
	t.Helper()
	insertSubjects(t, db)
	exec, now := execTo(t, db), db.Now()
	exec("INSERT INTO payment_attempts (id, payment_id, number, started_at) VALUES (1, 7, 1, $1)", now)
	exec("INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, made_at) VALUES (1, 7, 'a', 'refund', 'r', $1)", now)
	exec("INSERT INTO payment_claims (payment_id, reference, made_at) VALUES (7, 'r', $1)", now)
	exec("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES (1, 'k', '', 'test', $1)", now)
	exec("INSERT INTO catalog_versions (version, content, put_at, staff, os_user, origin, restored_from) VALUES (1000, '', $1, '', '', 'seed', 0)", now)
	exec("INSERT INTO signing_starts (id, started_at, origin) VALUES (1, $1, 'new')", now)
	exec(`INSERT INTO drafts (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at)
		VALUES (1, 1, 'dostek', 'dostek', '1', '', 100, 0, '1', 'web', $1, $1)`, now)
	exec(`INSERT INTO wallet_transfer_drafts (id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at)
		VALUES (1, 1, 2, '', '', 100, 'web', $1, $1)`, now)
	return []string{"cash_ins", "wallet_transfers", "settlements", "payment_decisions", "payment_claims", "transfers", "catalog_versions", "payments", "payment_attempts"}
}

// mayChange are the columns of append-only tables that get a value later, once, or only
// schedule deliveries.
var mayChange = map[string]string{
	"payments":         "state ended_at result reference refund_ground asked_at due_at lease leased_until",
	"payment_attempts": "ended_at outcome result reference remark",
	"drafts":           "confirmed_by", "wallet_transfer_drafts": "confirmed_by",
}

// No column of an append-only table can be changed by the owner, and no row deleted.
func TestAppendOnlyTables(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner, ctx := databasetest.Owner(t, db), context.Background()
		refuse := func(statement string) {
			t.Helper()
			if _, err := owner.Pool().ExecContext(ctx, statement); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		for _, table := range append(rowsOfEach(t, owner), "drafts", "wallet_transfer_drafts") {
			for _, column := range columnsOf(t, owner, table) {
				if !strings.Contains(" "+mayChange[table]+" ", " "+column+" ") {
					refuse("UPDATE " + table + " SET " + column + " = " + column)
				}
			}
			if strings.HasSuffix(table, "drafts") {
				continue
			}
			refuse("DELETE FROM " + table)
			if db.Dialect() == database.Postgres {
				refuse("TRUNCATE " + table + " CASCADE")
			}
		}
		if _, err := owner.Pool().ExecContext(ctx, "DELETE FROM drafts"); err != nil {
			t.Error(err)
		}
	})
}

func columnsOf(t *testing.T, db *database.DB, table string) []string {
	t.Helper()
	rows, err := db.Pool().Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	return columns
}

// A payment ends once, and is listed for staff once, before its end.
func TestPaymentChangesOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		rowsOfEach(t, db)
		steps(t, databasetest.Owner(t, db), "payments WHERE id = 7",
			"no identifier = '2'", "no state = 'processing'", "no state = 'unknown'", "no result = 1",
			"yes asked_at = accepted_at", "no asked_at = accepted_at", "no asked_at = NULL",
			"yes state = 'completed', ended_at = accepted_at, result = 0, reference = 'r', refund_ground = ''",
			"no state = 'refunded'", "no state = 'processing'", "no result = 1", "no reference = 'x'", "no ended_at = NULL", "no refund_ground = 'decided'", "no asked_at = accepted_at")
	})
}

// A call to a biller gets its outcome once.
func TestAttemptEndsOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		rowsOfEach(t, db)
		steps(t, databasetest.Owner(t, db), "payment_attempts WHERE payment_id = 7",
			"no number = 2", "no result = 1", "yes outcome = 'good', result = 0, reference = 'r', remark = '', ended_at = started_at",
			"no outcome = 'refused'", "no outcome = NULL", "no result = 1", "no ended_at = NULL")
		signed, one := databasetest.Owner(t, db), "'one'"
		if db.Dialect() == database.SQLite {
			one = "CAST('one' AS BLOB)"
		}
		execTo(t, signed)("INSERT INTO payment_attempts (id, payment_id, number, started_at, mac, key_id) VALUES (2, 7, 2, $1, "+one+", 'k')", db.Now())
		steps(t, signed, "payment_attempts WHERE number = 2",
			"no mac = NULL, key_id = ''", "no outcome = 'refused', mac = NULL, key_id = ''", "no mac = "+one+", key_id = 'b-k'",
			"yes outcome = 'refused', mac = "+one+", key_id = 'k2'", "no mac = "+one+", key_id = 'k'", "no mac = NULL")
		execTo(t, signed)("INSERT INTO payment_attempts (id, payment_id, number, started_at) VALUES (3, 7, 3, $1)", db.Now())
		steps(t, signed, "payment_attempts WHERE number = 3", "no outcome = 'refused', mac = "+one+", key_id = 'k'", "yes outcome = 'refused'")
	})
}

// The signature of a row is added once, and nothing else of it with that.
func TestSignatureIsAddedOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		owner := databasetest.Owner(t, db)
		for _, table := range rowsOfEach(t, db) {
			other := map[string]string{
				"transfers": "act = 'x'", "payments": "amount = 1", "cash_ins": "sum = 1", "wallet_transfers": "amount = 1", "settlements": "amount = 1",
				"payment_decisions": "reason = 'x'", "payment_attempts": "remark = 'x'", "payment_claims": "reference = 'x'", "catalog_versions": "content = 'x'",
			}[table]
			if other == "" {
				continue
			}
			if _, err := owner.Pool().Exec("SELECT mac FROM " + table); err != nil {
				continue
			}
			one := "'one'"
			if db.Dialect() == database.SQLite {
				one = "CAST('one' AS BLOB)"
			}
			steps(t, owner, table, "no key_id = 'b-12345678'", "no mac = NULL", "no mac = "+one+", key_id = '12345678'",
				"no mac = "+one+", key_id = 'b-12345678', "+other, "yes mac = "+one+", key_id = 'b-12345678'",
				"no mac = "+one+", key_id = 'b-12345678'", "no mac = NULL, key_id = ''", "no key_id = ''")
		}
	})
}

// The end of a payment and the outcome of a call fire no trigger's function.
func TestEndsFireNoTrigger(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	rowsOfEach(t, db)
	for _, statement := range []string{
		"UPDATE payments SET state = 'completed', ended_at = accepted_at, result = 0, reference = 'r', refund_ground = '' WHERE id = 7",
		"UPDATE payment_attempts SET outcome = 'good', ended_at = started_at, result = 0, reference = 'r', remark = '', mac = mac, key_id = 'k' WHERE payment_id = 7",
	} {
		var plan []string
		if err := db.Gorm(t.Context()).Raw("EXPLAIN (ANALYZE) " + statement).Scan(&plan).Error; err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); strings.Contains(text, "Trigger") || !strings.Contains(text, "Update on") {
			t.Error(text)
		}
	}
}

// steps runs changes of one table in turn, each of which must pass (yes) or not (no).
func steps(t *testing.T, db *database.DB, table string, changes ...string) {
	t.Helper()
	name, where, _ := strings.Cut(table, " ")
	for _, change := range changes {
		want, set, _ := strings.Cut(change, " ")
		_, err := db.Pool().Exec("UPDATE " + name + " SET " + set + " " + where)
		if (err == nil) != (want == "yes") || (err != nil && !strings.Contains(err.Error(), "append-only")) {
			t.Errorf("%s SET %s: %v, want %s", table, set, err, want)
		}
	}
}
