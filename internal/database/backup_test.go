package database_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// migratedSQLite returns a migrated SQLite database and its address.
func migratedSQLite(t *testing.T) (*database.DB, string) {
	t.Helper()
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	db := databasetest.Reopen(t, address)
	require.NoError(t, db.Migrate(context.Background()))
	return db, address
}

// writePair inserts two rows in one transaction.
func writePair(db *database.DB, n int) error {
	return db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		for _, half := range []string{"a", "b"} {
			if err := tx.Gorm().Exec("INSERT INTO attempts (id, tries, ends_ms) VALUES (?, 1, 1)", fmt.Sprint(n, half)).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// A backup is a consistent snapshot although other connections keep writing: it has
// every earlier commit and no part of an unfinished one.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := migratedSQLite(t)
	const before = 100
	for n := range before {
		require.NoError(t, writePair(db, n))
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	written := 0
	writer.Go(func() {
		for n := before; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := writePair(db, n); err != nil {
				t.Error(err)
				return
			}
			written++
		}
	})
	folder := t.TempDir()
	var files []string
	for n := range 5 {
		file := filepath.Join(folder, fmt.Sprint("backup", n))
		require.NoError(t, database.Backup(ctx, address, file))
		files = append(files, file)
	}
	close(stop)
	writer.Wait()
	if written == 0 {
		t.Error("there were no concurrent writes")
	}
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(t, err)
		if info.Mode() != 0o600 {
			t.Errorf("%s is %v", file, info.Mode())
		}
		path := filepath.Join(t.TempDir(), "new folder", "elsom.db")
		require.NoError(t, database.Restore(ctx, "sqlite:"+path, file))
		restored := databasetest.Reopen(t, "sqlite:"+path)
		require.NoError(t, restored.CheckSchema(ctx))
		var rows, early int
		require.NoError(t, restored.Pool().QueryRow("SELECT COUNT(*), SUM(CASE WHEN CAST(id AS INTEGER) < ? THEN 1 ELSE 0 END) FROM attempts", before).Scan(&rows, &early))
		if early != 2*before || rows%2 != 0 {
			t.Errorf("%d rows before the backup, %d found, %d in all", 2*before, early, rows)
		}
		require.NoError(t, writePair(restored, 1_000_000))
	}
	wantFiles(t, folder, len(files))
}

// wantFiles fails the test unless a folder has so many files.
func wantFiles(t *testing.T, folder string, want int) {
	t.Helper()
	found, err := os.ReadDir(folder)
	require.NoError(t, err)
	if len(found) != want {
		t.Errorf("%v, want %d files", found, want)
	}
}

func TestConcurrentBackupsOverwriteNothing(t *testing.T) {
	t.Parallel()
	_, address := migratedSQLite(t)
	folder := t.TempDir()
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = database.Backup(context.Background(), address, filepath.Join(folder, "backup")) })
	}
	all.Wait()
	succeeded := 0
	for _, err := range errs {
		if err == nil {
			succeeded++
		}
	}
	if succeeded != 1 {
		t.Errorf("%d succeeded: %v", succeeded, errs)
	}
	wantFiles(t, folder, 1)
}

// likeSQLite has the header of an SQLite file and no valid content.
var likeSQLite = []byte("SQLite format 3\x00" + strings.Repeat("Dear operator, ...", 500))

