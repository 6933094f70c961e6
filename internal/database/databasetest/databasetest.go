// Package databasetest creates fresh, migrated databases of both kinds for tests.
//
// It never skips a test: without PostgreSQL the test fails with a message that says
// what to install. On PostgreSQL, tests work as the program does: with a role that may
// only do what `elsom serve` does. What only the owner of the tables may do, such as
// dropping a trigger, needs the handle that Owner returns. ELSOM_TEST_POSTGRES is the address of a running server
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

// Addresses returns the addresses of a fresh database of each kind, for tests that
// start the program itself: an empty one of SQLite, which it migrates, and a migrated
// one of PostgreSQL with the serving role.
func Addresses(t *testing.T) map[string]string {
	t.Helper()
	if err := postgresTemplate(); err != nil {
		t.Fatalf("PostgreSQL template: %v", err)
	}
	return map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "elsom.db"),
		"postgres": create(t, templateName),
	}
}

// EmptyAddresses returns the addresses of an empty database of each kind, for tests of
// what creates the tables. That of PostgreSQL is for the owner.
func EmptyAddresses(t *testing.T) map[string]string {
	t.Helper()
	address := create(t, "template0")
	server, err := Server()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.createRoles(address[strings.LastIndex(address, "/")+1 : strings.LastIndex(address, "?")]); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "elsom.db"), "postgres": OwnerAddress(address)}
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

// Postgres returns a fresh, migrated PostgreSQL database, opened by the serving role.
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
	addresses.Store(db, address)
	t.Cleanup(func() { addresses.Delete(db); _ = db.Close() })
	return db
}

// Key is the books' key of databases in tests.
const Key = "books-key-of-all-tests-books-key-of-all-tests"

// Keys returns the books' keys of databases in tests.
var Keys = sync.OnceValue(func() *signature.Keys {
	keys, err := signature.ParseKeys(Key)
	if err != nil {
		panic(err)
	}
	return keys
})

// addresses has the address of each open database.
var addresses sync.Map

// Owner returns a handle to db of the role that owns the tables of a PostgreSQL
// database: it may drop triggers and change what is append-only to the serving role.
// SQLite has no roles; it returns db itself.
func Owner(t testing.TB, db *database.DB) *database.DB { t.Helper(); return as(t, db, OwnerRole) }

// Superuser returns a handle to db of a superuser of PostgreSQL, who may also disable
// the triggers of foreign keys. On SQLite it returns db itself.
func Superuser(t testing.TB, db *database.DB) *database.DB { t.Helper(); return as(t, db, superuser()) }

func as(t testing.TB, db *database.DB, role string) *database.DB {
	t.Helper()
	if db.Dialect() == database.SQLite {
		return db
	}
	address, found := addresses.Load(db)
	if !found {
		t.Fatal("the database wasn't opened by databasetest")
	}
	return open(t, addressAs(address.(string), role), nil)
}

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
	return server.Prepare(templateName)
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
	statement := "CREATE DATABASE " + name + " TEMPLATE " + template
	if template == templateName {
		statement += " OWNER " + OwnerRole
	}
	if err := server.exec(statement); err != nil {
		t.Fatal(err)
	}
	if template == templateName { // a template's rights are not copied
		if err := server.exec("REVOKE CREATE, TEMPORARY ON DATABASE " + name + " FROM PUBLIC"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := server.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil &&
			!strings.Contains(err.Error(), "closed") {
			t.Logf("drop %s: %v", name, err)
		}
	})
	return addressAs(server.Address(name), ServingRole)
}
