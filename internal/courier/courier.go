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

// SenderOptions is how a lane's messages are carried.
type SenderOptions struct {
	Queue string
	// Width is how many messages are sent at once, Deadline the end of one Send
	// (well under a minute), Tries how often it is sent at most; zero values mean
	// the house's own: 4, 20 s, and about a day.
	Concurrency int
	Timeout     time.Duration
	MaxAttempts int
	// Send hands a message to its wire. A fault.Invalid error is final, after
	// any other the message is carried again.
	Send func(ctx context.Context, task outbox.LeasedMessage) error
	// Record, where there is one, is called in the transaction that records how
	// some went.
	Record func(tx *database.Tx, list []SendResult) error
}

// SendResult is a message that was handed to its wire.
type SendResult struct {
	Message outbox.LeasedMessage
	// Err is what Send answered; Again tells that it is sent again.
	Err   error
	Retry bool
}

const (
	defaultConcurrency = 4
	sendLease          = time.Minute
	defaultTimeout     = 20 * time.Second // of one Send, well under the lease
	maxRetryDelay      = 10 * time.Minute // pause between two tries
	defaultMaxAttempts = 150              // about a day
)

// NewSender is the outbox worker of the lane.
func NewSender(db *database.DB, lane SenderOptions) outbox.Worker {
	lane.Concurrency = cmp.Or(lane.Concurrency, defaultConcurrency)
	lane.Timeout = cmp.Or(lane.Timeout, defaultTimeout)
	lane.MaxAttempts = cmp.Or(lane.MaxAttempts, defaultMaxAttempts)
	recording := database.NewCoalescer(database.RetrySingly(func(ctx context.Context, list []SendResult) error {
		return recordResults(ctx, db, lane, list)
	}))
	return outbox.Worker{
		Queue: lane.Queue, Concurrency: lane.Concurrency, Lease: sendLease,
		Do: func(ctx context.Context, task outbox.LeasedMessage) {
			failed, err := recording.Do(ctx, send(ctx, lane, task))
			if err == nil {
				err = failed
			}
			if err != nil { // the lease ends, and it is carried again
				slog.ErrorContext(ctx, "courier: not recorded", "lane", lane.Queue, "task", task.ID, "error", err)
			}
		},
	}
}

func send(ctx context.Context, lane SenderOptions, task outbox.LeasedMessage) SendResult {
	sending, cancel := context.WithTimeout(ctx, lane.Timeout)
	defer cancel()
	c := SendResult{Message: task, Err: lane.Send(sending, task)}
	log := slog.With("lane", lane.Queue, "task", task.ID, "tries", task.Attempts)
	switch {
	case c.Err == nil:
		log.InfoContext(ctx, "courier: sent")
	case fault.Is(c.Err, fault.Invalid) || task.Attempts >= lane.MaxAttempts:
		log.ErrorContext(ctx, "courier: given up", "error", c.Err)
	default:
		log.WarnContext(ctx, "courier: not sent yet", "error", c.Err)
		c.Retry = true
	}
	return c
}

// recordResults writes how messages went, together with others that were sent
// meanwhile.
func recordResults(ctx context.Context, db *database.DB, lane SenderOptions, list []SendResult) error {
	var sent, lost []outbox.LeasedMessage
	var later []outbox.Postponement
	for _, c := range list {
		switch {
		case c.Err == nil:
			sent = append(sent, c.Message)
		case c.Retry:
			later = append(later, outbox.Postponement{Message: c.Message, At: db.Now().Add(retryDelay(c.Message.Attempts, c.Err))})
		default:
			lost = append(lost, c.Message)
		}
	}
	return db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if lane.Record != nil {
			if err := lane.Record(tx, list); err != nil {
				return err
			}
		}
		if err := outbox.Complete(ctx, tx, sent...); err != nil {
			return err
		}
		if err := outbox.Fail(ctx, tx, lost...); err != nil {
			return err
		}
		return outbox.Postpone(ctx, tx, later...)
	})
}

// retryDelay doubles from two seconds on, unless the wire said when to come back.
func retryDelay(tries int, err error) time.Duration {
	if after := fault.As(err).RetryAfter; after > 0 {
		return after
	}
	return min(maxRetryDelay, time.Second<<min(tries, 20))
}
