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
)

// kept is a migrated SQLite database with its address.
func kept(t *testing.T) (*database.DB, string) {
	t.Helper()
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	db := databasetest.Reopen(t, address)
	must(t, db.Migrate(context.Background()))
	return db, address
}

// writes puts two rows in, which belong together.
func writes(db *database.DB, n int) error {
	return db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		for _, half := range []string{"a", "b"} {
			if err := tx.Gorm().Exec("INSERT INTO attempts (id, tries, ends_ms) VALUES (?, 1, 1)", fmt.Sprint(n, half)).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// A backup has one moment, though others write meanwhile and don't wait: all
// that was committed before, and nothing by half.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := kept(t)
	const before = 100
	for n := range before {
		must(t, writes(db, n))
	}
	over := make(chan struct{})
	var writer sync.WaitGroup
	written := 0
	writer.Go(func() {
		for n := before; ; n++ {
			select {
			case <-over:
				return
			default:
			}
			if err := writes(db, n); err != nil {
				t.Error(err)
				return
			}
			written++
		}
	})
	folder := t.TempDir()
	var files []string
	for n := range 5 {
		file := filepath.Join(folder, fmt.Sprint("kept", n))
		must(t, database.Backup(ctx, address, file))
		files = append(files, file)
	}
	close(over)
	writer.Wait()
	if written == 0 {
		t.Error("nobody wrote meanwhile: nothing was shown")
	}
	for _, file := range files {
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode() != 0o600 {
			t.Errorf("%s is %v", file, info.Mode())
		}
		place := filepath.Join(t.TempDir(), "new folder", "elsom.db")
		must(t, database.Restore(ctx, "sqlite:"+place, file))
		restored := databasetest.Reopen(t, "sqlite:"+place)
		must(t, restored.CheckSchema(ctx))
		var rows, early int
		must(t, restored.Pool().QueryRow("SELECT COUNT(*), SUM(CASE WHEN CAST(id AS INTEGER) < ? THEN 1 ELSE 0 END) FROM attempts", before).Scan(&rows, &early))
		if early != 2*before || rows%2 != 0 {
			t.Errorf("of %d rows %d are there, of %d in all", 2*before, early, rows)
		}
		must(t, writes(restored, 1_000_000))
	}
	alone(t, folder, len(files))
}

// alone wants so many files in a folder, and none by half.
func alone(t *testing.T, folder string, want int) {
	t.Helper()
	found, err := os.ReadDir(folder)
	must(t, err)
	if len(found) != want {
		t.Errorf("%v are there, want %d", found, want)
	}
}

// Of many backups into one file, one is made.
func TestConcurrentBackupsOverwriteNothing(t *testing.T) {
	t.Parallel()
	_, address := kept(t)
	folder := t.TempDir()
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = database.Backup(context.Background(), address, filepath.Join(folder, "kept")) })
	}
	all.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d were made: %v", made, errs)
	}
	alone(t, folder, 1)
}

