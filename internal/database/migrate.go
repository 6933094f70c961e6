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
var ErrNewer = errors.New("database: its schema is newer than this program; run the newer release")

// Migrate brings the schema to this program's version. Several processes may
// start at the same moment.
func (db *DB) Migrate(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return fmt.Errorf("database: migrations: %w", err)
	}
	if err := db.refuseNewer(ctx, provider); err != nil {
		return err
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
	return fmt.Errorf("database: migrate: %w", err)
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

func (db *DB) refuseNewer(ctx context.Context, provider *goose.Provider) error {
	sources := provider.ListSources()
	target := sources[len(sources)-1].Version
	// An error here is an empty database; what else is wrong, Up will tell.
	if current, err := provider.GetDBVersion(ctx); err == nil && current > target {
		return ErrNewer
	}
	return nil
}
