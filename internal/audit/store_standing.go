package audit

import (
	"context"

	"elsom/internal/database"
)

func readStanding(ctx context.Context, db *database.DB) (s Metrics, err error) {
	var payments struct{ Processing, Asked int64 }
	err = db.Gorm(ctx).Raw(`SELECT COUNT(*) AS processing, COALESCE(SUM(CASE WHEN asked_at IS NOT NULL OR accepted_at < ? THEN 1 ELSE 0 END), 0) AS asked
		FROM payments WHERE state = 'processing'`, database.StoredTime(db.Now().Add(-patience))).Scan(&payments).Error
	if err != nil {
		return s, err
	}
	s.Processing, s.Undecided = payments.Processing, payments.Asked
	err = db.Gorm(ctx).Raw(`SELECT lane AS name, COUNT(*) AS open FROM promises WHERE state = 'open'
		GROUP BY lane ORDER BY lane`).Scan(&s.Queues).Error
	if err != nil {
		return s, err
	}
	for i := range s.Queues {
		// The time itself, not MIN(made_at): SQLite gives an aggregate of times back as text.
		err := db.Gorm(ctx).Raw(`SELECT made_at FROM promises WHERE lane = ? AND state = 'open' ORDER BY made_at LIMIT 1`, s.Queues[i].Name).
			Scan(&s.Queues[i].Oldest).Error
		if err != nil {
			return s, err
		}
	}
	return s, nil
}
