package session

import (
	"context"
	"maps"
	"slices"
	"time"

	"elsom/internal/database"
)

// seenAtOnce is the number of sessions in one statement at most: SQLite bounds its
// parameters.
const seenAtOnce = 5_000

// storeSeen stores the times of the last requests of sessions, by their handles; it never
// moves a time back.
func (s *Sessions) storeSeen(ctx context.Context, last map[int64]time.Time) error {
	// In order, so that two processes seldom wait for each other's rows.
	for handles := range slices.Chunk(slices.Sorted(maps.Keys(last)), seenAtOnce) {
		times := make([]time.Time, len(handles))
		for i, handle := range handles {
			times[i] = last[handle]
		}
		err := s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			v, args := tx.Values(database.NewColumn("handle", "bigint", handles), database.NewColumn("seen_at", "timestamptz", times))
			//mutant:replace < v.seen_at => <> v.seen_at TestActivityIsStored
			return tx.Gorm().Exec("WITH v(handle, seen_at) AS ("+v+`)
				UPDATE sessions SET seen_at = v.seen_at FROM v WHERE sessions.handle = v.handle AND sessions.seen_at < v.seen_at`, args...).Error
		})
		if err != nil {
			return err
		}
	}
	return nil
}
