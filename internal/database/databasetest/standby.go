package databasetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"elsom/internal/database"
)

// DedicatedPostgres returns a migrated database on a server of its own, so that
// SetSynchronousStandbys affects no other test.
func DedicatedPostgres(t testing.TB) (*database.DB, *PostgresServer) {
	t.Helper()
	server, err := StartPostgres("-c", "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if err := server.Prepare("postgres"); err != nil {
		t.Fatal(err)
	}
	db := Reopen(t, server.ServingAddress("postgres"))
	t.Cleanup(func() { _ = server.SetSynchronousStandbys("") }) // otherwise Close might block forever
	return db, server
}

// CancelCommitWaits cancels the waits of commits for standbys until the test ends, as an
// operator may do with pg_cancel_backend.
func (s *PostgresServer) CancelCommitWaits(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	conn, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			// It writes no row and so waits for no standby itself.
			_, _ = conn.Exec(ctx, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'elsom'")
			time.Sleep(50 * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = conn.Close(context.Background())
	})
}

// SetSynchronousStandbys sets synchronous_standby_names and returns when it is in effect:
// "" for none, or an unused name for a standby that is down.
func (s *PostgresServer) SetSynchronousStandbys(standbys string) error {
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standbys + "'", "SELECT pg_reload_conf()"} {
		if err := s.exec(statement); err != nil {
			return err
		}
	}
	for range 100 {
		waits, err := s.commitWaits()
		if err != nil || waits == (standbys != "") {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("synchronous_standby_names = %q has no effect", standbys)
}

// commitWaits reports whether a commit takes longer than 500 ms.
func (s *PostgresServer) commitWaits() (waits bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.Address("postgres"))
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()
	short, end := context.WithTimeout(ctx, 500*time.Millisecond)
	defer end()
	_, err = conn.Exec(short, "SELECT pg_logical_emit_message(true, 'test', '')")
	if errors.Is(err, context.DeadlineExceeded) {
		return true, nil
	}
	return false, err
}

// Set changes a setting of the running server. Sessions use it from their next statement
// on.
func (s *PostgresServer) Set(name, value string) error {
	if err := s.exec("ALTER SYSTEM SET " + name + " = '" + value + "'"); err != nil {
		return err
	}
	return s.exec("SELECT pg_reload_conf()")
}

// Exec runs a statement in a database of the server as its superuser.
func (s *PostgresServer) Exec(name, statement string) error {
	db, err := sql.Open("pgx", s.Address(name))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}
