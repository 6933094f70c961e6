package database_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// Restore refuses while a portal has the database open, even if its files were moved:
// the portal would continue to write into them.
func TestRestoreRefusesDatabaseInUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := migratedSQLite(t)
	must(t, writePair(db, 1))
	path := strings.TrimPrefix(address, "sqlite:")
	file := filepath.Join(t.TempDir(), "backup.db")
	must(t, database.Backup(ctx, address, file))
	elsewhere := t.TempDir()
	refuses := func(says string) {
		t.Helper()
		if err := database.Restore(ctx, address, file); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	refuses("stop the portal")
	must(t, os.Rename(path, filepath.Join(elsewhere, "elsom.db")))
	refuses("stop the portal")
	must(t, os.Rename(path+"-wal", filepath.Join(elsewhere, "elsom.db-wal")))
	refuses("stop the portal")
	must(t, os.Rename(filepath.Join(elsewhere, "elsom.db"), path))
	must(t, os.Rename(filepath.Join(elsewhere, "elsom.db-wal"), path+"-wal"))
	must(t, db.Close())
	refuses("never overwritten")
	must(t, os.Rename(path, filepath.Join(elsewhere, "elsom.db")))
	// A crash leaves this file behind; no process has it open.
	must(t, os.WriteFile(path+"-shm", make([]byte, 32768), 0o600))
	must(t, database.Restore(ctx, address, file))
	must(t, writePair(databasetest.Reopen(t, address), 2))
}
