package database_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

func openAt(t *testing.T, address string) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestMigrateUpDownUp(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		db = databasetest.Owner(t, db)
		down := func(ctx context.Context) error { return db.Rollback(ctx, 0) }
		for _, step := range []func(context.Context) error{db.CheckSchema, down, db.Migrate, db.CheckSchema} {
			if err := step(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestConcurrentMigrations(t *testing.T) {
	for kind, address := range databasetest.EmptyAddresses(t) {
		t.Run(kind, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 5 {
				db := openAt(t, address)
				wg.Go(func() {
					if err := db.Migrate(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

// A process that waited while others migrated applies no migration again: one that makes a
// table anew would drop the columns and triggers of later ones.
func TestMigrationIsAppliedOnce(t *testing.T) {
	db := databasetest.SQLite(t)
	if _, err := databasetest.Owner(t, db).Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (22, TRUE)"); err == nil {
		t.Error("a version was recorded twice")
	}
}

func TestMigrateRefusesNewerSchema(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		_, err := databasetest.Owner(t, db).Pool().ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(ctx); !errors.Is(err, database.ErrNewer) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestStoredTimeSorts(t *testing.T) {
	base := time.Date(2026, 11, 22, 8, 0, 0, 0, time.FixedZone("Bishkek", 6*3600))
	for _, d := range []time.Duration{0, time.Microsecond, 10 * time.Microsecond, time.Millisecond, time.Second - 1} {
		m := database.StoredTime(base.Add(d))
		if text := m.Format(time.RFC3339Nano); len(text) != len("2026-11-22T02:00:00.000001Z") {
			t.Errorf("%v is stored as %s", d, text)
		}
	}
}

func TestNewIDIsUniqueAndAscending(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	db := databasetest.SQLite(t, database.WithClock(func() time.Time { now = now.Add(-time.Microsecond); return now }))
	last := int64(0)
	for range 100_000 {
		id := db.NewID()
		if id <= last {
			t.Fatalf("%d after %d", id, last)
		}
		last = id
	}
}

func TestInTxRollsBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		insert := func(tx *database.Tx, key string) error {
			return tx.Gorm().Exec("INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) VALUES (?, 'test', ?, '', 'open', ?, ?)",
				tx.NewID(), key, tx.Now(), tx.Now()).Error
		}
		refused := fault.New(fault.Limit, "test", "")
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			if err := insert(tx, "a"); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { _ = insert(tx, "a"); panic("bug") })
		}()
		if err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return insert(tx, "a") }); err != nil {
			t.Fatal(err)
		}
		err = db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return insert(tx, "a") })
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Fatalf("got %v", err)
		}
	})
}

// Many transactions that read and then write the same row must all succeed.
func TestInTxRetries(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		if db.Dialect() == database.Postgres {
			if _, err := databasetest.Owner(t, db).Pool().ExecContext(ctx, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$"); err != nil {
				t.Fatal(err)
			}
			db.Pool().SetMaxIdleConns(0) // old connections keep the old default
			db.Pool().SetMaxIdleConns(database.MaxConnections)
		}
		require.NoError(t, db.Gorm(ctx).Exec("INSERT INTO promises (id, lane, key, payload, state, tries, due_at, made_at) VALUES (1, 'test', 'a', '', 'open', 0, ?, ?)", db.Now(), db.Now()).Error)
		var wg sync.WaitGroup
		for range 2 { // with more, one might exceed its retries
			wg.Go(func() {
				for range 50 {
					err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
						var tries int64
						if err := tx.Gorm().Raw("SELECT tries FROM promises WHERE id = 1").Scan(&tries).Error; err != nil {
							return err
						}
						return tx.Gorm().Exec("UPDATE promises SET tries = ? WHERE id = 1", tries+1).Error
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var tries int64
		require.NoError(t, db.Gorm(ctx).Raw("SELECT tries FROM promises WHERE id = 1").Scan(&tries).Error)
		if tries != 100 {
			t.Errorf("%d of 100 increments", tries)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	ctx := context.Background()
	for _, address := range []string{
		"", "mysql://x", "sqlite:", "postgres://user:secret@127.0.0.1:1/none",
		"sqlite:" + filepath.Join(t.TempDir(), "folder") + "/\x00",
	} {
		db, err := database.Open(ctx, address)
		if err == nil {
			_ = db.Close()
			t.Errorf("%q opened", address)
		}
	}
}
