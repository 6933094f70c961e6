package database_test

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// A program that falls silent amid a transaction, as one whose machine is
// lost, holds up nobody for long; should it wake, it begins anew.
func TestAbandonedTransaction(t *testing.T) {
	address := databasetest.Addresses(t)["postgres"]
	db := databasetest.Reopen(t, address+"&idle_in_transaction_session_timeout=300ms")
	ctx := context.Background()
	must(t, db.Gorm(ctx).Exec("CREATE TABLE counts (n BIGINT NOT NULL)").Error)
	must(t, db.Gorm(ctx).Exec("INSERT INTO counts VALUES (0)").Error)
	add := func(n int) func(context.Context, *database.Tx) error {
		return func(_ context.Context, tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE counts SET n = n + ?", n).Error
		}
	}
	locked, awake, ended := make(chan struct{}, 8), make(chan struct{}), make(chan error)
	go func() {
		ended <- db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			if err := add(1)(ctx, tx); err != nil {
				return err
			}
			locked <- struct{}{}
			<-awake
			return tx.Gorm().Exec("SELECT 1").Error
		})
	}()
	<-locked
	must(t, db.InTx(ctx, add(10)))
	close(awake)
	must(t, <-ended)
	var n int
	must(t, db.Gorm(ctx).Raw("SELECT n FROM counts").Scan(&n).Error)
	if n != 11 {
		t.Errorf("%d, not once each", n)
	}
}

// Ten seconds, unless the address says otherwise; who reads for long may think.
func TestAbandonedAfterTenSeconds(t *testing.T) {
	db := databasetest.Postgres(t)
	ctx := context.Background()
	asked := func(tx *database.Tx) (value string) {
		must(t, tx.Gorm().Raw("SHOW idle_in_transaction_session_timeout").Scan(&value).Error)
		return value
	}
	must(t, db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if got := asked(tx); got != "10s" {
			t.Errorf("writing: %s", got)
		}
		return nil
	}))
	must(t, db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if got := asked(tx); got != "0" {
			t.Errorf("reading: %s", got)
		}
		return nil
	}))
}
