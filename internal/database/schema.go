package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ncruces/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// ErrOlder is a database that an earlier release has migrated.
var ErrOlder = errors.New("database: its schema is older than this program; run `elsom migrate` first")

// ErrEmpty is a database in which this program's tables are not.
var ErrEmpty = errors.New("database: it is empty, or another program's; only `elsom serve` and `elsom migrate` fill one")

// ErrReadOnly is a server that takes no writes: fenced, or a standby.
var ErrReadOnly = errors.New("database: the server takes no writes now")

// ExistingOnly opens only a database that is there and has exactly this program's
// schema, for callers that must not make one: nothing is made or written
// elsewhere.
func ExistingOnly(db *DB) { db.existing = true }

// CheckSchema returns nil where the schema is exactly this program's, otherwise
// ErrEmpty, ErrOlder, ErrNewer, or why it can't be read. It writes nothing.
func (db *DB) CheckSchema(ctx context.Context) error {
	target, err := db.target()
	if err != nil {
		return err
	}
	//mutant:replace current, err := db.version => p, _ := db.provider(); current, err := p.GetDBVersion TestExistingOnlyCreatesNothing
	current, err := db.version(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("database: its schema can't be read: %w", oneLine{err})
	case current == 0:
		return ErrEmpty
	case current < target:
		return ErrOlder
	//mutant:drop TestRestoreRefuses
	case current > target:
		return ErrNewer
	}
	return nil
}

// CheckReady returns nil where a portal of this program can serve with the database
// as it is now: it takes commits, and its schema is this program's or a later
// one that leaves out nothing this program needs. It writes nothing.
func (db *DB) CheckReady(ctx context.Context) error {
	if db.hanging.Load() > 0 {
		return errCommitsWait
	}
	//mutant:drop ./internal/e2e/chaos TestReadOnlyServerIsUnavailable
	if err := db.takesWrites(ctx); err != nil {
		return err
	}
	return db.CheckCompatible(ctx)
}

// CheckCompatible returns nil where this program can work with the schema, its own or a
// later one: the migration that takes away what a release needs raises
// serves_from above that release's schema.
func (db *DB) CheckCompatible(ctx context.Context) error {
	err := db.CheckSchema(ctx)
	if !errors.Is(err, ErrNewer) {
		return err
	}
	target, targetErr := db.target()
	var from int64
	asked := db.pool.QueryRowContext(ctx, "SELECT serves_from FROM schema_compatibility WHERE id = 1").Scan(&from)
	//mutant:replace from > target => (from > target && false) ./internal/e2e TestServeWithLaterSchema
	if targetErr != nil || asked != nil || from > target {
		return err
	}
	return nil
}

// takesWrites asks PostgreSQL whether it is read-only. A connection that is may
// lead to a server that another has taken over from: a fresh one is asked then.
func (db *DB) takesWrites(ctx context.Context) error {
	if db.dialect != Postgres {
		return nil
	}
	readOnly := true
	for try := 0; try < 2 && readOnly; try++ {
		generation := db.postgres.generation.Load()
		err := db.pool.QueryRowContext(ctx, "SELECT current_setting('transaction_read_only') = 'on'").Scan(&readOnly)
		if err != nil {
			return fmt.Errorf("database: %w", oneLine{err})
		}
		if readOnly {
			db.postgres.leave(generation)
		}
	}
	if readOnly {
		return ErrReadOnly
	}
	return nil
}

// version is the schema's; 0 where none is. goose would make its table.
func (db *DB) version(ctx context.Context) (version int64, err error) {
	if there, err := db.HasTable(ctx, goose.DefaultTablename); err != nil || !there {
		return 0, err
	}
	err = db.pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+goose.DefaultTablename).Scan(&version)
	return version, err
}

// HasTable reports whether a table is there, whatever the schema's version.
func (db *DB) HasTable(ctx context.Context, name string) (bool, error) {
	exists := "SELECT COUNT(*) FROM sqlite_master WHERE name = $1"
	if db.dialect == Postgres {
		exists = "SELECT COUNT(to_regclass($1))"
	}
	var tables int
	err := db.pool.QueryRowContext(ctx, exists, name).Scan(&tables)
	return tables > 0, err
}

// settle looks at what Existing opened. A database that was just restored has
// no log yet; with one, who reads and who writes don't wait for each other.
func (db *DB) settle(ctx context.Context) error {
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	if db.dialect == SQLite {
		if _, err := db.pool.ExecContext(ctx, "PRAGMA journal_mode = wal"); err != nil {
			return fmt.Errorf("database: %w", err)
		}
	}
	return nil
}

// isSQLite tells whether a file is an SQLite database by its first bytes, and
// whether it is a database's own file, whose last rows may stand in a log. (A
// backup never is one.) What SQLite would say of others is no help to anybody.
func isSQLite(path string) (own bool, err error) {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("database: there is no file %s", path)
	}
	if err != nil {
		return false, fmt.Errorf("database: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return false, fmt.Errorf("database: %s is a folder", path)
	}
	const magic = "SQLite format 3\x00"
	head := make([]byte, 20)
	n, err := io.ReadFull(file, head)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return false, fmt.Errorf("database: %s is empty", path)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, fmt.Errorf("database: %w", err)
	case string(head[:len(magic)]) != magic:
		return false, notSQLite(path)
	}
	const byLog = 2 // the file format's versions for writing and for reading
	return head[18] == byLog || head[19] == byLog, nil
}

func notSQLite(path string) error { return fmt.Errorf("database: %s is not an SQLite database", path) }

// unreadable tells that SQLite doesn't take a file for a database, though it
// begins like one.
func unreadable(err error) bool { return errors.Is(err, sqlite3.NOTADB) }

// existing tells why an SQLite database can't be opened without making it.
func existing(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("database: there is no database at %s; only `elsom serve` and `elsom migrate` make one", path)
	}
	_, err := isSQLite(path)
	return err
}
