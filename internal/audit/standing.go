package audit

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Queue is the work of one lane of the outbox that is not done yet.
type Queue struct {
	Name string
	Open int64
	// Oldest is when the oldest open promise was made.
	Oldest time.Time
}

// Metrics is what waits, for an operator's gauges.
type Metrics struct {
	// Processing counts payments that have not ended, Asked those of them that
	// wait for a person's decision: what `elsom payment hanging` lists.
	Processing, Undecided int64
	Queues                []Queue
}

// patience is the age from which on an open payment waits for a person whatever
// its biller answered.
const patience = 24 * time.Hour

// ReadMetrics tells what waits now.
func ReadMetrics(ctx context.Context, db *database.DB) (Metrics, error) {
	s, err := readStanding(ctx, db)
	return s, fault.Wrap("report.standing", err)
}
