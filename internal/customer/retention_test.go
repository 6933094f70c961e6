package customer

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// Of wallets closed long ago only the number stays; open ones and those closed lately
// keep everything.
func TestRemovePersonal(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h, now := context.Background(), newFixture(t, db), db.Now()
		for id, closed := range map[int]any{1: now.Add(-48 * time.Hour), 2: now.Add(-time.Hour), 3: nil} {
			require.NoError(t, db.Gorm(ctx).Exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at, name, inn, closed_at, closed_phone)
				VALUES (?, ?, 'a@example.kg', 'ru', '', FALSE, 1, 'standard', ?, 'Айжан', '21603198500123', ?, ?)`,
				id, "~"+string(rune('0'+id)), now, closed, map[bool]string{true: number.String()}[closed != nil]).Error)
			require.NoError(t, db.Gorm(ctx).Exec(`INSERT INTO offer_acceptances (customer_id, version, accepted_at, address, channel) VALUES (?, '1', ?, '192.0.2.7', 'web')`, id, now).Error)
		}
		for _, want := range []int64{2, 0} {
			if n, err := h.RemovePersonal(ctx, now.Add(-24*time.Hour)); n != want || err != nil {
				t.Errorf("changed %d (%v), want %d", n, err, want)
			}
		}
		var named []int64
		require.NoError(t, db.Gorm(ctx).Raw(`SELECT c.id FROM customers c JOIN offer_acceptances o ON o.customer_id = c.id
			WHERE c.name <> '' AND c.inn <> '' AND c.email <> '' AND o.address <> '' ORDER BY c.id`).Scan(&named).Error)
		if len(named) != 2 || named[0] != 2 || named[1] != 3 {
			t.Errorf("names are left of %v, want 2 and 3", named)
		}
	})
}
