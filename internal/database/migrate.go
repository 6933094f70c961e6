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

// ErrNewer reports a schema of a later release, which this program must not
// change.
var ErrNewer = errors.New("database: its schema is newer than this program: of this release only `elsom serve` may go on beside it, " +
	"and it changes nothing; run the newer release's elsom for everything else")

// ErrNotOwner reports that the database role may not migrate the schema.
var ErrNotOwner = errors.New("database: this role may not make or change its tables; " +
	"run `elsom migrate` with the role that owns the database, then start again")

// Migrate brings the schema to this program's version, and gives the serving roles
// their rights. It returns ErrNewer if the schema is newer and ErrNotOwner if it must
// be changed and the role lacks the rights. Concurrent calls of several processes are
// safe.
func (db *DB) Migrate(ctx context.Context) error {
	err := db.CheckSchema(ctx)
	if err != nil && !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrOlder) {
		return err
	}
	if rights := db.checkRights(ctx); rights != nil {
		if err == nil && errors.Is(rights, ErrNotOwner) {
			return nil // nothing to migrate
		}
		return rights
	}
	if err != nil {
		if err := db.up(ctx); err != nil {
			return err
		}
	}
	if err := repeated(ctx, func() error { return db.grant(ctx) }); err != nil {
		return fmt.Errorf("database: rights of the serving role: %w", oneLine{err})
	}
	return nil
}

func (db *DB) up(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return fmt.Errorf("database: migrations: %w", err)
	}
	// On PostgreSQL two processes may both create the locker's table; on SQLite one of two
	// fails at each migration, and tries again as long as the other gets on.
	for reached := int64(-1); ; {
		err := repeated(ctx, func() error {
			if err := db.applyOnce(ctx, provider); err != nil {
				return err
			}
			_, err := provider.Up(ctx)
			return err
		})
		if err == nil {
			return nil
		}
		version, failed := db.version(ctx)
		if failed != nil || version <= reached {
			return fmt.Errorf("database: migrate: %w", oneLine{err})
		}
		reached = version
	}
}

// applyOnce makes a second application of a migration fail on SQLite, for which goose has
// no locker: a process that was waiting for the file would otherwise apply a migration
// again after later ones, and one that makes a table anew would drop what they added. The
// row of a version is written in the migration's transaction.
func (db *DB) applyOnce(ctx context.Context, provider *goose.Provider) error {
	if db.dialect != SQLite {
		return nil
	}
	if _, err := provider.GetDBVersion(ctx); err != nil { // creates the table
		return err
	}
	for _, statement := range []string{
		"DELETE FROM goose_db_version WHERE id NOT IN (SELECT MIN(id) FROM goose_db_version GROUP BY version_id)",
		//mutant:replace UNIQUE INDEX => INDEX TestMigrationIsAppliedOnce
		"CREATE UNIQUE INDEX IF NOT EXISTS goose_db_version_once ON goose_db_version (version_id)",
	} {
		if _, err := db.pool.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// repeated calls a function until it succeeds, eight times: probably another process
// migrates.
func repeated(ctx context.Context, do func() error) (err error) {
	const tries = 8
	for try := range tries {
		if err = do(); err == nil || ctx.Err() != nil {
			break
		}
		select {
		case <-time.After(time.Duration(try+1) * 100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return err
}

// checkRights checks the role's rights first, so that no migration fails halfway.
func (db *DB) checkRights(ctx context.Context) error {
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

// target returns the version of this program's schema.
func (db *DB) target() (int64, error) {
	provider, err := db.provider()
	if err != nil {
		return 0, fmt.Errorf("database: migrations: %w", err)
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}

// Rollback reverts all migrations after a version, for tests.
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
