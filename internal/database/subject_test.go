package database_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// subjectOf maps request keys of transfers to the subjects they must have, with
// the rows of insertSubjects.
var subjectOf = map[string]string{
	"payment:7:accept": "payment 7", "payment:7:end": "payment 7", "payment:8:accept": "payment 8", "cashin:kicb:4:1": "cash_in 9",
	"transfer:7": "wallet_transfer 7", "settle:agent:kicb:R:1": "settlement 10",
	"fill:1": "", "cashin:kicb:4:2": "", "cashin:": "", "settle:agent:kicb:R": "", "settle:agent:kicb": "", "payment:7:check": "", "payment:07:end": "",
	"payment::end": "", "payment:-7:end": "", "payment:9223372036854775808:end": "", "transfer:7:1": "", "transfer:x": "", "": "",
}

func execTo(t *testing.T, db *database.DB) func(statement string, args ...any) {
	return func(statement string, args ...any) {
		t.Helper()
		if _, err := db.Pool().ExecContext(context.Background(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// insertSubjects inserts rows of each kind that transfers are about.
func insertSubjects(t *testing.T, db *database.DB) {
	t.Helper()
	exec, now := execTo(t, db), db.Now()
	for _, id := range []int64{7, 8} {
		exec(insertPayment, id, fmt.Sprint(id), now)
	}
	exec(`INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at) VALUES ('kicb', 'KICB', 'x', '', 1, 1, FALSE, $1)`, now)
	exec(`INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at)
		VALUES (9, 'kicb', '4:1', '20261122080000', 'x', 100, 0, 1, $1)`, now)
	exec(`INSERT INTO wallet_transfers (id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at)
		VALUES (7, 1, 2, '+996700000101', '+996700000102', '', '', 100, 'web', $1)`, now)
	exec(`INSERT INTO settlements (id, kind, party, number, reference, amount, staff, reason, settled_at) VALUES (10, 'agent', 'kicb', 1, 'R:1', 100, 's', '', $1)`, now)
}

const insertPayment = `INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
	VALUES ($1, 1, 'dostek', 'dostek', '1', '', 100, 0, $2, $2, 'web', 'processing', $3)`

// insertTransfers inserts a transfer under each key of subjectOf as the previous
// release does: without a subject.
func insertTransfers(t *testing.T, db *database.DB) {
	t.Helper()
	exec, id := execTo(t, db), 100
	for key := range subjectOf {
		id++
		exec("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES ($1, $2, '', 'test', $3)", id, key, db.Now())
	}
}

func checkSubjects(t *testing.T, db *database.DB) {
	t.Helper()
	for key, subject := range subjectOf {
		if got := readSubject(t, db, key); got != subject {
			t.Errorf("%q: subject %q, want %q", key, got, subject)
		}
	}
}

func readSubject(t *testing.T, db *database.DB, key string) (subject string) {
	t.Helper()
	err := db.Pool().QueryRowContext(context.Background(),
		"SELECT COALESCE(subject_kind || ' ' || CAST(subject_id AS VARCHAR), '') FROM transfers WHERE request_key = $1", key).Scan(&subject)
	if err != nil {
		t.Fatal(err)
	}
	return subject
}

// Transfers that were posted before they had subjects get them from the rows
// that they are about, and stay append-only.
func TestMigrationFillsSubjects(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		db = databasetest.Owner(t, db)
		if err := db.Rollback(ctx, 42); err != nil {
			t.Fatal(err)
		}
		insertSubjects(t, db)
		insertTransfers(t, db)
		execTo(t, db)("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES (1, 'payment:70:accept', '', 'test', $1)", db.Now())
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		checkSubjects(t, db)
		if got := readSubject(t, db, "payment:70:accept"); got != "" {
			t.Errorf("a payment that does not exist: subject %q", got)
		}
		for _, statement := range []string{
			"UPDATE transfers SET subject_id = 8 WHERE request_key = 'payment:7:end'", "UPDATE transfers SET subject_kind = 'x'", "DELETE FROM transfers",
		} {
			if _, err := db.Pool().ExecContext(ctx, statement); err == nil {
				t.Errorf("done: %s", statement)
			}
		}
	})
}

// A serializable transaction that fills a million rows fails as long as others
// post, so the migration is none, whatever the default of the database is.
func TestSubjectsAreFilledAtReadCommitted(t *testing.T) {
	t.Parallel()
	db := databasetest.Owner(t, databasetest.Serializable(t))
	ctx := context.Background()
	if err := db.Rollback(ctx, 42); err != nil {
		t.Fatal(err)
	}
	insertSubjects(t, db)
	insertTransfers(t, db)
	exec := execTo(t, db)
	exec(`CREATE FUNCTION refuse_serializable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF current_setting('transaction_isolation') <> 'read committed' THEN RAISE EXCEPTION 'serializable'; END IF; RETURN NEW; END $$`)
	exec("CREATE TRIGGER a_refuse_serializable BEFORE UPDATE ON transfers FOR EACH ROW EXECUTE FUNCTION refuse_serializable()")
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	checkSubjects(t, db)
}

// Transfers that the previous release posts to this schema get their subjects
// from a trigger, which leaves those of this release as they are.
func TestPreviousReleaseGetsSubjects(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	exec, now := execTo(t, db), db.Now()
	insertSubjects(t, db)
	insertTransfers(t, db)
	checkSubjects(t, db)

	// One statement may insert a payment and its transfer, in either order.
	for id, order := range map[int64]string{21: "WITH a AS (%[1]s) %[2]s", 22: "WITH a AS (%[2]s) %[1]s"} {
		payment := `INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
			SELECT $1::bigint, 1, 'dostek', 'dostek', '1', '', 100, 0, $2::text, $2::text, 'web', 'processing', $3::timestamptz`
		transfer := `INSERT INTO transfers (id, request_key, request_hash, act, posted_at)
			SELECT $1::bigint, 'payment:' || $2::text || ':accept', '', 'test', $3::timestamptz`
		exec(fmt.Sprintf(order, transfer, payment), id, fmt.Sprint(id), now)
		if got, want := readSubject(t, db, fmt.Sprintf("payment:%d:accept", id)), fmt.Sprintf("payment %d", id); got != want {
			t.Errorf("in one statement: subject %q, want %q", got, want)
		}
	}

	exec(`INSERT INTO transfers (id, request_key, request_hash, act, posted_at, subject_kind, subject_id)
		VALUES (23, 'transfer:8', '', 'test', $1, 'payment', 8)`, now)
	if got := readSubject(t, db, "transfer:8"); got != "payment 8" {
		t.Errorf("of this release: subject %q", got)
	}
}

// No transfer that the previous release posts while the schema is migrated is
// left without its subject.
func TestPreviousReleasePostsDuringMigration(t *testing.T) {
	t.Parallel()
	db := databasetest.Owner(t, databasetest.Postgres(t))
	ctx := context.Background()
	if err := db.Rollback(ctx, 42); err != nil {
		t.Fatal(err)
	}
	exec, migrated := execTo(t, db), make(chan struct{})
	var posting sync.WaitGroup
	posted := make([]int64, 3)
	for poster := range posted {
		posting.Go(func() {
			for after := 0; after < 5; { // a few more once the schema is migrated
				id := db.NewID()
				tx, err := db.Pool().BeginTx(ctx, nil)
				if err != nil {
					t.Error(err)
					return
				}
				_, errPayment := tx.Exec(insertPayment, id, fmt.Sprintf("%d-%d", poster, posted[poster]), db.Now())
				_, errTransfer := tx.Exec("INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES ($1, $2, '', 'test', $3)",
					id, fmt.Sprintf("payment:%d:accept", id), db.Now())
				if errCommit := tx.Commit(); errPayment != nil || errTransfer != nil || errCommit != nil {
					t.Error(errPayment, errTransfer, errCommit)
					return
				}
				posted[poster]++
				select {
				case <-migrated:
					after++
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	exec("SELECT pg_sleep(0.2)")
	err := db.Migrate(ctx)
	close(migrated)
	posting.Wait()
	if err != nil {
		t.Fatal(err)
	}
	var total, filled int64
	if err := db.Pool().QueryRowContext(ctx, `SELECT COUNT(*), COUNT(*) FILTER (WHERE subject_kind = 'payment'
		AND request_key = 'payment:' || subject_id || ':accept') FROM transfers`).Scan(&total, &filled); err != nil {
		t.Fatal(err)
	}
	if want := posted[0] + posted[1] + posted[2]; total != want || filled != want || want < 30 {
		t.Errorf("%d posted, %d transfers, %d with their subject", want, total, filled)
	}
}
