package database_test

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// addVersions is an update of the catalog's state that is to change rows with these ids;
// there is one, with the id 1.
func addVersions(ids ...int64) database.Update {
	return database.Update{
		Set: "catalog_state SET version = version + 1000", Where: "catalog_state.id = v.id",
		Values: []database.Column{database.NewColumn("id", "bigint", ids)},
	}
}

func catalogVersion(t *testing.T, db *database.DB) (version int64) {
	t.Helper()
	require.NoError(t, db.Gorm(t.Context()).Raw("SELECT version FROM catalog_state").Scan(&version).Error)
	return version
}

// An update that is sent with the next statement fails that statement, or the commit, if
// it changed another number of rows than it had to.
func TestRowCountIsComparedBeforeCommit(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		before := catalogVersion(t, db)
		for name, next := range map[string]func(tx *database.Tx) error{
			"commit": func(*database.Tx) error { return nil },
			"query":  func(tx *database.Tx) error { return tx.Gorm().Raw("SELECT 1").Scan(new(int)).Error },
			"statement": func(tx *database.Tx) error {
				return tx.Gorm().Exec("UPDATE catalog_state SET version = version + 1").Error
			},
			"write set": func(tx *database.Tx) error { return tx.Write(insertEmails(7)) },
		} {
			err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
				if err := tx.UpdateWithNext(addVersions(1, 2)); err != nil {
					return err
				}
				return next(tx)
			})
			if !errors.Is(err, database.ErrRowCount) || fault.Is(err, fault.Unknown) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after := catalogVersion(t, db); after != before {
			t.Errorf("version %d, was %d", after, before)
		}
	})
}

// insertEmails inserts rows of a table with a unique id.
func insertEmails(ids ...int64) database.WriteSet {
	return database.WriteSet{Inserts: []database.Rows{{Table: "email_inbox", Columns: []database.Column{
		database.NewColumn("id", "bigint", ids), database.ColumnOf("message_id", "text", ids, func(id *int64) string { return strconv.FormatInt(*id, 10) }),
		database.ConstColumn("recipient", "text", "a@b"), database.ConstColumn("subject", "text", ""), database.ConstColumn("text", "text", ""),
		database.ConstColumn("created_at", "timestamptz", time.Unix(0, 0)),
	}}}}
}

// The error of a statement that is sent with COMMIT is known to have committed nothing.
func TestStatementSentWithCommitFails(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		write := func(ids ...int64) error {
			return db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
				if err := tx.UpdateWithNext(addVersions(1)); err != nil {
					return err
				}
				return tx.Write(insertEmails(ids...))
			})
		}
		before := catalogVersion(t, db)
		require.NoError(t, write(1, 2))
		if err := write(3, 2); !database.IsUniqueViolation(err) || fault.Is(err, fault.Unknown) {
			t.Error(err)
		}
		require.NoError(t, write(3))
		if after := catalogVersion(t, db); after != before+2000 {
			t.Errorf("version %d, was %d", after, before)
		}
	})
}

// A transaction without statements has nothing to commit, and its connection is used
// again.
func TestEmptyTransactions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		failure := errors.New("no")
		for range 2 {
			require.NoError(t, db.InTx(t.Context(), func(context.Context, *database.Tx) error { return nil }))
			if err := db.InTx(t.Context(), func(context.Context, *database.Tx) error { return failure }); !errors.Is(err, failure) {
				t.Error(err)
			}
		}
		require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return tx.Update(addVersions(1)) }))
	})
}

// Values of a transaction's first query are read as those of any other.
func TestFirstQuery(t *testing.T) {
	db := databasetest.Postgres(t)
	type values struct {
		A int64
		B int32
		C string
		D []byte
		E time.Time
		F bool
		G *string
		H float64
		I int16
		J string
	}
	query := func(tx *database.Tx) (v values, err error) {
		err = tx.Gorm().Raw(`SELECT 1::bigint AS a, 2::int AS b, 'Өң' AS c, '\x00ff'::bytea AS d, '2026-12-01 10:00:00.123456Z'::timestamptz AS e,
			true AS f, NULL::text AS g, 1.5::float8 AS h, 3::smallint AS i, 12.50::numeric AS j`).Scan(&v).Error
		return v, err
	}
	require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		first, err := query(tx)
		require.NoError(t, err)
		second, err := query(tx)
		require.NoError(t, err)
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%+v, want %+v", first, second)
		}
		return nil
	}))
	// A type that database/sql has no value for is an error, not a guess.
	err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Raw("SELECT '{1,2}'::bigint[] AS a").Scan(new(string)).Error
	})
	if err == nil {
		t.Error("an array was read as a text")
	}
}

// After a first statement that PostgreSQL can't prepare, nothing of the transaction is
// written, even if its error was ignored.
func TestFirstStatementFails(t *testing.T) {
	db := databasetest.Postgres(t)
	failure := errors.New("no")
	before := catalogVersion(t, db)
	for name, first := range map[string]func(tx *database.Tx) error{
		"query":     func(tx *database.Tx) error { return tx.Gorm().Raw("SELECT x FROM no_such_table").Scan(new(int)).Error },
		"statement": func(tx *database.Tx) error { return tx.Gorm().Exec("UPDATE no_such_table SET x = 1").Error },
	} {
		for _, end := range []error{failure, nil} {
			err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
				if first(tx) == nil || tx.Update(addVersions(1)) == nil || catalogVersionIn(tx) == nil {
					t.Error(name, "or a later statement has no error")
				}
				return end
			})
			if err == nil || fault.Is(err, fault.Unknown) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if after := catalogVersion(t, db); after != before {
		t.Errorf("version %d, was %d", after, before)
	}
}

func catalogVersionIn(tx *database.Tx) error {
	return tx.Gorm().Raw("SELECT version FROM catalog_state").Scan(new(int64)).Error
}
