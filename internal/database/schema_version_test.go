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
)

// Who must not make a database is told why there is none to open, and leaves
// everything as it was.
func TestExistingOnlyCreatesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	foreign, empty := filepath.Join(folder, "foreign.db"), filepath.Join(folder, "empty.db")
	_, err := databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("CREATE TABLE t (a)")
	must(t, err)
	_, err = databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("VACUUM INTO ?", foreign)
	must(t, err)
	must(t, os.WriteFile(empty, nil, 0o600))
	before := string(read(t, foreign))
	for path, says := range map[string]string{
		foreign:                              "another program's",
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
		t.Error("a folder was made")
	}

	address := databasetest.Addresses(t)["postgres"]
	if _, err := database.Open(context.Background(), address, database.ExistingOnly); !errors.Is(err, database.ErrEmpty) {
		t.Errorf("an empty PostgreSQL: %v", err)
	}
	var tables int
	must(t, databasetest.Reopen(t, address).Pool().QueryRow("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables))
	if tables != 0 {
		t.Errorf("%d tables were made", tables)
	}
}

// A database that was just restored is opened, and has its log again.
func TestExistingOnlyOpensDatabase(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	_, address := kept(t)
	file := filepath.Join(t.TempDir(), "kept.db")
	must(t, database.Backup(ctx, address, file))
	place := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	must(t, database.Restore(ctx, place, file))
	db := databasetest.Reopen(t, place, database.ExistingOnly)
	must(t, writes(db, 1))
	var mode string
	must(t, db.Pool().QueryRow("PRAGMA journal_mode").Scan(&mode))
	if mode != "wal" {
		t.Errorf("the journal is %s", mode)
	}
}

// Only an older schema is told to migrate; what else is wrong is told as it is.
func TestCheckSchemaErrors(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		must(t, db.CheckSchema(ctx))
		change := func(statement string) {
			t.Helper()
			_, err := db.Pool().Exec(statement)
			must(t, err)
		}
		change("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)")
		if err := db.CheckSchema(ctx); !errors.Is(err, database.ErrNewer) {
			t.Errorf("a newer one: %v", err)
		}
		change("DELETE FROM goose_db_version WHERE version_id > 1")
		if err := db.CheckSchema(ctx); !errors.Is(err, database.ErrOlder) {
			t.Errorf("an older one: %v", err)
		}
		change("DELETE FROM goose_db_version WHERE version_id > 0") // what looking left behind once
		if err := db.CheckSchema(ctx); !errors.Is(err, database.ErrEmpty) {
			t.Errorf("an empty one: %v", err)
		}
		must(t, db.Close())
		if err := db.CheckSchema(ctx); err == nil || strings.Contains(err.Error(), "migrate") || !strings.Contains(err.Error(), "closed") {
			t.Errorf("one that is away: %v", err)
		}
	})
}
