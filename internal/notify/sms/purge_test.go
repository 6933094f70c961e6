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

// Old messages are deleted, sent or not, or emptied where their repeats are counted;
// young ones stay, and those that are being sent.
func TestPurgeKeepsYoungMessages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := context.Background(), db.Now()
		for i, m := range []struct {
			state   string
			repeats int
			askedBy int
			age     time.Duration
		}{
			{"delivered", 0, 0, 48 * time.Hour}, {"failed", 2, 0, 48 * time.Hour}, {"queued", 0, 0, 48 * time.Hour}, {"queued", 1, 0, 48 * time.Hour},
			{"queued", 0, 7, 48 * time.Hour}, {"queued", 0, 0, time.Hour}, {"sent", 0, 0, time.Hour}, {"sent", 1, 0, time.Hour},
		} {
			require.NoError(t, db.Gorm(ctx).Exec(`INSERT INTO messages (id, key, phone, text, state, repeats, asked_by, asked_at, made_at)
				VALUES (?, ?, '+996700123456', 'text', ?, ?, ?, ?, ?)`, i+1, fmt.Sprint(i), m.state, m.repeats, m.askedBy, now, now.Add(-m.age)).Error)
		}
		ms := sms.NewMessages(db, nil)
		for _, want := range []int64{4, 0} {
			if n, err := ms.Purge(ctx, now.Add(-24*time.Hour)); n != want || err != nil {
				t.Errorf("purged %d (%v), want %d", n, err, want)
			}
		}
		var left, texts int
		require.NoError(t, db.Gorm(ctx).Raw("SELECT COUNT(*) FROM messages").Scan(&left).Error)
		require.NoError(t, db.Gorm(ctx).Raw("SELECT COUNT(*) FROM messages WHERE phone <> '' AND text <> ''").Scan(&texts).Error)
		if left != 6 || texts != 4 {
			t.Errorf("%d rows are left, %d with texts; want 6 and 4", left, texts)
		}
	})
}

// Without a sender messages end too, and nothing of a code stays.
func TestEndUnsent(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, now := context.Background(), db.Now()
		ago := func(d time.Duration) *time.Time { at := database.StoredTime(now.Add(-d)); return &at }
		for i, m := range []struct {
			name, phone, state string
			expiresAt          *time.Time
			askedBy            int
			askedAt            *time.Time
			want               string
			age                time.Duration
		}{
			{"too late", "+996700123456", "queued", ago(time.Second), 0, nil, "failed", 0},
			{"in time", "+996700123456", "queued", ago(-time.Hour), 0, nil, "queued", 0},
			{"at any time", "+996700123456", "queued", nil, 0, nil, "queued", 0},
			{"being sent", "+996700123456", "queued", ago(time.Second), 7, ago(time.Minute), "queued", 0},
			{"response lost", "+996700123456", "queued", ago(time.Second), 7, ago(3 * time.Minute), "failed", 0},
			{"sent", "+996700123456", "sent", ago(time.Second), 0, ago(time.Minute), "sent", 0},
			{"no message", "", "queued", ago(-time.Hour), 0, nil, "", 0},
			{"old", "+996700123456", "queued", nil, 0, nil, "failed", 8 * 24 * time.Hour},
			{"younger", "+996700123456", "queued", nil, 0, nil, "queued", 6 * 24 * time.Hour},
			{"purged", "", "failed", nil, 0, nil, "failed", 0},
		} {
			require.NoError(t, db.Gorm(ctx).Exec(`INSERT INTO messages (id, key, phone, text, state, expires_at, asked_by, asked_at, sealed, made_at, due_at, queue)
				VALUES (?, ?, ?, 'text', ?, ?, ?, ?, ?, ?, ?, 'sms_codes')`, i+1, m.name, m.phone, m.state, m.expiresAt, m.askedBy, m.askedAt, []byte("sealed"), now.Add(-m.age), now).Error)
			defer func() {
				var rows []struct {
					State  string
					Sealed []byte
				}
				require.NoError(t, db.Gorm(ctx).Raw("SELECT state, sealed FROM messages WHERE key = ?", m.name).Scan(&rows).Error)
				switch {
				case len(rows) == 0 && m.want == "":
				case len(rows) == 0 || rows[0].State != m.want || (rows[0].Sealed == nil) != (m.want != m.state):
					t.Errorf("%s: %+v, want %q", m.name, rows, m.want)
				}
			}()
		}
		ms := sms.NewMessages(db, nil)
		for _, want := range []int64{4, 0} {
			if n, err := ms.EndUnsent(ctx); n != want || err != nil {
				t.Errorf("ended %d (%v), want %d", n, err, want)
			}
		}
	})
}