// likeSQLite begins as SQLite's files do, and is none.
var likeSQLite = []byte("SQLite format 3\x00" + strings.Repeat("Dear operator, ...", 500))

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	_, address := kept(t)
	folder := t.TempDir()
	there := filepath.Join(folder, "there")
	must(t, os.WriteFile(there, []byte("mine"), 0o600))
	odd := filepath.Join(t.TempDir(), "odd.db")
	must(t, os.WriteFile(odd, likeSQLite, 0o600))
	ended, end := context.WithCancel(context.Background())
	end()
	for name, refused := range map[string]struct {
		ctx           context.Context
		address, file string
		says          string
	}{
		"a file that is there":          {context.Background(), address, there, "never overwritten"},
		"a folder that isn't":           {context.Background(), address, filepath.Join(folder, "none", "file"), "none"},
		"PostgreSQL":                    {context.Background(), "postgres://elsom:secret@db/elsom", filepath.Join(folder, "pg"), "pg_dump"},
		"a database that isn't there":   {context.Background(), "sqlite:" + filepath.Join(folder, "no", "no.db"), filepath.Join(folder, "no"), "there is no database at " + filepath.Join(folder, "no", "no.db")},
		"a folder":                      {context.Background(), "sqlite:" + folder, filepath.Join(folder, "no"), folder + " is a folder"},
		"who gives up":                  {ended, address, filepath.Join(folder, "ended"), "cancel"},
		"a database without its schema": {context.Background(), "sqlite:" + there, filepath.Join(folder, "odd"), there + " is not an SQLite database"},
		"what only begins like one":     {context.Background(), "sqlite:" + odd, filepath.Join(folder, "odd"), odd + " is not an SQLite database"},
	} {
		err := database.Backup(refused.ctx, refused.address, refused.file)
		if err == nil || !strings.Contains(err.Error(), refused.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if content, err := os.ReadFile(there); err != nil || string(content) != "mine" {
		t.Errorf("what was there is %q, %v", content, err)
	}
	alone(t, folder, 1)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return content
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, address := kept(t)
	for n := range 50 {
		must(t, writes(db, n))
	}
	good := filepath.Join(t.TempDir(), "good")
	must(t, database.Backup(ctx, address, good))
	content := read(t, good)
	newer := filepath.Join(t.TempDir(), "newer.db")
	must(t, os.WriteFile(newer, content, 0o600))
	_, err := databasetest.Reopen(t, "sqlite:"+newer).Pool().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)")
	must(t, err)
	later := filepath.Join(t.TempDir(), "later")
	_, err = databasetest.Reopen(t, "sqlite:"+newer).Pool().Exec("VACUUM INTO ?", later)
	must(t, err)
	foreign := filepath.Join(t.TempDir(), "foreign")
	_, err = databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("CREATE TABLE t (a)")
	must(t, err)
	_, err = databasetest.Reopen(t, "sqlite:"+foreign+".own").Pool().Exec("VACUUM INTO ?", foreign)
	must(t, err)
	live := read(t, strings.TrimPrefix(address, "sqlite:"))
	zeroes := slices.Concat(content[:len(content)/2], make([]byte, 8192), content[len(content)/2+8192:])
	for name, refused := range map[string]struct {
		file   []byte
		beside string // another file that is there
		says   string
	}{
		"one changed letter":          {bytes.Replace(content, []byte("25a"), []byte("95a"), 1), "", "the file is damaged"},
		"pages that were overwritten": {zeroes, "", "the file"},
		"half a file":                 {content[:len(content)/2], "", "the file"},
		"no database":                 {[]byte("Dear operator, ..."), "", "file is not an SQLite database"},
		"what only begins like one":   {likeSQLite, "", "file is not an SQLite database"},
		"an empty file":               {nil, "", "file is empty"},
		"a copy without its log":      {live, "", "restore what `elsom backup` made"},
		"somebody else's database":    {read(t, foreign), "", "not a database of elsom"},
		"a later release's":           {read(t, later), "", database.ErrNewer.Error()},
		"a copy of one in use":        {content, "file-wal", "is no backup"},
		"one after a crash":           {content, "file-journal", "is no backup"},
		"the place has a database":    {content, "elsom.db", "never overwritten"},
		"the place has an old log":    {content, "elsom.db-wal", "with the portal stopped, move it to where its database is"},
	} {
		folder := t.TempDir()
		file, place := filepath.Join(folder, "file"), filepath.Join(folder, "elsom.db")
		must(t, os.WriteFile(file, refused.file, 0o600))
		want := 1
		if refused.beside != "" {
			must(t, os.WriteFile(filepath.Join(folder, refused.beside), []byte("mine"), 0o600))
			want++
		}
		err := database.Restore(ctx, "sqlite:"+place, file)
		if err == nil || !strings.Contains(err.Error(), refused.says) {
			t.Errorf("%s: %v", name, err)
		}
		alone(t, folder, want)
	}
	folder := t.TempDir()
	if err := database.Restore(ctx, "sqlite:"+filepath.Join(folder, "elsom.db"), folder); err == nil || !strings.HasSuffix(err.Error(), folder+" is a folder") {
		t.Errorf("a folder: %v", err)
	}
	alone(t, folder, 0)
	if err := database.Restore(ctx, "postgres://elsom@db/elsom", good); !errors.Is(err, database.ErrSQLiteOnly) {
		t.Errorf("PostgreSQL: %v", err)
	}
	must(t, database.Restore(ctx, "sqlite:"+filepath.Join(t.TempDir(), "elsom.db"), good))
}

// Where there are no links, one of many takes the name, and keeps it.
func TestTakeNameWithoutLinks(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "kept.db")
	var winner atomic.Int64
	var all sync.WaitGroup
	for n := range 20 {
		part := filepath.Join(folder, fmt.Sprint("kept.db.", n, ".part"))
		must(t, os.WriteFile(part, []byte(fmt.Sprint(n)), 0o600))
		all.Go(func() {
			if database.TakeName(part, path) == nil && winner.Swap(int64(n)+1) != 0 {
				t.Error("two took it")
			}
		})
	}
	all.Wait()
	if got := string(read(t, path)); got != fmt.Sprint(winner.Load()-1) {
		t.Errorf("number %d took it, and %q is there", winner.Load()-1, got)
	}
	must(t, os.WriteFile(filepath.Join(folder, "kept.db.20.part-journal"), nil, 0o600))
	must(t, os.WriteFile(path+"-journal", nil, 0o600)) // nobody's but the database's
	if left := database.UnfinishedFiles(path); len(left) != 20 {
		t.Errorf("%d unfinished files are told: %v", len(left), left)
	}
}
