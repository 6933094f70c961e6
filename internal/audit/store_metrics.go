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
	m.Queues, err = readQueues(ctx, db)
	return m, err
}

// readQueues reads the messages of the outbox, the deliveries and the SMS that are not done.
// Deliveries and SMS of the previous release, while it runs beside this one, are in the outbox.
func readQueues(ctx context.Context, db *database.DB) (queues []Queue, err error) {
	//mutant:replace UNION ALL SELECT queue, made_at FROM messages WHERE state = 'queued' AND queue <> '' => TestReadMetrics
	//mutant:replace UNION ALL SELECT 'biller:' || biller, accepted_at FROM payments WHERE state = 'processing' AND due_at IS NOT NULL => TestReadMetrics
	const open = `SELECT lane AS name, made_at FROM promises WHERE state = 'open'
		UNION ALL SELECT 'biller:' || biller, accepted_at FROM payments WHERE state = 'processing' AND due_at IS NOT NULL
		UNION ALL SELECT queue, made_at FROM messages WHERE state = 'queued' AND queue <> ''`
	err = db.Gorm(ctx).Raw("SELECT name, COUNT(*) AS open FROM (" + open + ") o GROUP BY name ORDER BY name").Scan(&queues).Error
	if err != nil {
		return nil, err
	}
	for i := range queues {
		// Not MIN(made_at): SQLite returns an aggregate of times as text.
		err := db.Gorm(ctx).Raw("SELECT made_at FROM ("+open+") o WHERE name = ? ORDER BY made_at LIMIT 1", queues[i].Name).
			Scan(&queues[i].Oldest).Error
		if err != nil {
			return nil, err
		}
	}
	return queues, nil
}
