package audit

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Lane is the work of one lane of the outbox that is not done yet.
type Lane struct {
	Name string
	Open int64
	// Oldest is when the oldest open promise was made.
	Oldest time.Time
}

// Standing is what waits, for an operator's gauges.
type Standing struct {
	// Processing counts payments that have not ended, Asked those of them that
	// wait for a person's decision: what `elsom payment hanging` lists.
	Processing, Asked int64
	Lanes             []Lane
}

// patience is the age from which on an open payment waits for a person whatever
// its biller answered.
const patience = 24 * time.Hour

// Stand tells what waits now.
func Stand(ctx context.Context, db *database.DB) (Standing, error) {
	s, err := readStanding(ctx, db)
	return s, fault.Wrap("report.standing", err)
}
