package database_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// Restore refuses while a portal has the database open, even if its files were moved:
// the portal would continue to write into them.
func TestRestoreRefusesDatabaseInUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := migratedSQLite(t)
	require.NoError(t, writePair(db, 1))
	path := strings.TrimPrefix(address, "sqlite:")
	file := filepath.Join(t.TempDir(), "backup.db")
	require.NoError(t, database.Backup(ctx, address, file))
	elsewhere := t.TempDir()
	refuses := func(says string) {
		t.Helper()
		if err := database.Restore(ctx, address, file); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	refuses("stop the portal")
	require.NoError(t, os.Rename(path, filepath.Join(elsewhere, "elsom.db")))
	refuses("stop the portal")
	require.NoError(t, os.Rename(path+"-wal", filepath.Join(elsewhere, "elsom.db-wal")))
	refuses("stop the portal")
	require.NoError(t, os.Rename(filepath.Join(elsewhere, "elsom.db"), path))
	require.NoError(t, os.Rename(filepath.Join(elsewhere, "elsom.db-wal"), path+"-wal"))
	require.NoError(t, db.Close())
	refuses("never overwritten")
	require.NoError(t, os.Rename(path, filepath.Join(elsewhere, "elsom.db")))
	// A crash leaves this file behind; no process has it open.
	require.NoError(t, os.WriteFile(path+"-shm", make([]byte, 32768), 0o600))
	require.NoError(t, database.Restore(ctx, address, file))
	require.NoError(t, writePair(databasetest.Reopen(t, address), 2))
}
