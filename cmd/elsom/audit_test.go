package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/checkpoint"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// audit, backup and list create no database at a wrong path, and leave an empty one
// empty, for a restore. The error does not suggest to migrate it.
func TestAuditAndBackupCreateNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "var")
	missing := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(folder, "elsom.db")}
	for _, command := range [][]string{{"audit"}, {"backup", filepath.Join(t.TempDir(), "file")}, {"agent", "list"}} {
		out := system.Run(t, missing, command...)
		if out.Code == 0 || !strings.Contains(out.Stderr, "there is no database at "+folder) || strings.Contains(out.Stderr, "first") {
			t.Errorf("%v: %+v", command, out)
		}
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was made")
	}
	address := databasetest.EmptyAddresses(t)["postgres"]
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + address}, "audit"); out.Code != 2 || !strings.Contains(out.Stderr, "empty") || strings.Contains(out.Stderr, "first") {
		t.Errorf("an empty PostgreSQL: %+v", out)
	}
	var tables int
	require.NoError(t, databasetest.Reopen(t, address).Pool().QueryRow("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables))
	if tables != 0 {
		t.Errorf("%d tables were made", tables)
	}
}

// An audit with violations has another exit code than one that could not be made.
func TestAuditExitCodes(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	env := []string{"ELSOM_DATABASE_URL=" + address}
	wants := func(code int, says string) {
		t.Helper()
		if out := system.Run(t, env, "audit"); out.Code != code || !strings.Contains(out.Stdout+out.Stderr, says) {
			t.Errorf("want %d and %q, got %+v", code, says, out)
		}
	}
	wants(2, "no database")
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	wants(0, "holds")
	wants(0, "not checked: ELSOM_CHECKPOINT_KEY is not set")
	_, public, err := checkpoint.NewKey("wallet.example.kg")
	require.NoError(t, err)
	junk := filepath.Join(t.TempDir(), "junk")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for code, args := range map[int][]string{80: {"audit", "--key", public}, 2: {"audit", "--compare-head", junk, "--key", public}} {
		if out := system.Run(t, env, args...); out.Code != code || code == 2 && !strings.Contains(out.Stderr, "is not a checkpoint") {
			t.Errorf("%q: want %d, got %+v", args, code, out)
		}
	}
	change := func(statement string) {
		t.Helper()
		_, err := databasetest.Reopen(t, databasetest.OwnerAddress(address)).Pool().Exec(statement)
		require.NoError(t, err)
	}
	change("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (1, 'bank', 'odd', 'KGS', 5, '2026-11-22 08:00:00.000001+00:00')")
	wants(1, "audit: ")
	change("DELETE FROM goose_db_version WHERE version_id > 1")
	wants(2, "run `elsom migrate` first")
}

// On PostgreSQL the commands name PostgreSQL's own tools.
func TestBackupNamesPostgresTools(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"backup", "restore"} {
		file := filepath.Join(t.TempDir(), "file")
		out := system.Run(t, []string{"ELSOM_DATABASE_URL=postgres://elsom:secret@127.0.0.1:1/elsom"}, command, file)
		if out.Code == 0 || strings.Contains(out.Stderr, "secret") {
			t.Errorf("%s: %+v", command, out)
		}
		for _, tool := range []string{"pg_dump", "pg_restore", "WAL"} {
			if !strings.Contains(out.Stderr, tool) {
				t.Errorf("%s doesn't name %s: %s", command, tool, out.Stderr)
			}
		}
		if _, err := os.Lstat(file); err == nil {
			t.Errorf("%s left a file", command)
		}
	}
}
