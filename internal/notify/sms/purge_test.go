package sms_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/notify/sms"
	"elsom/internal/testkit/require"
)

// Old messages are deleted, or emptied where their repeats are counted; queued ones and
// young ones stay.
func TestPurgeKeepsYoungMessages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := context.Background(), db.Now()
		for i, m := range []struct {
			state   string
			repeats int
			age     time.Duration
		}{
			{"delivered", 0, 48 * time.Hour}, {"failed", 2, 48 * time.Hour}, {"queued", 0, 48 * time.Hour}, {"sent", 0, time.Hour}, {"sent", 1, time.Hour},
		} {
			require.NoError(t, db.Gorm(ctx).Exec(`INSERT INTO messages (id, key, phone, text, state, repeats, made_at) VALUES (?, ?, '+996700123456', 'text', ?, ?, ?)`,
				i+1, fmt.Sprint(i), m.state, m.repeats, now.Add(-m.age)).Error)
		}
		ms := sms.NewMessages(db, nil)
		for _, want := range []int64{2, 0} {
			if n, err := ms.Purge(ctx, now.Add(-24*time.Hour)); n != want || err != nil {
				t.Errorf("purged %d (%v), want %d", n, err, want)
			}
		}
		var left, texts int
		require.NoError(t, db.Gorm(ctx).Raw("SELECT COUNT(*) FROM messages").Scan(&left).Error)
		require.NoError(t, db.Gorm(ctx).Raw("SELECT COUNT(*) FROM messages WHERE phone <> '' AND text <> ''").Scan(&texts).Error)
		if left != 4 || texts != 3 {
			t.Errorf("%d rows are left, %d with texts; want 4 and 3", left, texts)
		}
	})
}
