package databasetest_test

import (
	"context"
	"os"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// A suite that is run at another isolation really is.
func TestIsolationIsTheOneAskedFor(t *testing.T) {
	t.Parallel()
	usual := "read committed"
	if os.Getenv("ELSOM_TEST_ISOLATION") == "serializable" {
		usual = "serializable"
	}
	for want, db := range map[string]*database.DB{usual: databasetest.Postgres(t), "serializable": databasetest.Serializable(t)} {
		var got string
		if err := db.Gorm(context.Background()).Raw("SHOW transaction_isolation").Scan(&got).Error; err != nil || got != want {
			t.Errorf("transactions are %s (%v), not %s", got, err, want)
		}
	}
}
