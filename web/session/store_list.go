package session

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// delete deletes the ended session that the request's own cookie named, so it checks
// no customer. handle is the row's number, which names it in the list of sessions.
func (s *Sessions) delete(ctx context.Context, handle int64) error {
	return s.exec(ctx, `DELETE FROM sessions WHERE handle = ?`, handle)
}

// storeMAC replaces a row's mac, unless another request did. id is the row's.
func (s *Sessions) storeMAC(ctx context.Context, id string, from, to []byte) error {
	return s.exec(ctx, `UPDATE sessions SET mac = ? WHERE id = ? AND mac = ?`, to, id, from)
}

// listed returns the customer's sessions that have not ended, by the conditions of
// found.valid. epoch is the customer's current one: a session of another epoch was
// ended. The list is cut at the 100 used last, to bound the page.
func (s *Sessions) listed(ctx context.Context, customerID, epoch int64, now time.Time) ([]row, error) {
	var rows []row
	err := s.db.Gorm(ctx).Where("customer_id = ? AND epoch = ? AND seen_at >= ? AND ends_at >= ?",
		customerID, epoch, now.Add(-Idle), now).Order("seen_at DESC, id").Limit(100).Find(&rows).Error
	return rows, err
}

// purge deletes the sessions that ended at least keepEnded ago; until then the login
// page says why they ended. seen_at decides alone, because a session ends no later than
// Idle after it. They began before that, so they are a range of handles, which have the
// time; an index of seen_at would be written at each update of it. db.Purge adds the
// limit as the last argument. The condition is repeated outside so that a row touched
// after the subquery is not deleted.
func (s *Sessions) purge(ctx context.Context, now time.Time) (int64, error) {
	old := now.Add(-Idle - keepEnded)
	rows, err := s.db.Purge(ctx, `DELETE FROM sessions WHERE seen_at < ? AND handle IN
		(SELECT handle FROM sessions WHERE handle < ? AND seen_at < ? ORDER BY handle LIMIT ?)`, old, database.FirstID(old), old)
	return rows, fault.Wrap("session.purge", err)
}

// Count returns the number of a customer's sessions that have not ended, by the
// conditions of listed. epoch is the customer's current one. It needs no key.
func Count(ctx context.Context, db *database.DB, customerID, epoch int64) (n int, err error) {
	now := db.Now()
	err = db.Gorm(ctx).Raw(`SELECT COUNT(*) FROM sessions WHERE customer_id = ? AND epoch = ? AND seen_at >= ? AND ends_at >= ?`,
		customerID, epoch, database.StoredTime(now.Add(-Idle)), now).Scan(&n).Error
	return n, fault.Wrap("session.count", err)
}
