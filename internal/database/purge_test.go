package database_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// A purge deletes all matching rows in several transactions.
func TestPurgeBatches(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		const old, young = 2*database.PurgeBatch + 3, 5
		values := make([]string, 0, old+young)
		for n := range old + young {
			values = append(values, fmt.Sprintf("('%d', 1, %d)", n, min(n/old, 1)))
		}
		require.NoError(t, db.Gorm(ctx).Exec("INSERT INTO attempts (id, tries, ends_ms) VALUES "+strings.Join(values, ",")).Error)
		const statement = "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE ends_ms < ? LIMIT ?)"
		for _, want := range []int64{old, 0} {
			if n, err := db.Purge(ctx, statement, 1); n != want || err != nil {
				t.Errorf("deleted %d (%v), want %d", n, err, want)
			}
		}
		var left int
		require.NoError(t, db.Gorm(ctx).Raw("SELECT COUNT(*) FROM attempts").Scan(&left).Error)
		if left != young {
			t.Errorf("%d are left, want %d", left, young)
		}
	})
}
