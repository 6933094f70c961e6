package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// Open with ExistingOnly returns why there is no database and changes nothing.
func TestExistingOnlyCreatesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	foreign, empty := filepath.Join(folder, "foreign.db"), filepath.Join(folder, "empty.db")
	_, err := databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("CREATE TABLE t (a)")
	require.NoError(t, err)
	_, err = databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("VACUUM INTO ?", foreign)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	before := string(read(t, foreign))
	for path, says := range map[string]string{
		foreign:                              "belongs to another program",
		empty:                                empty + " is empty",
		folder:                               folder + " is a folder",
		filepath.Join(folder, "no", "no.db"): "there is no database at " + filepath.Join(folder, "no", "no.db"),
	} {
		_, err := database.Open(context.Background(), "sqlite:"+path, database.ExistingOnly)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if string(read(t, foreign)) != before || len(read(t, empty)) != 0 {
		t.Error("a file was changed")
	}
	if _, err := os.Stat(filepath.Join(folder, "no")); err == nil {
		t.Error("a folder was created")
	}

	address := databasetest.EmptyAddresses(t)["postgres"]
	if _, err := database.Open(context.Background(), address, database.ExistingOnly); !errors.Is(err, database.ErrEmpty) {
		t.Errorf("empty PostgreSQL: %v", err)
	}
	var tables int
	require.NoError(t, databasetest.Reopen(t, address).Pool().QueryRow("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables))
	if tables != 0 {
		t.Errorf("%d tables were created", tables)
	}
}

// A restored database is opened in WAL mode.
func TestExistingOnlyOpensDatabase(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	_, address := migratedSQLite(t)
	file := filepath.Join(t.TempDir(), "backup.db")
	require.NoError(t, database.Backup(ctx, address, file))
	target := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	require.NoError(t, database.Restore(ctx, target, file))
	db := databasetest.Reopen(t, target, database.ExistingOnly)
	require.NoError(t, writePair(db, 1))
	var mode string
	require.NoError(t, db.Pool().QueryRow("PRAGMA journal_mode").Scan(&mode))
	if mode != "wal" {
		t.Errorf("journal_mode is %s", mode)
	}
}

// Only the error of an older schema says to migrate.
func TestCheckSchemaErrors(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		require.NoError(t, db.CheckSchema(ctx))
		owner := databasetest.Owner(t, db)
		change := func(statement string) {
			t.Helper()
			_, err := owner.Pool().Exec(statement)
			require.NoError(t, err)
		}
		change("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)")
		if err := db.CheckSchema(ctx); !errors.Is(err, database.ErrNewer) {
			t.Errorf("newer: %v", err)
		}
		change("DELETE FROM goose_db_version WHERE version_id > 1")
		if err := db.CheckSchema(ctx); !errors.Is(err, database.ErrOlder) {
			t.Errorf("older: %v", err)
		}
		change("DELETE FROM goose_db_version WHERE version_id > 0") // as left by earlier releases
		if err := db.CheckSchema(ctx); !errors.Is(err, database.ErrEmpty) {
			t.Errorf("empty: %v", err)
		}
		require.NoError(t, db.Close())
		if err := db.CheckSchema(ctx); err == nil || strings.Contains(err.Error(), "migrate") || !strings.Contains(err.Error(), "closed") {
			t.Errorf("closed: %v", err)
		}
	})
}

// Tables that hide those of the program are an error, in a schema with the role's name or
// in one of temporary tables.
func TestTablesOfTwoSchemas(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	require.NoError(t, db.CheckOneSchema(t.Context()))
	_, err := databasetest.Superuser(t, db).Pool().ExecContext(t.Context(),
		"CREATE SCHEMA elsom; GRANT USAGE ON SCHEMA elsom TO elsom; CREATE TABLE elsom.unsigned_allowed (id INT)")
	require.NoError(t, err)
	const want = "elsom (unsigned_allowed)"
	if err := db.CheckOneSchema(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a schema of the role's name: %v", err)
	}
	require.NoError(t, databasetest.Owner(t, db).CheckOneSchema(t.Context())) // searches no schema elsom
	var name string
	require.NoError(t, db.Pool().QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	server, err := databasetest.Server()
	require.NoError(t, err)
	if _, err := database.Open(t.Context(), server.ServingAddress(name), database.ExistingOnly); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a command opens it: %v", err)
	}
}
