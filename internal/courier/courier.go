// Package courier carries the messages of a lane of the outbox: it hands each
// to its wire, again and again with growing pauses, until it is gone or there
// is no more sense in it.
//
// It promises that a message is recorded as sent only after its wire said so;
// a wire that says so too late may be asked twice. It never logs what a
// message says or to whom.
package courier

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/outbox"
)

// Lane is how a lane's messages are carried.
type Lane struct {
	Name string
	// Width is how many messages are sent at once, Deadline the end of one Send
	// (well under a minute), Tries how often it is sent at most; zero values mean
	// the house's own: 4, 20 s, and about a day.
	Width    int
	Deadline time.Duration
	Tries    int
	// Send hands a message to its wire. A fault.Invalid error is final, after
	// any other the message is carried again.
	Send func(ctx context.Context, task outbox.Task) error
	// Record, where there is one, is called in the transaction that records how
	// a Send went: err is what it answered, again tells that it is tried again.
	Record func(tx *database.Tx, task outbox.Task, err error, again bool) error
}

const (
	width    = 4
	lease    = time.Minute
	deadline = 20 * time.Second // of one Send, well under the lease
	longest  = 10 * time.Minute // pause between two tries
	maxTries = 150              // about a day
)

// Worker is the outbox worker of the lane.
func Worker(db *database.DB, lane Lane) outbox.Worker {
	lane.Width = cmp.Or(lane.Width, width)
	lane.Deadline = cmp.Or(lane.Deadline, deadline)
	lane.Tries = cmp.Or(lane.Tries, maxTries)
	return outbox.Worker{
		Lane: lane.Name, Width: lane.Width, Lease: lease,
		Do: func(ctx context.Context, task outbox.Task) { carry(ctx, db, lane, task) },
	}
}

func carry(ctx context.Context, db *database.DB, lane Lane, task outbox.Task) {
	sending, cancel := context.WithTimeout(ctx, lane.Deadline)
	err := lane.Send(sending, task)
	cancel()
	log := slog.With("lane", lane.Name, "task", task.ID, "tries", task.Tries)
	again := false
	end := outbox.Keep
	switch {
	case err == nil:
		log.InfoContext(ctx, "courier: sent")
	case fault.Is(err, fault.Invalid) || task.Tries >= lane.Tries:
		log.ErrorContext(ctx, "courier: given up", "error", err)
		end = outbox.GiveUp
	default:
		log.WarnContext(ctx, "courier: not sent yet", "error", err)
		again = true
		end = func(ctx context.Context, tx *database.Tx, task outbox.Task) error {
			return outbox.Postpone(ctx, tx, outbox.Later{Task: task, At: tx.Now().Add(pause(task.Tries, err))})
		}
	}
	if failed := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if lane.Record != nil {
			if failed := lane.Record(tx, task, err, again); failed != nil {
				return failed
			}
		}
		return end(ctx, tx, task)
	}); failed != nil {
		log.ErrorContext(ctx, "courier: not recorded", "error", failed) // the lease ends, and it is carried again
	}
}

// pause doubles from two seconds on, unless the wire said when to come back.
func pause(tries int, err error) time.Duration {
	if after := fault.As(err).RetryAfter; after > 0 {
		return after
	}
	return min(longest, time.Second<<min(tries, 20))
}
