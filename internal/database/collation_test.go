package database_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/migrations"
)

// textColumn is a text column that is in an index.
type textColumn struct{ Table, Name, Type, Collation string }

func textsInIndexes(t *testing.T, db *database.DB) []textColumn {
	t.Helper()
	return scan[textColumn](t, db, `SELECT DISTINCT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, l.collname AS collation
		FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (x.indkey::int2[])
		JOIN pg_collation l ON l.oid = a.attcollation WHERE c.relnamespace = 'public'::regnamespace`)
}

// Every text in an index compares by its bytes: an index in an order of the operating
// system's may be broken by the next upgrade of the system.
func TestKeysCompareByBytes(t *testing.T) {
	t.Parallel()
	keysCompareByBytes(t, databasetest.Postgres(t))
}

func keysCompareByBytes(t *testing.T, db *database.DB) {
	t.Helper()
	all := textsInIndexes(t, db)
	for _, c := range all {
		if c.Collation != "C" {
			t.Errorf("%s of %s needs COLLATE \"C\"", c.Name, c.Table)
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d columns read", len(all))
	}
}

// Books whose keys are in another order get the order of bytes while they are written and
// after an interruption; indexes, keys, triggers and rights are as before.
func TestKeysChangeWhileServing(t *testing.T) {
	t.Parallel()
	serving := databasetest.Postgres(t)
	db := databasetest.Owner(t, serving)
	exec := execTo(t, db)
	insertSubjects(t, db)
	const parts = `SELECT pg_get_indexdef(indexrelid, 0, TRUE) AS part FROM pg_index WHERE indisvalid AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
		UNION ALL SELECT conname || pg_get_constraintdef(oid, TRUE) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'c'
		UNION ALL SELECT pg_get_triggerdef(oid, TRUE) FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT relname || relacl::text FROM pg_class WHERE relacl IS NOT NULL AND relnamespace = 'public'::regnamespace ORDER BY part`
	before := scan[string](t, db, parts)
	changed := 0
	for _, c := range textsInIndexes(t, db) {
		switch c.Table {
		case "transfers", "promises", "messages", "cash_ins", "sessions", "familiar_addresses": // neither views nor triggers name their columns
			changed++
			exec(fmt.Sprintf(`ALTER TABLE %s ALTER COLUMN %s TYPE %s COLLATE "default"`, c.Table, c.Name, c.Type))
		}
	}
	exec(`CREATE UNIQUE INDEX bytes_transfers_request_key_key ON transfers (request_key COLLATE "C")`) // of an interrupted run

	stop, rounds := writeKeys(t, serving)
	for range 2 { // the second time nothing is left to do
		waitFor(rounds, 10)
		changeKeys(t, db)
	}
	waitFor(rounds, 10)
	stop()
	keysCompareByBytes(t, db)
	for _, part := range scan[string](t, db, parts) {
		if !slices.Contains(before, part) {
			t.Errorf("%s is new", part)
		}
		before = slices.DeleteFunc(before, func(b string) bool { return b == part })
	}
	if len(before) > 0 {
		t.Errorf("missing: %s", before)
	}
	if changed < 10 {
		t.Errorf("only %d columns were changed", changed)
	}
}

// writeKeys writes transfers and cash-ins until it is stopped; none may fail. It counts
// its transactions.
func writeKeys(t *testing.T, db *database.DB) (stop func(), rounds *atomic.Int64) {
	ctx, cancel := context.WithCancel(context.Background())
	rounds = new(atomic.Int64)
	var writers sync.WaitGroup
	for worker := range 2 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
					key := fmt.Sprintf("%d:%d", worker, i)
					for _, insert := range []string{
						"INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES (?, ?, '', 'test', ?)",
						`INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at)
							VALUES (?, 'kicb', ?, '20261122080000', 'x', 100, 0, 1, ?)`,
					} {
						if err := tx.Gorm().Exec(insert, tx.NewID(), key, tx.Now()).Error; err != nil {
							return err
						}
					}
					var found string
					return tx.Gorm().Raw("SELECT request_key FROM transfers WHERE request_key = ?", key).Scan(&found).Error
				})
				if err != nil {
					t.Error(err)
				}
				rounds.Add(1)
			}
		})
	}
	return func() { cancel(); writers.Wait() }, rounds
}

func waitFor(rounds *atomic.Int64, more int64) {
	for until := rounds.Load() + more; rounds.Load() < until; time.Sleep(time.Millisecond) {
	}
}

// changeKeys applies the migration, whatever the version of the schema.
func changeKeys(t *testing.T, owner *database.DB) {
	t.Helper()
	const name, versions = "00132_keys_by_bytes.postgres.sql", "goose_again"
	content, err := fs.ReadFile(migrations.For("postgres"), name)
	require.NoError(t, err)
	provider, err := goose.NewProvider(goose.DialectPostgres, owner.Pool(), fstest.MapFS{name: {Data: content}},
		goose.WithTableName(versions), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = provider.Up(context.Background())
	require.NoError(t, err)
	execTo(t, owner)("DROP TABLE " + versions)
}
