package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/testkit/require"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// Looking makes nothing: a wrong path has no database afterwards, and what is
// empty stays so, for a restore. Nobody is told to migrate it.
func TestAuditAndBackupCreateNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "var")
	missing := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(folder, "elsom.db")}
	for _, command := range [][]string{{"audit"}, {"backup", filepath.Join(t.TempDir(), "file")}, {"agent", "list"}} {
		told := system.Run(t, missing, command...)
		if told.Code == 0 || !strings.Contains(told.Stderr, "there is no database at "+folder) || strings.Contains(told.Stderr, "first") {
			t.Errorf("%v: %+v", command, told)
		}
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was made")
	}
	address := databasetest.Addresses(t)["postgres"]
	if told := system.Run(t, []string{"ELSOM_DATABASE_URL=" + address}, "audit"); told.Code != 2 || !strings.Contains(told.Stderr, "empty") || strings.Contains(told.Stderr, "first") {
		t.Errorf("an empty PostgreSQL: %+v", told)
	}
	var tables int
	require.NoError(t, databasetest.Reopen(t, address).Pool().QueryRow("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables))
	if tables != 0 {
		t.Errorf("%d tables were made", tables)
	}
}

// An audit that found something ends otherwise than one that could not be made.
func TestAuditExitCodes(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	env := []string{"ELSOM_DATABASE_URL=" + address}
	wants := func(code int, says string) {
		t.Helper()
		if told := system.Run(t, env, "audit"); told.Code != code || !strings.Contains(told.Stdout+told.Stderr, says) {
			t.Errorf("want %d and %q, got %+v", code, says, told)
		}
	}
	wants(2, "no database")
	if told := system.Run(t, env, "migrate"); told.Code != 0 {
		t.Fatal(told.Stderr)
	}
	wants(0, "holds")
	change := func(statement string) {
		t.Helper()
		_, err := databasetest.Reopen(t, address).Pool().Exec(statement)
		require.NoError(t, err)
	}
	change("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (1, 'bank', 'odd', 'KGS', 5, '2026-11-22 08:00:00.000001+00:00')")
	wants(1, "audit: ")
	change("DELETE FROM goose_db_version WHERE version_id > 1")
	wants(2, "run `elsom migrate` first")
}

// PostgreSQL's own tools are named to whom the commands don't serve.
func TestBackupNamesPostgresTools(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"backup", "restore"} {
		file := filepath.Join(t.TempDir(), "file")
		told := system.Run(t, []string{"ELSOM_DATABASE_URL=postgres://elsom:secret@127.0.0.1:1/elsom"}, command, file)
		if told.Code == 0 || strings.Contains(told.Stderr, "secret") {
			t.Errorf("%s: %+v", command, told)
		}
		for _, tool := range []string{"pg_dump", "pg_restore", "WAL"} {
			if !strings.Contains(told.Stderr, tool) {
				t.Errorf("%s doesn't name %s: %s", command, tool, told.Stderr)
			}
		}
		if _, err := os.Lstat(file); err == nil {
			t.Errorf("%s left a file", command)
		}
	}
}
