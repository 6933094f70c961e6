package database_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

func insertMessage(tx *database.Tx, key string) error {
	return tx.Gorm().Exec("INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) VALUES (?, 'test', ?, '', 'open', ?, ?)",
		tx.NewID(), key, tx.Now(), tx.Now()).Error
}

func countMessages(tx *database.Tx) (n int, err error) {
	err = tx.Gorm().Raw("SELECT COUNT(*) FROM promises").Scan(&n).Error
	return n, err
}

// A read transaction sees one snapshot, does not block writers and can't write.
func TestReadTx(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		err := db.ReadTx(ctx, func(ctx context.Context, reading *database.Tx) error {
			before, err := countMessages(reading)
			require.NoError(t, err)
			soon, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			require.NoError(t, db.InTx(soon, func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, "a") }))
			after, err := countMessages(reading)
			require.NoError(t, err)
			if before != 0 || after != 0 {
				t.Errorf("saw %d, then %d: not one snapshot", before, after)
			}
			if insertMessage(reading, "b") == nil {
				t.Error("a read transaction wrote")
			}
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, "c") }))
		require.NoError(t, db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
			if n, err := countMessages(tx); err != nil || n != 2 {
				t.Errorf("%d rows (%v), want a and c", n, err)
			}
			return nil
		}))
	})
}

func TestConcurrentReadersAndWriters(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				for i := range 10 {
					if err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
						return insertMessage(tx, string(rune('a'+n))+string(rune('a'+i)))
					}); err != nil {
						t.Error(err)
					}
				}
			})
			wg.Go(func() {
				for range 10 {
					if err := db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
						first, err := countMessages(tx)
						if second, _ := countMessages(tx); second != first {
							t.Errorf("%d, then %d", first, second)
						}
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// If a function ignores the error of a statement, PostgreSQL rolls the transaction back
// at COMMIT and reports that, so the outcome is known.
func TestIgnoredErrorIsNotUnknown(t *testing.T) {
	db := databasetest.Postgres(t)
	err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		_ = tx.Gorm().Exec("SELECT 1/0").Error
		return nil
	})
	if err == nil || fault.Is(err, fault.Unknown) {
		t.Fatalf("got %v", err)
	}
}

// A transaction whose connection is lost before COMMIT is run again.
func TestLostConnectionIsRetried(t *testing.T) {
	db := databasetest.Postgres(t)
	ctx := context.Background()
	runs := 0
	err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		runs++
		if err := insertMessage(tx, "a"); err != nil {
			return err
		}
		if runs > 1 {
			return nil
		}
		var pid int
		require.NoError(t, tx.Gorm().Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
		require.NoError(t, db.Gorm(ctx).Exec("SELECT pg_terminate_backend(?, 5000)", pid).Error)
		return tx.Gorm().Exec("SELECT 1").Error
	})
	if err != nil || runs != 2 {
		t.Fatalf("%d runs, %v", runs, err)
	}
}

// If the connection is lost while COMMIT is sent, its outcome is unknown.
func TestLostCommitIsUnknown(t *testing.T) {
	db := databasetest.Postgres(t)
	ctx := context.Background()
	err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		var pid int
		require.NoError(t, tx.Gorm().Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
		require.NoError(t, db.Gorm(ctx).Exec("SELECT pg_terminate_backend(?, 5000)", pid).Error)
		return nil
	})
	if !fault.Is(err, fault.Unknown) {
		t.Fatalf("got %v", err)
	}
}

func TestInTxReturnsContextError(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := db.InTx(ctx, func(context.Context, *database.Tx) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}
