package database_test

import (
	"context"
	"fmt"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// Transfers that were posted before they had subjects get them from the rows
// that they are about, and stay append-only.
func TestMigrationFillsSubjects(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		if err := db.Rollback(ctx, 42); err != nil {
			t.Fatal(err)
		}
		exec := func(statement string, args ...any) error {
			_, err := db.Pool().ExecContext(ctx, statement, args...)
			return err
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		now := db.Now()
		for _, id := range []int64{7, 8} {
			must(exec(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
				VALUES ($1, 1, 'dostek', 'dostek', '1', '', 100, 0, $2, $2, 'web', 'processing', $3)`, id, fmt.Sprint(id), now))
		}
		must(exec(`INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at) VALUES ('kicb', 'KICB', 'x', '', 1, 1, FALSE, $1)`, now))
		must(exec(`INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at)
			VALUES (9, 'kicb', '4:1', '20261122080000', 'x', 100, 0, 1, $1)`, now))
		must(exec(`INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at)
			VALUES (7, 1, 2, '+996700000101', '+996700000102', '', '', 100, 'web', $1)`, now))
		must(exec(`INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at) VALUES (10, 'agent', 'kicb', 1, 'R:1', 100, 's', '', $1)`, now))
		want := map[string]string{
			"payment:7:accept": "payment 7", "payment:7:end": "payment 7", "payment:8:accept": "payment 8", "cashin:kicb:4:1": "cash_in 9",
			"transfer:7": "wallet_transfer 7", "settle:agent:kicb:R:1": "settlement 10", "payment:70:accept": "", "fill:1": "",
		}
		id := 100
		for key := range want {
			id++
			must(exec("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES ($1, $2, '', 'test', $3)", id, key, now))
		}
		must(db.Migrate(ctx))
		for key, subject := range want {
			var got string
			must(db.Pool().QueryRowContext(ctx, "SELECT COALESCE(subject_kind || ' ' || CAST(subject_id AS VARCHAR), '') FROM transfers WHERE request_key = $1", key).Scan(&got))
			if got != subject {
				t.Errorf("%s: subject %q, want %q", key, got, subject)
			}
		}
		for _, statement := range []string{
			"UPDATE transfers SET subject_id = 8 WHERE request_key = 'payment:7:end'", "UPDATE transfers SET subject_kind = 'x'", "DELETE FROM transfers",
		} {
			if exec(statement) == nil {
				t.Errorf("done: %s", statement)
			}
		}
	})
}
