package outbox

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// SenderOptions configures NewSender.
type SenderOptions struct {
	Queue string
	// Concurrency is the number of messages sent at once; 0: 4.
	Concurrency int
	// Timeout limits one call of Send; 0: 20 seconds. It must stay well under
	// the lease of a minute.
	Timeout time.Duration
	// MaxAttempts is the number of attempts after which a message fails; 0:
	// 150, about a day.
	MaxAttempts int
	// Send passes a message to an adapter. After a fault.Invalid error the
	// message fails; after any other it is sent again.
	Send func(ctx context.Context, m LeasedMessage) error
	// Record is optional and called in the transaction that records results.
	Record func(tx *database.Tx, results []SendResult) error
}

// SendResult is the outcome of one attempt to send a message.
type SendResult struct {
	Message LeasedMessage
	// Err is the error of Send.
	Err error
	// Retry reports whether the message will be sent again.
	Retry bool
}

const (
	defaultConcurrency = 4
	sendLease          = time.Minute
	defaultTimeout     = 20 * time.Second
	maxRetryDelay      = 10 * time.Minute
	defaultMaxAttempts = 150
)

// NewSender returns a worker that passes the messages of a queue to an adapter
// and retries with backoff.
//
// A message is recorded as done after Send has returned nil. If recording fails,
// the message is sent again after its lease. Results of concurrent attempts are
// recorded in one transaction. Neither content nor recipient is logged.
func NewSender(db *database.DB, o SenderOptions) Worker {
	o.Concurrency = cmp.Or(o.Concurrency, defaultConcurrency)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, defaultMaxAttempts)
	results := database.NewCoalescer(database.RetrySingly(func(ctx context.Context, list []SendResult) error {
		return recordResults(ctx, db, o, list)
	}))
	return Worker{
		Queue: o.Queue, Concurrency: o.Concurrency, Lease: sendLease,
		Do: func(ctx context.Context, m LeasedMessage) {
			failed, err := results.Do(ctx, send(ctx, o, m))
			if err == nil {
				err = failed
			}
			if err != nil { // sent again after the lease
				slog.ErrorContext(ctx, "outbox: result not recorded", "queue", o.Queue, "message", m.ID, "error", err)
			}
		},
	}
}

func send(ctx context.Context, o SenderOptions, m LeasedMessage) SendResult {
	sending, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	r := SendResult{Message: m, Err: o.Send(sending, m)}
	log := slog.With("queue", o.Queue, "message", m.ID, "attempts", m.Attempts)
	switch {
	case r.Err == nil:
		log.InfoContext(ctx, "outbox: sent")
	case fault.Is(r.Err, fault.Invalid) || m.Attempts >= o.MaxAttempts:
		log.ErrorContext(ctx, "outbox: failed", "error", r.Err)
	default:
		log.WarnContext(ctx, "outbox: not sent, will retry", "error", r.Err)
		r.Retry = true
	}
	return r
}

func recordResults(ctx context.Context, db *database.DB, o SenderOptions, results []SendResult) error {
	var sent, failed []LeasedMessage
	var postponed []Postponement
	for _, r := range results {
		switch {
		case r.Err == nil:
			sent = append(sent, r.Message)
		case r.Retry:
			postponed = append(postponed, Postponement{Message: r.Message, At: db.Now().Add(retryDelay(r.Message.Attempts, r.Err))})
		default:
			failed = append(failed, r.Message)
		}
	}
	return db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if o.Record != nil {
			if err := o.Record(tx, results); err != nil {
				return err
			}
		}
		if err := Complete(ctx, tx, sent...); err != nil {
			return err
		}
		if err := Fail(ctx, tx, failed...); err != nil {
			return err
		}
		return Postpone(ctx, tx, postponed...)
	})
}

// retryDelay returns the delay after the given number of attempts. It doubles from
// two seconds to maxRetryDelay, unless the error has a RetryAfter.
func retryDelay(attempts int, err error) time.Duration {
	if after := fault.As(err).RetryAfter; after > 0 {
		return after
	}
	return min(maxRetryDelay, time.Second<<min(attempts, 20))
}
