package audit

import (
	"context"

	"elsom/internal/database"
)

func readMetrics(ctx context.Context, db *database.DB) (m Metrics, err error) {
	var payments struct{ Processing, Asked int64 }
	err = db.Gorm(ctx).Raw(`SELECT COUNT(*) AS processing, COALESCE(SUM(CASE WHEN asked_at IS NOT NULL OR accepted_at < ? THEN 1 ELSE 0 END), 0) AS asked
		FROM payments WHERE state = 'processing'`, database.StoredTime(db.Now().Add(-decisionAfter))).Scan(&payments).Error
	if err != nil {
		return m, err
	}
	m.Processing, m.Undecided = payments.Processing, payments.Asked
	err = db.Gorm(ctx).Raw(`SELECT lane AS name, COUNT(*) AS open FROM promises WHERE state = 'open'
		GROUP BY lane ORDER BY lane`).Scan(&m.Queues).Error
	if err != nil {
		return m, err
	}
	for i := range m.Queues {
		// Not MIN(made_at): SQLite returns an aggregate of times as text.
		err := db.Gorm(ctx).Raw(`SELECT made_at FROM promises WHERE lane = ? AND state = 'open' ORDER BY made_at LIMIT 1`, m.Queues[i].Name).
			Scan(&m.Queues[i].Oldest).Error
		if err != nil {
			return m, err
		}
	}
	return m, nil
}
