package database_test

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// Only the transactions of InTx have temporary storage in memory on SQLite: others sort
// whole tables.
func TestTemporaryStorage(t *testing.T) {
	ctx, db := context.Background(), databasetest.SQLite(t)
	db.Pool().SetMaxOpenConns(1)
	const memory = 2
	stored := func(tx *database.Tx) (got int) {
		t.Helper()
		require.NoError(t, tx.Gorm().Raw("PRAGMA temp_store").Scan(&got).Error)
		return got
	}
	for range 2 {
		require.NoError(t, db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			if got := stored(tx); got != memory {
				t.Errorf("temp_store is %d in InTx", got)
			}
			return nil
		}))
		require.NoError(t, db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
			if got := stored(tx); got == memory {
				t.Error("temp_store is memory in ReadTx")
			}
			return nil
		}))
	}
}
