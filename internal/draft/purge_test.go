package draft_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/draft"
	"elsom/internal/testkit/require"
)

// A draft is deleted a day after it expired, however long it could be accepted.
func TestPurge(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, begin := context.Background(), time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
		at := func(now time.Time) *database.DB {
			database.WithClock(func() time.Time { return now })(db)
			return db
		}
		for i, lifetime := range []time.Duration{time.Hour, 2 * time.Hour, 40 * time.Hour} {
			now := begin.Add(time.Duration(i) * time.Second)
			require.NoError(t, at(now).Gorm(ctx).Exec(`INSERT INTO wallet_transfer_drafts (id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at)
				VALUES (?, 1, 2, '', '', 100, 'web', ?, ?)`, database.FirstID(now), now, now.Add(lifetime)).Error)
		}
		for _, c := range []struct {
			after time.Duration
			want  int64
		}{{24 * time.Hour, 0}, {25*time.Hour + time.Minute, 1}, {26*time.Hour + time.Minute, 1}, {48 * time.Hour, 0}, {65 * time.Hour, 1}} {
			n, err := draft.Purge(ctx, at(begin.Add(c.after)), "wallet_transfer_drafts")
			if require.NoError(t, err); n != c.want {
				t.Errorf("%v later, %d drafts are deleted, want %d", c.after, n, c.want)
			}
		}
	})
}
