package database_test

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

func TestUnreachableDatabaseIsUnavailable(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		require.NoError(t, db.Close())
		empty := func(context.Context, *database.Tx) error { return nil }
		var row struct{ ID int64 }
		for name, err := range map[string]error{
			"raw":     db.Gorm(ctx).Raw("SELECT 1").Scan(&row).Error,
			"find":    db.Gorm(ctx).Table("promises").Limit(1).Find(&row).Error,
			"exec":    db.Gorm(ctx).Exec("DELETE FROM promises").Error,
			"tx":      db.InTx(ctx, empty),
			"read tx": db.ReadTx(ctx, empty),
		} {
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A read outside a transaction is not run again if its connection is lost.
func TestLostReadIsUnavailable(t *testing.T) {
	db := databasetest.Postgres(t)
	err := db.Gorm(context.Background()).Exec("SELECT pg_terminate_backend(pg_backend_pid(), 5000)").Error
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("lost connection: %v", err)
	}
	if err := db.Gorm(context.Background()).Exec("SELECT 1/0").Error; fault.Is(err, fault.Unavailable) {
		t.Errorf("wrong statement: %v", err)
	}
}
