package ratelimit

import (
	"context"

	"elsom/internal/database"
)

// count adds n attempts in a transaction of its own, so that it is committed
// whatever the outcome of the attempt. It starts a new window, which ends at endsMs,
// if the last one has ended. Counters of a previous key that have not ended are added.
func (c *Counters) count(ctx context.Context, ids []string, n int, nowMs, endsMs int64) (count, ends int64, err error) {
	var row struct{ Tries, EndsMs int64 }
	err = c.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		//mutant:replace ELSE attempts.tries + excluded.tries => ELSE excluded.tries TestTakeConcurrently
		return tx.Gorm().Raw(`INSERT INTO attempts (id, tries, ends_ms) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET
				tries = CASE WHEN attempts.ends_ms <= ? THEN excluded.tries ELSE attempts.tries + excluded.tries END,
				ends_ms = CASE WHEN attempts.ends_ms <= ? THEN excluded.ends_ms ELSE attempts.ends_ms END
			RETURNING tries, ends_ms`, ids[0], n, endsMs, nowMs, nowMs).Scan(&row).Error
	})
	if err != nil || len(ids) == 1 {
		return row.Tries, row.EndsMs, err
	}
	var former int64
	//mutant:replace ends_ms > ? => ends_ms < ? TestAttemptsCountUnderTheNextKey
	err = c.db.Gorm(ctx).Raw(`SELECT CAST(COALESCE(SUM(tries), 0) AS BIGINT) FROM attempts WHERE id IN ? AND ends_ms > ?`, ids[1:], nowMs).Scan(&former).Error
	row.Tries += former
	return row.Tries, row.EndsMs, err
}

// read returns the number of attempts of a counter whose window has not ended.
func (c *Counters) read(ctx context.Context, ids []string, nowMs int64) (count int64, err error) {
	err = c.db.Gorm(ctx).Raw(`SELECT CAST(COALESCE(SUM(tries), 0) AS BIGINT) FROM attempts WHERE id IN ? AND ends_ms > ?`, ids, nowMs).Scan(&count).Error
	return count, err
}

func (c *Counters) forget(ctx context.Context, ids []string) error {
	return c.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec(`DELETE FROM attempts WHERE id IN ?`, ids).Error
	})
}

func (c *Counters) purge(ctx context.Context, nowMs int64) (deleted int64, err error) {
	// The outer condition keeps a counter whose new window has started meanwhile.
	return c.db.Purge(ctx, `DELETE FROM attempts WHERE ends_ms <= ? AND id IN
		(SELECT id FROM attempts WHERE ends_ms <= ? LIMIT ?)`, nowMs, nowMs)
}
