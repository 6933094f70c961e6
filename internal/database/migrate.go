package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"elsom/migrations"
)

// ErrNewer is a database that a later release has migrated: this program
// doesn't know its schema and must not touch it.
var ErrNewer = errors.New("database: its schema is newer than this program: of this release only `elsom serve` may go on beside it, " +
	"and it changes nothing; run the newer release's elsom for everything else")

// ErrNotOwner is a schema that has to be migrated by another role.
var ErrNotOwner = errors.New("database: this role may not make or change its tables; " +
	"run `elsom migrate` with the role that owns the database, then start again")

// Migrate brings the schema to this program's version: ErrNewer where it is
// beyond that, ErrNotOwner where another role has to. Several processes may
// start at the same moment.
func (db *DB) Migrate(ctx context.Context) error {
	err := db.CheckSchema(ctx)
	if !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrOlder) {
		return err
	}
	if err := db.mayMigrate(ctx); err != nil {
		return err
	}
	provider, err := db.provider()
	if err != nil {
		return fmt.Errorf("database: migrations: %w", err)
	}
	const tries = 8
	for try := range tries {
		if _, err = provider.Up(ctx); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		// Another process was faster: SQLite has no locker, and on PostgreSQL
		// the locker's own table is made by whoever comes first. Look again.
		select {
		case <-time.After(time.Duration(try+1) * 100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return fmt.Errorf("database: migrate: %w", oneLine{err})
}

// mayMigrate checks the role's rights first, so that no migration fails halfway.
func (db *DB) mayMigrate(ctx context.Context) error {
	if db.dialect != Postgres {
		return nil
	}
	var may bool
	err := db.pool.QueryRowContext(ctx, `SELECT COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE)
		AND COALESCE((SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class
			WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')), TRUE)`).Scan(&may)
	if err != nil {
		return fmt.Errorf("database: %w", oneLine{err})
	}
	//mutant:drop TestMigrateNeedsOwner
	if !may {
		return ErrNotOwner
	}
	return nil
}

// target is the version of this program's schema.
func (db *DB) target() (int64, error) {
	provider, err := db.provider()
	if err != nil {
		return 0, fmt.Errorf("database: migrations: %w", err)
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}

// Rollback takes all migrations behind a version back, for tests that go up,
// down and up.
func (db *DB) Rollback(ctx context.Context, version int64) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	_, err = provider.DownTo(ctx, version)
	return err
}

func (db *DB) provider() (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true)}
	if db.dialect == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresTableLocker(
			lock.WithTableLockTimeout(250*time.Millisecond, 240), lock.WithTableLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithLocker(locker))
	}
	return goose.NewProvider(dialect, db.pool, migrations.For(string(db.dialect)), options...)
}
