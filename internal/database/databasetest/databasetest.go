// Package databasetest creates fresh, migrated databases of both kinds for tests.
//
// It never skips a test: without PostgreSQL the test fails with a message that says
// what to install. ELSOM_TEST_POSTGRES is the address of a running server
// (postgres://user@host:port) to be used instead of one started for the tests. With
// ELSOM_TEST_ISOLATION=serializable the started server runs every transaction at that
// isolation level.
package databasetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// Each runs the test on a fresh SQLite and on a fresh PostgreSQL database.
func Each(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, Postgres(t)) })
}

// EachIsolation runs the test as Each does, and on a PostgreSQL database where every
// transaction is serializable. It is for code that moves money.
func EachIsolation(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	Each(t, test)
	t.Run("serializable", func(t *testing.T) { t.Parallel(); test(t, Serializable(t)) })
}

// Serializable returns a fresh, migrated PostgreSQL database where every transaction is
// serializable.
func Serializable(t testing.TB, options ...database.Option) *database.DB {
	t.Helper()
	if err := postgresTemplate(); err != nil {
		t.Fatalf("PostgreSQL template: %v", err)
	}
	return open(t, create(t, templateName)+"&default_transaction_isolation=serializable", options)
}

// Addresses returns the addresses of a fresh, empty database of each kind, for tests
// that start the program itself.
func Addresses(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "elsom.db"),
		"postgres": create(t, "template0"),
	}
}

// SQLite returns a fresh, migrated SQLite database.
func SQLite(t testing.TB, options ...database.Option) *database.DB {
	t.Helper()
	original, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("SQLite template: %v", err)
	}
	path := filepath.Join(t.TempDir(), "elsom.db")
	if err := os.WriteFile(path, original, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, "sqlite:"+path, options)
}

// Postgres returns a fresh, migrated PostgreSQL database.
func Postgres(t testing.TB, options ...database.Option) *database.DB {
	t.Helper()
	if err := postgresTemplate(); err != nil {
		t.Fatalf("PostgreSQL template: %v", err)
	}
	return open(t, create(t, templateName), options)
}

// Reopen opens another handle to a database, as another process would.
func Reopen(t testing.TB, address string, options ...database.Option) *database.DB {
	t.Helper()
	return open(t, address, options)
}

func open(t testing.TB, address string, options []database.Option) *database.DB {
	t.Helper()
	options = append([]database.Option{database.WithKeys(Keys(), false)}, options...)
	db, err := database.Open(context.Background(), address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Keys returns the books' keys of databases in tests.
var Keys = sync.OnceValue(func() *signature.Keys {
	keys, err := signature.ParseKeys("books-key-of-all-tests-books-key-of-all-tests")
	if err != nil {
		panic(err)
	}
	return keys
})

// sqliteTemplate returns a migrated database file, created once per process and copied
// for each test.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "elsom-sqlite")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// templateName is different in each process, since packages are tested concurrently and
// may share a server.
var templateName = fmt.Sprintf("elsom_template_%d", os.Getpid())

var postgresTemplate = sync.OnceValue(func() error {
	server, err := Server()
	if err != nil {
		return err
	}
	if err := server.exec("CREATE DATABASE " + templateName + " TEMPLATE template0"); err != nil {
		return err
	}
	return migrate(server.Address(templateName))
})

func migrate(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := database.Open(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	if db.Dialect() == database.SQLite {
		// Move everything into the one file that is copied.
		_, err = db.Pool().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return err
}

var counter atomic.Int64

func create(t testing.TB, template string) string {
	t.Helper()
	server, err := Server()
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("elsom_%d_%d", os.Getpid(), counter.Add(1))
	if err := server.exec("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil &&
			!strings.Contains(err.Error(), "closed") {
			t.Logf("drop %s: %v", name, err)
		}
	})
	return server.Address(name)
}
