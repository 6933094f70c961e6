package ratelimit

import (
	"context"

	"elsom/internal/database"
)

// count adds n attempts in a transaction of its own, so that it is committed
// whatever the outcome of the attempt. It starts a new window, which ends at endsMs,
// if the last one has ended.
func (c *Counters) count(ctx context.Context, key string, n int, nowMs, endsMs int64) (count, ends int64, err error) {
	var row struct{ Tries, EndsMs int64 }
	err = c.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Raw(`INSERT INTO attempts (id, tries, ends_ms) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET
				tries = CASE WHEN attempts.ends_ms <= ? THEN excluded.tries ELSE attempts.tries + excluded.tries END,
				ends_ms = CASE WHEN attempts.ends_ms <= ? THEN excluded.ends_ms ELSE attempts.ends_ms END
			RETURNING tries, ends_ms`, key, n, endsMs, nowMs, nowMs).Scan(&row).Error
	})
	return row.Tries, row.EndsMs, err
}

func (c *Counters) forget(ctx context.Context, key string) error {
	return c.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`DELETE FROM attempts WHERE id = ?`, key).Error
	})
}

func (c *Counters) purge(ctx context.Context, nowMs int64) (deleted int64, err error) {
	// The outer condition keeps a counter whose new window has started meanwhile.
	return c.db.Purge(ctx, `DELETE FROM attempts WHERE ends_ms <= ? AND id IN
		(SELECT id FROM attempts WHERE ends_ms <= ? LIMIT ?)`, nowMs, nowMs)
}
