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

	"elsom/internal/fault"
)

// ErrSQLiteOnly is returned by Backup and Restore for a PostgreSQL address.
var ErrSQLiteOnly = errors.New(
	"this command is for SQLite; PostgreSQL is backed up by its own tools: pg_dump and pg_restore for one moment, " +
		"a base backup with archived WAL for any moment (see `elsom help backup`)")

// Backup copies a snapshot of the SQLite database at address into a new file of
// mode 0600, without blocking writers.
//
// The file appears when it is complete, checked and on the disk; until then its
// content is in FILE.*.part. (On a file system without links an empty file
// reserves the name just before.) An existing file is never overwritten: fault.Conflict.
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
	return createFile(file, func(part string) error {
		// VACUUM INTO accepts an existing empty file and reads one snapshot.
		//mutant:replace source.ExecContext(ctx, "VACUUM INTO ?", part) => error(nil), copyFile(part, path) TestBackupAndRestore
		if _, err := source.ExecContext(ctx, "VACUUM INTO ?", part); unreadable(err) {
			return notSQLite(path)
		} else if err != nil {
			return fmt.Errorf("database: backup: %w", err)
		}
		return check(ctx, part)
	})
}

// Restore copies a backup to the SQLite database at address. It refuses if a
// database exists there or is open, and refuses files that are a copy of a
// database's main file, are damaged, or are not a database of this program or of
// a later release (ErrNewer). A database of an older release is accepted and
// migrated by Migrate. The books are not checked. Nothing may use the database
// meanwhile. A refusal is fault.Conflict.
func Restore(ctx context.Context, address, file string) error {
	path, err := sqlitePath(address)
	if err != nil {
		return err
	}
	//mutant:drop TestRestoreErrors
	if beside := logBeside(file); beside != "" {
		return refusedFile("%s is there: %s is no backup but a database in use or after a crash, "+
			"and its last payments are in that other file; make a backup of it", beside, file)
	}
	own, err := isSQLite(file)
	if err != nil {
		return err
	}
	//mutant:drop TestRestoreErrors
	if own {
		return refusedFile("%s is a copy of a database's own file and may lack its last payments, which stood in its -wal; "+
			"restore what `elsom backup` made (or, with the portal stopped, put the file and its -wal into place together by hand)", file)
	}
	if err := vacant(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return createFile(path, func(part string) error {
		if err := copyFile(part, file); err != nil {
			return fmt.Errorf("database: restore: %w", err)
		}
		return check(ctx, part) // the copy, since it will be used
	})
}

// vacant returns an error if no database can be created at path.
func vacant(path string) error {
	open, err := inUse(path)
	if err != nil {
		return fmt.Errorf("database: can't check for a running portal: %w", err)
	}
	//mutant:drop TestRestoreRefusesDatabaseInUse
	if open {
		// The process writes to its open files, wherever they were moved.
		return refusedFile("a portal, or another program, has the database of %s open, even if its files were moved: "+
			"put moved files back, stop the portal, and then move %[1]s, %[1]s-wal and %[1]s-shm away together", path)
	}
	if _, err := os.Lstat(path); err == nil {
		return refusedFile("%s exists and is never overwritten; "+
			"with the portal stopped, move %[1]s, %[1]s-wal and %[1]s-shm away together", path)
	}
	// SQLite would apply the log of an old database to the new file.
	//mutant:drop TestRestoreErrors
	if beside := logBeside(path); beside != "" {
		return refusedFile("%s is there, with the last payments of another database; "+
			"with the portal stopped, move it to where its database is", beside)
	}
	return nil
}

// refusedFile returns fault.Conflict: a file that is there, or that isn't what it should
// be, forbids a backup or a restore.
func refusedFile(format string, args ...any) error {
	return fault.New(fault.Conflict, "database.backup", "").Because(fmt.Errorf("database: "+format, args...))
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

// logBeside returns the non-empty WAL or journal of a database file, or "".
func logBeside(path string) string {
	for _, end := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + end); err == nil && info.Size() > 0 {
			return path + end
		}
	}
	return ""
}

// createFile creates a file at path atomically: fill writes a temporary file,
// which is synced to the disk and then linked to path.
func createFile(path string, fill func(part string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return refusedFile("%s exists and is never overwritten", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // already removed by a rename
	defer func() { _ = os.Remove(part.Name() + "-journal") }()
	defer func() { _ = part.Close() }()
	if err := fill(part.Name()); err != nil {
		return err
	}
	if err := part.Sync(); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	// Unlike a rename a link never replaces a file created meanwhile.
	//mutant:replace Link => Rename TestConcurrentBackupsOverwriteNothing
	err = os.Link(part.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = takeName(part.Name(), path) // the file system has no links
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return refusedFile("%s was made meanwhile and is never overwritten", path)
	case err != nil:
		return fmt.Errorf("database: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// takeName renames a file to path after reserving the name with an empty file, so
// that a concurrent call fails.
func takeName(part, path string) error {
	//mutant:replace O_EXCL|os.O_WRONLY => O_WRONLY TestTakeNameWithoutLinks
	empty, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // named by the operator
	if err != nil {
		return err
	}
	_ = empty.Close()
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// UnfinishedFiles returns the temporary files of Backup and Restore for a file, and
// their SQLite journals: of calls that were killed or are running.
func UnfinishedFiles(file string) []string {
	beside, _ := os.ReadDir(filepath.Dir(file)) // on an error the caller that writes there fails
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
	folder, err := os.Open(path) //nolint:gosec // named by the operator
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
	in, err := os.Open(from) //nolint:gosec // named by the operator
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

// check returns an error unless a file that nothing else uses is an undamaged
// database of this program's schema or an older one.
func check(ctx context.Context, path string) error {
	pool, err := sqlite.Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&immutable=1&_pragma=cache_size(-20000)")
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { _ = pool.Close() }()
	var result string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); unreadable(err) {
		return refusedFile("the file is not an SQLite database")
	} else if err != nil {
		return fmt.Errorf("database: the file can't be read as a database: %w", err)
	}
	//mutant:drop TestRestoreErrors
	if result != "ok" {
		return refusedFile("the file is damaged: %s", strings.Join(strings.Fields(result), " "))
	}
	err = (&DB{dialect: SQLite, pool: pool}).CheckSchema(ctx)
	switch {
	case errors.Is(err, ErrOlder):
		return nil
	case errors.Is(err, ErrEmpty):
		return refusedFile("the file is not a database of elsom")
	}
	return err
}
