package database_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

const missing = "missing" // a standby that is down

// A caller that stops waiting does not cancel its commit: PostgreSQL would end the wait
// for the standbys and show the rows, which a failover then loses.
func TestCommitOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	require.NoError(t, server.SetSynchronousStandbys(missing))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		result <- db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, "a") })
	}()
	select {
	case err := <-result:
		if !fault.Is(err, fault.Unknown) {
			t.Errorf("error while the commit waits: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the caller waits for the standby longer than its context allows")
	}
	if n := messageCount(t, db); n != 0 {
		t.Errorf("%d rows are visible before the commit ends", n)
	}
	require.Eventually(t, "the database is unhealthy while commits wait", func() bool { return db.CheckReady(t.Context()) != nil })
	require.NoError(t, server.SetSynchronousStandbys(""))
	require.Eventually(t, "the commit ends", func() bool { return messageCount(t, db) == 1 && !db.HasDetachedCommits() })
	require.NoError(t, db.CheckReady(t.Context()))
}

// A client that disconnects during a short commit does not make the database unhealthy:
// otherwise any client could make load balancers drop all portals.
func TestShortDetachedCommitIsHealthy(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	for _, statement := range []string{
		"CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$",
		"CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON promises DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow_commit()",
	} {
		require.NoError(t, databasetest.Owner(t, db).Gorm(t.Context()).Exec(statement).Error)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	go func() {
		result <- db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, "a") })
	}()
	require.Eventually(t, "the commit is in progress", func() bool {
		var n int
		require.NoError(t, db.Gorm(t.Context()).Raw("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'").Scan(&n).Error)
		return n > 0
	})
	cancel()
	if err := <-result; !fault.Is(err, fault.Unknown) {
		t.Fatalf("the caller did not stop waiting during its commit: %v", err)
	}
	require.Eventually(t, "the commit ends", func() bool {
		if err := db.CheckReady(t.Context()); err != nil {
			t.Fatalf("unhealthy: %v", err)
		}
		return !db.HasDetachedCommits()
	})
}

// Commits whose callers stopped waiting hold only a part of the connections, so that
// pages can still be read.
func TestDetachedCommitsLeaveConnectionsForReaders(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	require.NoError(t, server.SetSynchronousStandbys(missing))
	for i := range database.MaxConnections {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // time to reach the commit
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, string(rune('a'+i))) })
		cancel()
		if err == nil {
			t.Fatal("a commit succeeded without a standby")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var n int
	if err := db.Gorm(ctx).Raw("SELECT COUNT(*) FROM promises").Scan(&n).Error; err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	require.Eventually(t, "the commits end", func() bool { return !db.HasDetachedCommits() })
	require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, "z") }))
}

// Other warnings leave a commit certain, such as those of an extension or a trigger.
func TestOtherWarningIsNoCanceledWait(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	const warn = "DO $$ BEGIN RAISE WARNING 'a warning of code 01000'; END $$"
	require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		require.NoError(t, tx.Gorm().Exec(warn).Error)
		return insertMessage(tx, "a")
	}))
	require.NoError(t, db.Gorm(t.Context()).Exec(warn).Error)
	if n := messageCount(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// PostgreSQL reports a commit whose wait was canceled as a success with a warning. Its
// outcome is unknown until a later commit has waited for the standbys.
func TestCanceledWaitIsUnknown(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	require.NoError(t, server.SetSynchronousStandbys(missing))
	insert := func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, "a") }
	if err := db.InTx(t.Context(), insert); !fault.Is(err, fault.Unknown) {
		t.Errorf("in a transaction: %v", err)
	}
	if err := db.Gorm(t.Context()).Exec("UPDATE promises SET tries = 1").Error; !fault.Is(err, fault.Unknown) {
		t.Errorf("single statement: %v", err)
	}
	if n := messageCount(t, db); n != 1 {
		t.Fatalf("%d rows", n)
	}
	empty := func(context.Context, *database.Tx) error { return nil }
	require.NoError(t, db.InTx(t.Context(), empty)) // a commit without rows does not wait
	for range 2 {
		if err := db.WaitDurable(t.Context(), "a"); !fault.Is(err, fault.Unknown) {
			t.Errorf("durable without a standby: %v", err)
		}
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	require.NoError(t, db.WaitDurable(t.Context(), "a"))
	require.NoError(t, server.SetSynchronousStandbys(missing))
	require.NoError(t, db.WaitDurable(t.Context(), "a")) // known from before
}

func messageCount(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	require.NoError(t, db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM promises").Scan(&n).Error)
	return n
}
