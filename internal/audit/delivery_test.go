package audit_test

import (
	"context"
	"strings"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// PostgreSQL finds the delivery of a payment by its key, also with the statistics
// of a quiet day, when nothing is open. By the index of open messages it compared
// each payment with all open ones of its biller, which took minutes for thirty
// thousand.
func TestDeliveriesAreFoundByTheirKeys(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), databasetest.Postgres(t)
	conn, err := databasetest.Superuser(t, db).Pool().Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{
		`INSERT INTO promises (id, lane, key, payload, due_at, state, made_at, ended_at)
			SELECT i, 'biller:dostek', i::text, '', at, 'kept', at, now() FROM generate_series(1, 20000) i, now() at`,
		`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
			SELECT i, 1, 'dostek', 'dostek', '', '', 1, 0, 't' || i, 'c' || i, 'web', 'completed', at FROM generate_series(1, 20000) i, now() at`,
		"ANALYZE",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.QueryContext(ctx, "EXPLAIN "+audit.Queries(database.Postgres)["every processing payment has an open delivery"])
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var step string
		if err := rows.Scan(&step); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, step)
	}
	if said := strings.Join(plan, "\n"); !strings.Contains(said, "promises") || strings.Contains(said, "promises_due") {
		t.Error(said)
	}
}
