// Package database opens the one store of the house, PostgreSQL or embedded
// SQLite, runs transactions on it, and migrates its schema.
//
// It promises that the same portable SQL behaves alike on both: times are
// stored in UTC and sort, a transaction that the database asks to repeat is
// repeated, and a commit whose answer was lost is told as unknown. It knows no
// table. GORM's handles are for the store files of the other packages.
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
)

// Dialect tells which of the two databases is behind a DB.
type Dialect string

// The two databases.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Connections is the pool's size on PostgreSQL: two flights of the ledger,
// the deliveries of a few billers, and page reads, on a machine of few cores.
const MaxConnections = 24

// DB is an open database.
type DB struct {
	dialect Dialect
	gorm    *gorm.DB
	pool    *sql.DB
	clock   func() time.Time
	ids     *idSource
	// writer lets one transaction at a time into SQLite, which has a single
	// writer anyway: waiting here is fair, its busy handler is not. Safety
	// doesn't rest on it; other processes have their own.
	writer   chan struct{}
	closed   atomic.Bool
	postgres *connector // nil on SQLite
	// left counts commits that still wait though their callers are gone.
	left atomic.Int64
	// hanging counts those of them that have waited for long.
	hanging atomic.Int64
	// barrier and confirmed are what Confirm works with.
	barrier *Coalescer[struct{}, struct{}]
	durable recentKeys
	trace   func(statement string, args []any)
	lend    func(driver.Connector) driver.Connector
	// existing: nothing is made, see Existing.
	existing bool
}

// Option changes how a database is opened.
type Option func(*DB)

// WithClock replaces the clock, for tests.
func WithClock(clock func() time.Time) Option { return func(db *DB) { db.clock = clock } }

// WithTrace tells each statement as it is sent, BEGIN and COMMIT too, for tests.
// Only PostgreSQL tells the values.
func WithTrace(trace func(statement string, args []any)) Option {
	return func(db *DB) { db.trace = trace }
}

// WithConnections puts something between an SQLite database and its connections,
// for tests.
func WithConnections(lend func(driver.Connector) driver.Connector) Option {
	return func(db *DB) { db.lend = lend }
}

// Open opens "sqlite:PATH" (the folder is made where it is missing) or
// "postgres://…". It tries the connection once, so that a wrong address is
// told at once, and never prints the address's password.
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
		return nil, fmt.Errorf("database: can't reach %s: %w", describe(address), oneLine{err})
	}
	if err := db.checkEncoding(ctx); err != nil {
		_ = db.pool.Close()
		return nil, err
	}
	if db.existing {
		if err := db.settle(ctx); err != nil {
			_ = db.pool.Close()
			return nil, err
		}
	}
	db.gorm, err = gorm.Open(dialector, &gorm.Config{
		TranslateError: true,
		//mutant:drop TestColumnsAdded
		QueryFields:            true, // never SELECT *: see TestColumnsAdded
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
		NowFunc:                db.Now,
	})
	if err != nil {
		_ = db.pool.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := tellAway(db); err != nil {
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
		mode = "mode=rw&_pragma=busy_timeout(10000)" // a file that isn't ours stays as it is
		//mutant:replace err := existing(path); => err := os.MkdirAll(filepath.Dir(path), 0o700); TestExistingOnlyCreatesNothing
		if err := existing(path); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	// busy_timeout stands first: what follows may already meet a lock.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + mode + "&_pragma=synchronous(full)" +
		"&_pragma=foreign_keys(on)&_pragma=recursive_triggers(on)&_pragma=cache_size(-20000)&_txlock=immediate"
	connector, err := (&sqlite.SQLite{}).OpenConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	connector = keeping{connector, traceSQLite(db.trace)}
	if db.lend != nil {
		connector = db.lend(connector)
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

// IsUniqueViolation tells that a unique key has its row already. GORM's own error, so that
// only stores have to know GORM.
func IsUniqueViolation(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// describe names an address without its secrets.
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

// checkEncoding refuses a PostgreSQL database that can't hold every name: in
// SQL_ASCII nothing is checked and nothing compares by letters, and the other
// encodings lack Kyrgyz ones.
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

// Close ends all connections. Whoever still asks gets fault.Unavailable.
func (db *DB) Close() error {
	db.closed.Store(true)
	return db.pool.Close()
}

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.PingContext(ctx) }

// Dialect tells which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Pool is the connection pool, for migrations and figures.
func (db *DB) Pool() *sql.DB { return db.pool }

// Gorm gives a handle outside any transaction, for reading and for single
// statements; for store files only. A database that is away, or too busy, is
// told as fault.Unavailable.
func (db *DB) Gorm(ctx context.Context) *gorm.DB { return db.gorm.WithContext(ctx) }

// Now is the present moment as the database stores it.
func (db *DB) Now() time.Time { return StoredTime(db.clock()) }

// NewID draws an id: unique, positive, and growing with time.
func (db *DB) NewID() int64 { return db.ids.next(db.clock()) }

// StoredTime brings a time to the form that both databases keep and order alike:
// UTC, whole microseconds, the last digit never zero. SQLite keeps times as
// text and leaves trailing zeros out, so that a time with fewer digits would
// sort behind a later one of the same second.
func StoredTime(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond()%10_000 == 0 {
		t = t.Add(time.Microsecond)
	}
	return t
}
