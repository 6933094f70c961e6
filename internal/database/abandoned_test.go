package database_test

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// A client that is silent inside a transaction, such as one whose machine is lost,
// blocks others only until the timeout. If it continues, its transaction is run again.
func TestAbandonedTransaction(t *testing.T) {
	address := databasetest.EmptyAddresses(t)["postgres"]
	db := databasetest.Reopen(t, address+"&idle_in_transaction_session_timeout=300ms")
	ctx := context.Background()
	require.NoError(t, db.Gorm(ctx).Exec("CREATE TABLE counts (n BIGINT NOT NULL)").Error)
	require.NoError(t, db.Gorm(ctx).Exec("INSERT INTO counts VALUES (0)").Error)
	add := func(n int) func(context.Context, *database.Tx) error {
		return func(_ context.Context, tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE counts SET n = n + ?", n).Error
		}
	}
	locked, resume, result := make(chan struct{}, 8), make(chan struct{}), make(chan error)
	go func() {
		result <- db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			if err := add(1)(ctx, tx); err != nil {
				return err
			}
			locked <- struct{}{}
			<-resume
			return tx.Gorm().Exec("SELECT 1").Error
		})
	}()
	<-locked
	require.NoError(t, db.InTx(ctx, add(10)))
	close(resume)
	require.NoError(t, <-result)
	var n int
	require.NoError(t, db.Gorm(ctx).Raw("SELECT n FROM counts").Scan(&n).Error)
	if n != 11 {
		t.Errorf("%d, want 11", n)
	}
}

// Read transactions have no timeout: they may be idle for long.
func TestAbandonedAfterTenSeconds(t *testing.T) {
	db := databasetest.Postgres(t)
	ctx := context.Background()
	timeout := func(tx *database.Tx) (value string) {
		require.NoError(t, tx.Gorm().Raw("SHOW idle_in_transaction_session_timeout").Scan(&value).Error)
		return value
	}
	require.NoError(t, db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if got := timeout(tx); got != "10s" {
			t.Errorf("write transaction: %s", got)
		}
		return nil
	}))
	require.NoError(t, db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if got := timeout(tx); got != "0" {
			t.Errorf("read transaction: %s", got)
		}
		return nil
	}))
}
