package databasetest_test

import (
	"context"
	"os"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

func TestIsolationLevel(t *testing.T) {
	t.Parallel()
	level := "read committed"
	if os.Getenv("ELSOM_TEST_ISOLATION") == "serializable" {
		level = "serializable"
	}
	for want, db := range map[string]*database.DB{level: databasetest.Postgres(t), "serializable": databasetest.Serializable(t)} {
		var got string
		if err := db.Gorm(context.Background()).Raw("SHOW transaction_isolation").Scan(&got).Error; err != nil || got != want {
			t.Errorf("isolation level %s (%v), want %s", got, err, want)
		}
	}
}