func TestBackupErrors(t *testing.T) {
	t.Parallel()
	_, address := migratedSQLite(t)
	folder := t.TempDir()
	existing := filepath.Join(folder, "existing")
	require.NoError(t, os.WriteFile(existing, []byte("mine"), 0o600))
	odd := filepath.Join(t.TempDir(), "odd.db")
	require.NoError(t, os.WriteFile(odd, likeSQLite, 0o600))
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx           context.Context
		address, file string
		says          string
	}{
		"existing file":          {context.Background(), address, existing, "never overwritten"},
		"missing folder":         {context.Background(), address, filepath.Join(folder, "none", "file"), "none"},
		"PostgreSQL":             {context.Background(), "postgres://elsom:secret@db/elsom", filepath.Join(folder, "pg"), "pg_dump"},
		"missing database":       {context.Background(), "sqlite:" + filepath.Join(folder, "no", "no.db"), filepath.Join(folder, "no"), "there is no database at " + filepath.Join(folder, "no", "no.db")},
		"folder":                 {context.Background(), "sqlite:" + folder, filepath.Join(folder, "no"), folder + " is a folder"},
		"canceled context":       {canceled, address, filepath.Join(folder, "ended"), "cancel"},
		"not a database":         {context.Background(), "sqlite:" + existing, filepath.Join(folder, "odd"), existing + " is not an SQLite database"},
		"only the header of one": {context.Background(), "sqlite:" + odd, filepath.Join(folder, "odd"), odd + " is not an SQLite database"},
	} {
		err := database.Backup(c.ctx, c.address, c.file)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if content, err := os.ReadFile(existing); err != nil || string(content) != "mine" {
		t.Errorf("the existing file is %q, %v", content, err)
	}
	wantFiles(t, folder, 1)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

func TestRestoreErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := migratedSQLite(t)
	for n := range 50 {
		require.NoError(t, writePair(db, n))
	}
	good := filepath.Join(t.TempDir(), "good")
	require.NoError(t, database.Backup(ctx, address, good))
	content := read(t, good)
	newer := filepath.Join(t.TempDir(), "newer.db")
	require.NoError(t, os.WriteFile(newer, content, 0o600))
	_, err := databasetest.Reopen(t, "sqlite:"+newer).Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)")
	require.NoError(t, err)
	later := filepath.Join(t.TempDir(), "later")
	_, err = databasetest.Reopen(t, "sqlite:"+newer).Pool().Exec("VACUUM INTO ?", later)
	require.NoError(t, err)
	foreign := filepath.Join(t.TempDir(), "foreign")
	_, err = databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("CREATE TABLE t (a)")
	require.NoError(t, err)
	_, err = databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("VACUUM INTO ?", foreign)
	require.NoError(t, err)
	live := read(t, strings.TrimPrefix(address, "sqlite:"))
	zeroes := slices.Concat(content[:len(content)/2], make([]byte, 8192), content[len(content)/2+8192:])
	for name, c := range map[string]struct {
		file   []byte
		beside string // name of an existing file
		says   string
	}{
		"one changed character":       {bytes.Replace(content, []byte("25a"), []byte("95a"), 1), "", "the file is damaged"},
		"overwritten pages":           {zeroes, "", "the file"},
		"truncated file":              {content[:len(content)/2], "", "the file"},
		"not a database":              {[]byte("Dear operator, ..."), "", "file is not an SQLite database"},
		"only the header of one":      {likeSQLite, "", "file is not an SQLite database"},
		"empty file":                  {nil, "", "file is empty"},
		"copy without its WAL":        {live, "", "restore what `elsom backup` made"},
		"database of another program": {read(t, foreign), "", "not a database of elsom"},
		"newer schema":                {read(t, later), "", database.ErrNewer.Error()},
		"file with a WAL":             {content, "file-wal", "is no backup"},
		"file with a journal":         {content, "file-journal", "is no backup"},
		"existing target":             {content, "elsom.db", "never overwritten"},
		"target with a WAL":           {content, "elsom.db-wal", "with the portal stopped, move it to where its database is"},
	} {
		folder := t.TempDir()
		file, target := filepath.Join(folder, "file"), filepath.Join(folder, "elsom.db")
		require.NoError(t, os.WriteFile(file, c.file, 0o600))
		want := 1
		if c.beside != "" {
			require.NoError(t, os.WriteFile(filepath.Join(folder, c.beside), []byte("mine"), 0o600))
			want++
		}
		err := database.Restore(ctx, "sqlite:"+target, file)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		wantFiles(t, folder, want)
	}
	folder := t.TempDir()
	if err := database.Restore(ctx, "sqlite:"+filepath.Join(folder, "elsom.db"), folder); err == nil || !strings.HasSuffix(err.Error(), folder+" is a folder") {
		t.Errorf("folder: %v", err)
	}
	wantFiles(t, folder, 0)
	if err := database.Restore(ctx, "postgres://elsom@db/elsom", good); !errors.Is(err, database.ErrSQLiteOnly) {
		t.Errorf("PostgreSQL: %v", err)
	}
	require.NoError(t, database.Restore(ctx, "sqlite:"+filepath.Join(t.TempDir(), "elsom.db"), good))
}

// Without hard links, too, only one of several concurrent calls gets the name.
func TestTakeNameWithoutLinks(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "elsom.db")
	var winner atomic.Int64
	var all sync.WaitGroup
	for n := range 20 {
		part := filepath.Join(folder, fmt.Sprint("elsom.db.", n, ".part"))
		require.NoError(t, os.WriteFile(part, []byte(fmt.Sprint(n)), 0o600))
		all.Go(func() {
			if database.TakeName(part, path) == nil && winner.Swap(int64(n)+1) != 0 {
				t.Error("two calls succeeded")
			}
		})
	}
	all.Wait()
	if got := string(read(t, path)); got != fmt.Sprint(winner.Load()-1) {
		t.Errorf("call %d succeeded, the file is of %q", winner.Load()-1, got)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "elsom.db.20.part-journal"), nil, 0o600))
	require.NoError(t, os.WriteFile(path+"-journal", nil, 0o600)) // a file of SQLite
	if left := database.UnfinishedFiles(path); len(left) != 20 {
		t.Errorf("%d unfinished files: %v", len(left), left)
	}
}
