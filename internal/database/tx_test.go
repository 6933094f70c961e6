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
)

func makePromise(tx *database.Tx, key string) error {
	return tx.Gorm().Exec("INSERT INTO promises (id, lane, key, payload, state, due_at, made_at) VALUES (?, 'test', ?, '', 'open', ?, ?)",
		tx.NewID(), key, tx.Now(), tx.Now()).Error
}

func countPromises(tx *database.Tx) (n int, err error) {
	err = tx.Gorm().Raw("SELECT COUNT(*) FROM promises").Scan(&n).Error
	return n, err
}

// A reader sees one moment, writers go on beside it, and it can't write.
func TestReadTx(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		err := db.ReadTx(ctx, func(ctx context.Context, reading *database.Tx) error {
			before, err := countPromises(reading)
			must(t, err)
			// The writer doesn't wait for the reader.
			soon, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			must(t, db.InTx(soon, func(_ context.Context, tx *database.Tx) error { return makePromise(tx, "a") }))
			after, err := countPromises(reading)
			must(t, err)
			if before != 0 || after != 0 {
				t.Errorf("saw %d, then %d: not one moment", before, after)
			}
			if makePromise(reading, "b") == nil {
				t.Error("a reader wrote")
			}
			return nil
		})
		must(t, err)
		must(t, db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return makePromise(tx, "c") }))
		must(t, db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
			if n, err := countPromises(tx); err != nil || n != 2 {
				t.Errorf("%d promises (%v), want a and c", n, err)
			}
			return nil
		}))
	})
}

// Many readers beside many writers: none of them keeps another out.
func TestReadTxBesideWriters(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				for i := range 10 {
					if err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
						return makePromise(tx, string(rune('a'+n))+string(rune('a'+i)))
					}); err != nil {
						t.Error(err)
					}
				}
			})
			wg.Go(func() {
				for range 10 {
					if err := db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
						first, err := countPromises(tx)
						if second, _ := countPromises(tx); second != first {
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

// An act that goes on after a failed statement must not pass for one whose
// outcome nobody knows: PostgreSQL has rolled it back, and says so.
func TestSwallowedErrorIsNotUnknown(t *testing.T) {
	db := databasetest.Postgres(t)
	err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		_ = tx.Gorm().Exec("SELECT 1/0").Error
		return nil
	})
	if err == nil || fault.Is(err, fault.Unknown) {
		t.Fatalf("got %v", err)
	}
}

// A connection that is cut while a transaction runs: it is run again, once.
func TestLostConnectionIsRetried(t *testing.T) {
	db := databasetest.Postgres(t)
	ctx := context.Background()
	runs := 0
	err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		runs++
		if err := makePromise(tx, "a"); err != nil {
			return err
		}
		if runs > 1 {
			return nil
		}
		var pid int
		must(t, tx.Gorm().Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
		must(t, db.Gorm(ctx).Exec("SELECT pg_terminate_backend(?, 5000)", pid).Error)
		return tx.Gorm().Exec("SELECT 1").Error
	})
	if err != nil || runs != 2 {
		t.Fatalf("%d runs, %v", runs, err)
	}
}

// Cut just before COMMIT is sent: whether it was done can't be told.
func TestLostCommitIsUnknown(t *testing.T) {
	db := databasetest.Postgres(t)
	ctx := context.Background()
	err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		var pid int
		must(t, tx.Gorm().Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
		must(t, db.Gorm(ctx).Exec("SELECT pg_terminate_backend(?, 5000)", pid).Error)
		return nil
	})
	if !fault.Is(err, fault.Unknown) {
		t.Fatalf("got %v", err)
	}
}

func TestEndedContextEndsInTx(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := db.InTx(ctx, func(context.Context, *database.Tx) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}
