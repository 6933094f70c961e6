package database_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// A statement whose prepared form no longer fits or no longer exists is prepared again;
// inside a transaction the whole transaction is run again.
func TestOutdatedPlanIsPreparedAgain(t *testing.T) {
	t.Parallel()
	db := databasetest.Owner(t, databasetest.Postgres(t))
	db.Pool().SetMaxOpenConns(1)
	ctx := context.Background()
	exec := func(statement string) {
		t.Helper()
		require.NoError(t, db.Gorm(ctx).Exec(statement).Error)
	}
	exec("CREATE TABLE shapes (id BIGINT)")
	exec("INSERT INTO shapes VALUES (1)")
	const read, write = "SELECT * FROM shapes WHERE id = ?", "UPDATE shapes SET id = id WHERE id = ? RETURNING *"
	for name, stale := range map[string]string{"changed table": "ALTER TABLE shapes ADD COLUMN c%d BIGINT", "deallocated": "DEALLOCATE ALL"} {
		n := 0
		change := func() {
			n++
			exec(strings.ReplaceAll(stale, "%d", string(rune('a'+n))))
		}
		for _, statement := range []string{read, write} {
			var found []map[string]any
			require.NoError(t, db.Gorm(ctx).Raw(statement, 1).Scan(&found).Error)
			change()
			if err := db.Gorm(ctx).Raw(statement, 1).Scan(&found).Error; err != nil {
				t.Errorf("%s, %s: %v", name, statement, err)
			}
			require.NoError(t, db.Gorm(ctx).Raw(statement, 1).Scan(&found).Error)
			change()
			runs := 0
			err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
				runs++
				return tx.Gorm().Raw(statement, 1).Scan(&found).Error
			})
			if err != nil || runs != 2 {
				t.Errorf("%s, %s in a transaction: %d runs, %v", name, statement, runs, err)
			}
		}
	}
}

// GORM selects the columns of the struct by name.
func TestColumnsAreNamed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var statements []string
	trace := database.WithTrace(func(statement string, _ []any) {
		mu.Lock()
		defer mu.Unlock()
		statements = append(statements, statement)
	})
	for name, db := range map[string]*database.DB{"sqlite": databasetest.SQLite(t, trace), "postgres": databasetest.Postgres(t, trace)} {
		type message struct {
			ID  int64
			Key string
		}
		var rows []message
		require.NoError(t, db.Gorm(context.Background()).Table("promises").Where("id = ?", 1).Limit(1).Find(&rows).Error)
		mu.Lock()
		last := statements[len(statements)-1]
		mu.Unlock()
		if strings.Contains(last, "*") || !strings.Contains(last, "key") {
			t.Errorf("%s: %s", name, last)
		}
	}
	if got := database.ColumnsOf[struct {
		ID     int64
		HasPIN bool `gorm:"column:has_pin"`
	}]("c"); got != "c.id, c.has_pin" {
		t.Error(got)
	}
}

// A statement that exceeds the server's statement_timeout is unavailable.
func TestStatementTimeoutIsUnavailable(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	ctx := context.Background()
	sleep := func(_ context.Context, tx *database.Tx) error {
		return errors.Join(tx.Gorm().Exec("SET LOCAL statement_timeout = 50").Error, tx.Gorm().Exec("SELECT pg_sleep(5)").Error)
	}
	if err := db.InTx(ctx, sleep); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if err := db.ReadTx(ctx, sleep); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
