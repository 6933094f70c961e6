package audit

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Queue is the open messages of a queue of the outbox.
type Queue struct {
	Name string
	Open int64
	// Oldest is when the oldest open message was added.
	Oldest time.Time
}

// Metrics is a snapshot of the unfinished work, for an operator's gauges.
type Metrics struct {
	// Processing is the number of payments that have not ended. Undecided is the
	// number of those that wait for a decision by staff: `elsom payment hanging`
	// lists them.
	Processing, Undecided int64
	Queues                []Queue
}

// decisionAfter is the age from which an open payment waits for a decision by staff
// regardless of the biller's answers.
const decisionAfter = 24 * time.Hour

// ReadMetrics returns the metrics of this moment.
func ReadMetrics(ctx context.Context, db *database.DB) (Metrics, error) {
	m, err := readMetrics(ctx, db)
	return m, fault.Wrap("audit.metrics", err)
}
