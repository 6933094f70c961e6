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
	// some went.
	Record func(tx *database.Tx, list []Carried) error
}

// Carried is a message that was handed to its wire.
type Carried struct {
	Task outbox.Task
	// Err is what Send answered; Again tells that it is sent again.
	Err   error
	Again bool
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
	recording := database.NewGather(database.Together(func(ctx context.Context, list []Carried) error {
		return record(ctx, db, lane, list)
	}))
	return outbox.Worker{
		Lane: lane.Name, Width: lane.Width, Lease: lease,
		Do: func(ctx context.Context, task outbox.Task) {
			failed, err := recording.Ask(ctx, carry(ctx, lane, task))
			if err == nil {
				err = failed
			}
			if err != nil { // the lease ends, and it is carried again
				slog.ErrorContext(ctx, "courier: not recorded", "lane", lane.Name, "task", task.ID, "error", err)
			}
		},
	}
}

func carry(ctx context.Context, lane Lane, task outbox.Task) Carried {
	sending, cancel := context.WithTimeout(ctx, lane.Deadline)
	defer cancel()
	c := Carried{Task: task, Err: lane.Send(sending, task)}
	log := slog.With("lane", lane.Name, "task", task.ID, "tries", task.Tries)
	switch {
	case c.Err == nil:
		log.InfoContext(ctx, "courier: sent")
	case fault.Is(c.Err, fault.Invalid) || task.Tries >= lane.Tries:
		log.ErrorContext(ctx, "courier: given up", "error", c.Err)
	default:
		log.WarnContext(ctx, "courier: not sent yet", "error", c.Err)
		c.Again = true
	}
	return c
}

// record writes how messages went, together with others that were sent
// meanwhile.
func record(ctx context.Context, db *database.DB, lane Lane, list []Carried) error {
	var sent, lost []outbox.Task
	var later []outbox.Later
	for _, c := range list {
		switch {
		case c.Err == nil:
			sent = append(sent, c.Task)
		case c.Again:
			later = append(later, outbox.Later{Task: c.Task, At: db.Now().Add(pause(c.Task.Tries, c.Err))})
		default:
			lost = append(lost, c.Task)
		}
	}
	return db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if lane.Record != nil {
			if err := lane.Record(tx, list); err != nil {
				return err
			}
		}
		if err := outbox.Keep(ctx, tx, sent...); err != nil {
			return err
		}
		if err := outbox.GiveUp(ctx, tx, lost...); err != nil {
			return err
		}
		return outbox.Postpone(ctx, tx, later...)
	})
}

// pause doubles from two seconds on, unless the wire said when to come back.
func pause(tries int, err error) time.Duration {
	if after := fault.As(err).RetryAfter; after > 0 {
		return after
	}
	return min(longest, time.Second<<min(tries, 20))
}
