// Package database opens the database, PostgreSQL or embedded SQLite, runs
// transactions on it and migrates its schema.
//
// Portable SQL behaves the same on both: times are stored in UTC and sort,
// transactions that the database asks to repeat are repeated, and a commit whose
// answer was lost is reported as fault.Unknown. The package contains no table of
// the application. GORM handles are for the store files of other packages.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	sqlite "github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"elsom/internal/signature"
)

// Dialect is a kind of database.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// MaxConnections is the size of the pool on PostgreSQL: enough for two batches of
// the ledger, the deliveries of a few billers and page reads on a few cores.
const MaxConnections = 24

// DB is an open database.
type DB struct {
	dialect Dialect
	gorm    *gorm.DB
	pool    *sql.DB
	clock   func() time.Time
	ids     *idSource
	// writer admits one writing transaction at a time to SQLite, which has a
	// single writer: waiting here is fair, SQLite's busy handler is not. It is no
	// guard, since other processes have their own.
	writer   chan struct{}
	closed   atomic.Bool
	postgres *connector // nil on SQLite
	// detached counts commits in progress whose callers have stopped waiting.
	detached atomic.Int64
	// hanging counts those that exceed detachedLimit.
	hanging atomic.Int64
	// barrier and durable implement WaitDurable.
	barrier  *Coalescer[struct{}, struct{}]
	durable  recentKeys
	trace    func(statement string, args []any)
	wrap     func(driver.Connector) driver.Connector
	keys     *signature.Keys
	enforced bool // see WithKeys
	// permitted is when unsigned rows were last permitted, in Unix nanoseconds. required
	// reports that they were not: the permission never comes back.
	permitted atomic.Int64
	required  atomic.Bool
	// keyless is when rows could last be written without a key, in Unix nanoseconds.
	keyless atomic.Int64
	// unverified counts the rows that failed Verify.
	unverified atomic.Int64
	// existing is set by ExistingOnly.
	existing bool
}

// Option changes how a database is opened.
type Option func(*DB)

// WithClock replaces the clock, for tests.
func WithClock(clock func() time.Time) Option { return func(db *DB) { db.clock = clock } }

// WithTrace calls a function with each statement as it is sent, including BEGIN
// and COMMIT, for tests. Values are passed on PostgreSQL only.
func WithTrace(trace func(statement string, args []any)) Option {
	return func(db *DB) { db.trace = trace }
}

// WithConnections wraps the connector of an SQLite database, for tests.
func WithConnections(wrap func(driver.Connector) driver.Connector) Option {
	return func(db *DB) { db.wrap = wrap }
}

