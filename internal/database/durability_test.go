package database_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

const nobody = "nobody" // a standby that is away

// A caller that gives up does not cancel its commit: PostgreSQL would cut its
// wait for the standbys short and show the rows, which a failover then loses.
func TestCommitOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	must(t, server.SetSynchronousStandbys(nobody))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		result <- db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return makePromise(tx, "a") })
	}()
	select {
	case err := <-result:
		if !fault.Is(err, fault.Unknown) {
			t.Errorf("a commit that waits: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the caller waits for the standby longer than its context allows")
	}
	if n := promises(t, db); n != 0 {
		t.Errorf("%d rows of a commit that still waits can be read", n)
	}
	eventually(t, "a database whose commits wait is called unhealthy", func() bool { return db.CheckReady(t.Context()) != nil })
	must(t, server.SetSynchronousStandbys(""))
	eventually(t, "the commit ends", func() bool { return promises(t, db) == 1 && !db.HasDetachedCommits() })
	must(t, db.CheckReady(t.Context()))
}

// A caller that leaves amid a short commit, as any client can by hanging up, does
// not make the database unhealthy: a stranger would take every portal out of its
// load balancer.
func TestShortDetachedCommitIsHealthy(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	for _, statement := range []string{
		"CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$",
		"CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON promises DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()",
	} {
		must(t, db.Gorm(t.Context()).Exec(statement).Error)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan error, 1)
	go func() {
		told <- db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return makePromise(tx, "a") })
	}()
	eventually(t, "the commit is in progress", func() bool {
		var n int
		must(t, db.Gorm(t.Context()).Raw("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'").Scan(&n).Error)
		return n > 0
	})
	cancel()
	if err := <-told; !fault.Is(err, fault.Unknown) {
		t.Fatalf("the caller did not leave amid its commit: %v", err)
	}
	eventually(t, "the commit ends", func() bool {
		if err := db.CheckReady(t.Context()); err != nil {
			t.Fatalf("unhealthy: %v", err)
		}
		return !db.HasDetachedCommits()
	})
}

// Commits whose callers left take only a part of the connections: pages can
// still be read.
func TestDetachedCommitsLeaveConnectionsForReaders(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	must(t, server.SetSynchronousStandbys(nobody))
	for i := range database.MaxConnections {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // time to reach the commit
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return makePromise(tx, string(rune('a'+i))) })
		cancel()
		if err == nil {
			t.Fatal("a commit did not wait")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var n int
	if err := db.Gorm(ctx).Raw("SELECT COUNT(*) FROM promises").Scan(&n).Error; err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	must(t, server.SetSynchronousStandbys(""))
	eventually(t, "the commits end", func() bool { return !db.HasDetachedCommits() })
	must(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return makePromise(tx, "z") }))
}

// A commit whose wait was cancelled comes as a success with a warning. It is
// unknown, and what it left is confirmed only by a commit that waits.
func TestCancelledWaitIsUnknown(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	must(t, server.SetSynchronousStandbys(nobody))
	insert := func(_ context.Context, tx *database.Tx) error { return makePromise(tx, "a") }
	if err := db.InTx(t.Context(), insert); !fault.Is(err, fault.Unknown) {
		t.Errorf("in a transaction: %v", err)
	}
	if err := db.Gorm(t.Context()).Exec("UPDATE promises SET tries = 1").Error; !fault.Is(err, fault.Unknown) {
		t.Errorf("a statement by itself: %v", err)
	}
	if n := promises(t, db); n != 1 {
		t.Fatalf("%d rows", n)
	}
	empty := func(context.Context, *database.Tx) error { return nil }
	must(t, db.InTx(t.Context(), empty)) // which proves nothing
	for range 2 {
		if err := db.WaitDurable(t.Context(), "a"); !fault.Is(err, fault.Unknown) {
			t.Errorf("confirmed without a standby: %v", err)
		}
	}
	must(t, server.SetSynchronousStandbys(""))
	must(t, db.WaitDurable(t.Context(), "a"))
	must(t, server.SetSynchronousStandbys(nobody))
	must(t, db.WaitDurable(t.Context(), "a")) // once is enough
}

func promises(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	must(t, db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM promises").Scan(&n).Error)
	return n
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1000 {
		if holds() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("in vain: " + what)
}
