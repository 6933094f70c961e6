package session

import (
	"context"
	"time"

	"elsom/internal/fault"
)

func (s *Sessions) delete(ctx context.Context, handle int64) error {
	return s.exec(ctx, `DELETE FROM sessions WHERE handle = ?`, handle)
}

func (s *Sessions) touch(ctx context.Context, key string, now time.Time) error {
	return s.exec(ctx, `UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?`, now, key, now)
}

func (s *Sessions) listed(ctx context.Context, customerID, epoch int64, now time.Time) ([]row, error) {
	var rows []row
	err := s.db.Gorm(ctx).Where("customer_id = ? AND epoch = ? AND seen_at >= ? AND ends_at >= ?",
		customerID, epoch, now.Add(-Idle), now).Order("seen_at DESC, id").Limit(100).Find(&rows).Error
	return rows, err
}

// purge deletes by seen_at alone, which is never later than a session's end.
func (s *Sessions) purge(ctx context.Context, now time.Time) (int64, error) {
	old := now.Add(-Idle - keepEnded)
	rows, err := s.db.Purge(ctx, `DELETE FROM sessions WHERE seen_at < ? AND id IN
		(SELECT id FROM sessions WHERE seen_at < ? LIMIT ?)`, old, old)
	return rows, fault.Wrap("session.purge", err)
}
