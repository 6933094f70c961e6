package database_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// Attempts that were made before they had ids get one with their time each.
func TestMigrationFillsAttemptIDs(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		db = databasetest.Owner(t, db)
		if err := db.Rollback(ctx, 63); err != nil {
			t.Fatal(err)
		}
		exec, at := execTo(t, db), database.StoredTime(db.Now().Add(-time.Hour))
		for number, outcome := range []any{"later", nil, "refused", nil} {
			exec("INSERT INTO payment_attempts (payment_id, number, started_at, outcome) VALUES (7, $1, $2, $3)", number, at, outcome)
		}
		exec("INSERT INTO payment_attempts (payment_id, number, started_at) VALUES (8, 1, $1)", at.Add(time.Minute))
		exec("INSERT INTO payment_attempts (payment_id, number, started_at) VALUES (9, 1, $1)", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		var rows []struct{ ID, PaymentID int64 }
		if err := db.Gorm(ctx).Raw("SELECT DISTINCT id, payment_id FROM payment_attempts WHERE id IS NOT NULL").Scan(&rows).Error; err != nil || len(rows) != 6 {
			t.Fatalf("%+v, %v", rows, err)
		}
		for _, r := range rows {
			want := map[int64]time.Time{7: at, 8: at.Add(time.Minute), 9: database.TimeOfID(0)}[r.PaymentID]
			if off := database.TimeOfID(r.ID).Sub(want).Abs(); off > 2*time.Millisecond {
				t.Errorf("an attempt of payment %d has the id %d, which is %v off", r.PaymentID, r.ID, off)
			}
		}
	})
}
