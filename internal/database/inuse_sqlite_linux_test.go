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

// Nothing is put where a portal has a database open, wherever its files went:
// it would go on writing into them.
func TestRestoreRefusesDatabaseInUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := kept(t)
	must(t, writes(db, 1))
	path := strings.TrimPrefix(address, "sqlite:")
	file := filepath.Join(t.TempDir(), "kept.db")
	must(t, database.Backup(ctx, address, file))
	away := t.TempDir()
	refuses := func(says string) {
		t.Helper()
		if err := database.Restore(ctx, address, file); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	refuses("stop the portal")
	must(t, os.Rename(path, filepath.Join(away, "elsom.db")))
	refuses("stop the portal")
	must(t, os.Rename(path+"-wal", filepath.Join(away, "elsom.db-wal")))
	refuses("stop the portal")
	must(t, os.Rename(filepath.Join(away, "elsom.db"), path))
	must(t, os.Rename(filepath.Join(away, "elsom.db-wal"), path+"-wal"))
	must(t, db.Close())
	refuses("never overwritten")
	must(t, os.Rename(path, filepath.Join(away, "elsom.db")))
	// After a crash it lies there, and nobody has it open.
	must(t, os.WriteFile(path+"-shm", make([]byte, 32768), 0o600))
	must(t, database.Restore(ctx, address, file))
	must(t, writes(databasetest.Reopen(t, address), 2))
}
