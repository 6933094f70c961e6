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

	"elsom/internal/fault"
	"elsom/migrations"
)

// ErrOlder reports a schema of an earlier release.
var ErrOlder = errors.New("database: its schema is older than this program; run `elsom migrate` first")

// ErrEmpty reports a database without this program's tables.
var ErrEmpty = errors.New("database: it is empty or belongs to another program; `elsom serve` and `elsom migrate` create the tables")

// ErrReadOnly reports a server that accepts no writes: a standby, or a fenced one.
var ErrReadOnly = errors.New("database: the server takes no writes now")

// ExistingOnly makes Open fail unless the database exists and has exactly this
// program's schema. Nothing is created.
func ExistingOnly(db *DB) { db.existing = true }

// CheckSchema returns nil if the schema is exactly this program's, and otherwise
// ErrEmpty, ErrOlder, ErrNewer or the error of reading it. It writes nothing.
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
	//mutant:drop TestRestoreErrors
	case current > target:
		return ErrNewer
	}
	return nil
}

// CheckOneSchema returns an error if PostgreSQL finds tables with the names of this
// program's in more than one schema of the search path: those of the schema that comes
// first, such as one with the role's name, would hide the others.
func (db *DB) CheckOneSchema(ctx context.Context) error {
	if db.dialect != Postgres {
		return nil
	}
	_, tables := migrations.Rights()
	var schemas int
	var found string
	err := db.pool.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(string_agg(s.schema || ' (' || s.names || ')', ', ' ORDER BY s.n DESC), '') FROM (
			SELECT n.nspname AS schema, COUNT(*) AS n, MIN(c.relname) || CASE COUNT(*) WHEN 1 THEN '' ELSE ' and ' || COUNT(*) - 1 || ' more' END AS names
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relname = ANY (CAST($1 AS TEXT[])) AND n.nspname = ANY (current_schemas(TRUE)) GROUP BY n.nspname) s`, tables).Scan(&schemas, &found)
	if err != nil {
		return fmt.Errorf("database: schemas of the tables: %w", oneLine{err})
	}
	//mutant:drop TestTablesOfTwoSchemas
	if schemas > 1 {
		return fmt.Errorf("database: tables with this program's names are in several schemas of the search path: %s. "+
			"Those of the first one that is searched hide the others: find out who made them, and drop or rename them", found)
	}
	return nil
}

// CheckReady returns nil if this program can serve requests with the database as
// it is now: commits succeed and CheckCompatible returns nil. It writes nothing.
func (db *DB) CheckReady(ctx context.Context) error {
	if db.hanging.Load() > 0 {
		return errCommitsWait
	}
	//mutant:drop ./internal/e2e/chaos TestReadOnlyServerIsUnavailable
	if err := db.checkWritable(ctx); err != nil {
		return err
	}
	return db.CheckCompatible(ctx)
}

// CheckCompatible returns nil if this program can work with the schema: its own,
// or a later one that still serves it. A migration that removes what an earlier
// release needs raises schema_compatibility.serves_from above that release.
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

// checkWritable returns ErrReadOnly if PostgreSQL is read-only. A pooled
// connection may lead to a former primary, so a read-only answer is verified on
// a new connection.
func (db *DB) checkWritable(ctx context.Context) error {
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

// version returns the schema's version, 0 if there is none. goose's own function
// would create its table.
func (db *DB) version(ctx context.Context) (version int64, err error) {
	if there, err := db.HasTable(ctx, goose.DefaultTablename); err != nil || !there {
		return 0, err
	}
	err = db.pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+goose.DefaultTablename).Scan(&version)
	return version, err
}

// SchemaVersion returns the version of the schema; 0 for an empty database.
func (db *DB) SchemaVersion(ctx context.Context) (int64, error) {
	version, err := db.version(ctx)
	return version, fault.Wrap("database.version", err)
}

// HasTable reports whether a table exists, whatever the schema's version.
func (db *DB) HasTable(ctx context.Context, name string) (bool, error) {
	exists := "SELECT COUNT(*) FROM sqlite_master WHERE name = $1"
	if db.dialect == Postgres {
		exists = "SELECT COUNT(to_regclass($1))"
	}
	var tables int
	err := db.pool.QueryRowContext(ctx, exists, name).Scan(&tables)
	return tables > 0, err
}

// prepareExisting checks the schema of a database opened with ExistingOnly and
// switches a restored SQLite database to WAL, so that readers and writers do not
// block each other.
func (db *DB) prepareExisting(ctx context.Context) error {
	if err := db.CheckSchema(ctx); err != nil {
		return err
	}
	//mutant:drop TestTablesOfTwoSchemas
	if err := db.CheckOneSchema(ctx); err != nil {
		return err
	}
	if db.dialect == SQLite {
		if _, err := db.pool.ExecContext(ctx, "PRAGMA journal_mode = wal"); err != nil {
			return fmt.Errorf("database: %w", err)
		}
	}
	return nil
}

// isSQLite returns an error unless a file begins like an SQLite database. usesWAL
// reports whether it is a database's main file, whose last rows may be in a WAL;
// a backup is not. SQLite's own errors for other files are hard to understand.
func isSQLite(path string) (usesWAL bool, err error) {
	file, err := os.Open(path) //nolint:gosec // named by the operator
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
	const walVersion = 2 // of the file format, for writing and for reading
	return head[18] == walVersion || head[19] == walVersion, nil
}

func notSQLite(path string) error { return fmt.Errorf("database: %s is not an SQLite database", path) }

// unreadable reports whether SQLite refused a file that is no database.
func unreadable(err error) bool { return errors.Is(err, sqlite3.NOTADB) }

// checkFile returns an error if no SQLite database exists at path.
func checkFile(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("database: there is no database at %s; `elsom serve` and `elsom migrate` create it", path)
	}
	_, err := isSQLite(path)
	return err
}
