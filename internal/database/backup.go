package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// ErrKeptByPostgres is what Backup and Restore say to a PostgreSQL address.
var ErrSQLiteOnly = errors.New(
	"this command is for SQLite; PostgreSQL is kept by its own tools: pg_dump and pg_restore for one moment, " +
		"a base backup with archived WAL for any moment (see `elsom help backup`)")

// Backup copies the SQLite database at address into a new file, readable by
// its owner alone: one moment's state, while others write, who don't wait.
//
// The file appears only when it is whole, checked and on the disk; until then
// its content stands beside it as FILE.*.part (and where the file system knows
// no links, an empty file holds the name in the last moment). What is there
// already is never overwritten.
func Backup(ctx context.Context, address, file string) error {
	path, err := sqlitePath(address)
	if err != nil {
		return err
	}
	source, err := (&DB{existing: true}).openSQLite(path)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	return place(file, func(part string) error {
		// It takes a file that is there and empty, and reads from one snapshot.
		//mutant:replace source.ExecContext(ctx, "VACUUM INTO ?", part) => error(nil), copyFile(part, path) TestBackupAndRestore
		if _, err := source.ExecContext(ctx, "VACUUM INTO ?", part); unreadable(err) {
			return notSQLite(path)
		} else if err != nil {
			return fmt.Errorf("database: backup: %w", err)
		}
		return whole(ctx, part)
	})
}

// Restore puts a backup where address, an SQLite one, says that the database
// is. It refuses where a database is already or is still open, a copy of a
// database's own file, and what SQLite finds damaged, isn't a database of this
// program, or of a later release (ErrNewer); an older release's is brought up
// by Migrate. What the books say is not looked at. Nobody may use the database
// meanwhile.
func Restore(ctx context.Context, address, file string) error {
	path, err := sqlitePath(address)
	if err != nil {
		return err
	}
	//mutant:drop TestRestoreRefuses
	if beside := besides(file); beside != "" {
		return fmt.Errorf("database: %s is there: %s is no backup but a database in use or after a crash, "+
			"and its last payments stand in that other file; make a backup of it", beside, file)
	}
	own, err := isSQLite(file)
	if err != nil {
		return err
	}
	//mutant:drop TestRestoreRefuses
	if own {
		return fmt.Errorf("database: %s is a copy of a database's own file and may lack its last payments, which stood in its -wal; "+
			"restore what `elsom backup` made (or, with the portal stopped, put the file and its -wal into place together by hand)", file)
	}
	if err := vacant(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return place(path, func(part string) error {
		if err := copyFile(part, file); err != nil {
			return fmt.Errorf("database: restore: %w", err)
		}
		return whole(ctx, part) // the copy, since that is what will be used
	})
}

// vacant tells why a database can't be put at path.
func vacant(path string) error {
	open, err := inUse(path)
	if err != nil {
		return fmt.Errorf("database: can't tell whether a portal runs: %w", err)
	}
	//mutant:drop TestRestoreRefusesDatabaseInUse
	if open {
		// It writes into its files wherever they were moved.
		return fmt.Errorf("database: a portal, or another program, has the database of %s open, even if its files were moved: "+
			"put moved files back, stop the portal, and then move %[1]s, %[1]s-wal and %[1]s-shm away together", path)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("database: %s is there already and is never overwritten; "+
			"with the portal stopped, move %[1]s, %[1]s-wal and %[1]s-shm away together", path)
	}
	// SQLite would read an old database's log into the new file.
	//mutant:drop TestRestoreRefuses
	if beside := besides(path); beside != "" {
		return fmt.Errorf("database: %s is there, with the last payments of another database; "+
			"with the portal stopped, move it to where its database is", beside)
	}
	return nil
}

func sqlitePath(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "sqlite:")
	switch {
	case !ok:
		return "", ErrSQLiteOnly
	case path == "":
		return "", errors.New("database: sqlite: needs a path")
	}
	return path, nil
}

// besides gives the file in which SQLite keeps what the database's own file
// doesn't have yet; empty where there is none.
func besides(path string) string {
	for _, end := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + end); err == nil && info.Size() > 0 {
			return path + end
		}
	}
	return ""
}

// place makes a file at path that is whole from the moment it is there: fill
// writes it beside, it reaches the disk, and then it gets its name.
func place(path string, fill func(part string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("database: %s is there already and is never overwritten", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // gone already when all went well
	defer func() { _ = os.Remove(part.Name() + "-journal") }()
	defer func() { _ = part.Close() }()
	if err := fill(part.Name()); err != nil {
		return err
	}
	if err := part.Sync(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	// A link, unlike a rename, never takes the place of what came meanwhile.
	//mutant:replace Link => Rename TestConcurrentBackupsOverwriteNothing
	err = os.Link(part.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = takeName(part.Name(), path) // a memory stick knows no links
	}
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// takeName renames a file to a name that it holds with an empty one first, so
// that whoever comes at the same time finds it taken.
func takeName(part, path string) error {
	//mutant:replace O_EXCL|os.O_WRONLY => O_WRONLY TestTakeNameWithoutLinks
	empty, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	_ = empty.Close()
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// UnfinishedFiles gives the unfinished files beside a file that Backup or Restore
// makes, and SQLite's journals of them: of one that was killed, or of one that
// runs now.
func UnfinishedFiles(file string) []string {
	beside, _ := os.ReadDir(filepath.Dir(file)) // a folder that can't be read is told by who writes there
	var left []string
	for _, e := range beside {
		part := strings.TrimSuffix(e.Name(), "-journal")
		if strings.HasPrefix(part, filepath.Base(file)+".") && strings.HasSuffix(part, ".part") {
			left = append(left, filepath.Join(filepath.Dir(file), e.Name()))
		}
	}
	return left
}

func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY, 0) //nolint:gosec // our own file
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// whole tells whether a file that nobody else uses is an undamaged database
// of this program's release or an older one.
func whole(ctx context.Context, path string) error {
	pool, err := sqlite.Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&immutable=1&_pragma=cache_size(-20000)")
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { _ = pool.Close() }()
	var said string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&said); unreadable(err) {
		return errors.New("database: the file is not an SQLite database")
	} else if err != nil {
		return fmt.Errorf("database: the file can't be read as a database: %w", err)
	}
	//mutant:drop TestRestoreRefuses
	if said != "ok" {
		return fmt.Errorf("database: the file is damaged: %s", strings.Join(strings.Fields(said), " "))
	}
	err = (&DB{dialect: SQLite, pool: pool}).CheckSchema(ctx)
	switch {
	case errors.Is(err, ErrOlder):
		return nil
	case errors.Is(err, ErrEmpty):
		return errors.New("database: the file is not a database of elsom")
	}
	return err
}