// Open opens "sqlite:PATH", whose folder is created if it is missing, or
// "postgres://…". It connects once, so that a wrong address fails here. No error
// contains the password of the address.
func Open(ctx context.Context, address string, options ...Option) (*DB, error) {
	db := &DB{clock: systemClock, ids: newIDSource()}
	db.barrier = NewCoalescer(db.commitBarrier)
	for _, option := range options {
		option(db)
	}
	var dialector gorm.Dialector
	var err error
	switch {
	case strings.HasPrefix(address, "sqlite:"):
		db.dialect = SQLite
		db.writer = make(chan struct{}, 1)
		db.pool, err = db.openSQLite(strings.TrimPrefix(address, "sqlite:"))
		dialector = gormlite.OpenDB(db.pool)
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		db.dialect = Postgres
		db.pool, err = db.openPostgres(address)
		dialector = postgres.New(postgres.Config{Conn: db.pool})
	default:
		return nil, errors.New("database: the address must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	if err := db.pool.PingContext(ctx); err != nil {
		_ = db.pool.Close()
		if unreadable(err) {
			return nil, notSQLite(strings.TrimPrefix(address, "sqlite:"))
		}
		//mutant:replace describe(address) => address TestErrorsOmitPassword
		return nil, fmt.Errorf("database: can't reach %s: %w", describe(address), oneLine{err})
	}
	if err := db.checkEncoding(ctx); err != nil {
		_ = db.pool.Close()
		return nil, err
	}
	if db.existing {
		if err := db.prepareExisting(ctx); err != nil {
			_ = db.pool.Close()
			return nil, err
		}
	}
	db.gorm, err = gorm.Open(dialector, &gorm.Config{
		TranslateError: true,
		//mutant:drop TestColumnsAreNamed
		QueryFields:            true, // never SELECT *: see TestColumnsAreNamed
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
		NowFunc:                db.Now,
	})
	if err != nil {
		_ = db.pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := translateErrors(db); err != nil {
		_ = db.pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}

func (db *DB) openSQLite(path string) (*sql.DB, error) {
	if path == "" {
		return nil, errors.New("database: sqlite: needs a path")
	}
	mode := "mode=rwc&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)"
	if db.existing {
		mode = "mode=rw&_pragma=busy_timeout(10000)" // must not change a file of another program
		//mutant:replace err := checkFile(path); => err := os.MkdirAll(filepath.Dir(path), 0o700); TestExistingOnlyCreatesNothing
		if err := checkFile(path); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	// busy_timeout comes first: the other pragmas may already meet a lock.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + mode + "&_pragma=synchronous(full)" +
		"&_pragma=foreign_keys(on)&_pragma=recursive_triggers(on)&_pragma=cache_size(-20000)&_txlock=immediate"
	connector, err := (&sqlite.SQLite{}).OpenConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	connector = cachingConnector{connector, traceSQLite(db.trace)}
	if db.wrap != nil {
		connector = db.wrap(connector)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(12)
	pool.SetMaxIdleConns(12)
	return pool, nil
}

// oneLine joins the lines of an error, each once: pgx has a line for each host
// and way to connect, with and without TLS.
type oneLine struct{ error }

func (e oneLine) Error() string {
	var words []string
	seen := map[string]bool{}
	for line := range strings.Lines(e.error.Error()) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !seen[line] {
			seen[line] = true
			words = append(words, line)
		}
	}
	return strings.Join(words, " ")
}

func (e oneLine) Unwrap() error { return e.error }

// IsUniqueViolation reports whether err is the violation of a unique key. Packages
// other than stores need not import GORM for it.
func IsUniqueViolation(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// describe returns an address without its secrets.
func describe(address string) string {
	if strings.HasPrefix(address, "sqlite:") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the PostgreSQL of the address"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// checkEncoding refuses a PostgreSQL database that cannot store every name:
// SQL_ASCII neither validates nor compares letters, and other encodings lack
// Kyrgyz letters.
func (db *DB) checkEncoding(ctx context.Context) error {
	if db.dialect != Postgres {
		return nil
	}
	var encoding string
	if err := db.pool.QueryRowContext(ctx, "SELECT current_setting('server_encoding')").Scan(&encoding); err != nil {
		return fmt.Errorf("database: %w", oneLine{err})
	}
	//mutant:drop TestOpenRefusesOtherEncodings
	if encoding != "UTF8" {
		return fmt.Errorf("database: its encoding is %s and must be UTF8: make another one by `createdb -E UTF8 -T template0 NAME`", encoding)
	}
	return nil
}

// Close closes all connections. Later statements return fault.Unavailable.
func (db *DB) Close() error {
	db.closed.Store(true)
	return db.pool.Close()
}

// Ping returns nil if the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.PingContext(ctx) }

// Dialect returns the kind of database.
func (db *DB) Dialect() Dialect { return db.dialect }

// Pool returns the connection pool, for migrations and metrics.
func (db *DB) Pool() *sql.DB { return db.pool }

// Gorm returns a handle outside of transactions, for queries and single
// statements; for store files only. Its errors are fault.Unavailable when the
// database cannot be reached or is too busy.
func (db *DB) Gorm(ctx context.Context) *gorm.DB { return db.gorm.WithContext(ctx) }

// Now returns the current time as the database stores it; see StoredTime.
func (db *DB) Now() time.Time { return StoredTime(db.clock()) }

// NewID returns a new id: unique, positive, and ascending with time.
func (db *DB) NewID() int64 { return db.ids.next(db.clock()) }

// StoredTime returns a time in the form that both databases store and sort in the
// same way: UTC, in microseconds, whose last digit is never zero. SQLite stores
// times as text without trailing zeros, so that a time with fewer digits would
// sort after a later one of the same second.
func StoredTime(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond()%10_000 == 0 {
		t = t.Add(time.Microsecond)
	}
	return t
}
