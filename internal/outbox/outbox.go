// Package outbox queues work to be done after the commit of a transaction, such as an
// e-mail. Payments and SMS are messages of their own, in their tables; the deliveries of
// payments have a Worker of this package.
//
// A committed message is leased to one worker at a time, in any number of
// processes, until it is done or failed. The work may run more than once, because
// a process can crash between the work and the record of it, so the work must be
// idempotent.
//
// The table is named promises for historical reasons. Its column lane is the queue, and
// the state 'kept' means done.
package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Message is work to be done after commit.
type Message struct {
	Queue string
	// Key identifies the event; it is unique within the queue.
	Key string
	// Payload is stored as JSON of at most 8,000 bytes until the message ends.
	Payload any
	// NotBefore delays the work. The zero value means at once.
	NotBefore time.Time
}

// LeasedMessage is a message that a worker has acquired.
type LeasedMessage struct {
	ID      int64
	Queue   string
	Key     string
	Payload json.RawMessage
	// Attempts is the number of times the message was acquired, this one included.
	Attempts int
	// LeaseToken identifies the lease; each acquisition draws another.
	LeaseToken int64
}

// Read decodes the payload into v.
func (m LeasedMessage) Read(v any) error {
	if err := json.Unmarshal(m.Payload, v); err != nil {
		return fmt.Errorf("outbox: payload of %s %s: %w", m.Queue, m.Key, err)
	}
	return nil
}

var addKind = &database.RiderKind[Message]{Name: "queued message", Insert: rowsOf}

// AddRider returns a rider that adds a message together with a transfer.
func AddRider(m Message) database.Rider { return addKind.Row(m) }

// Add adds messages in the caller's transaction. The error is
// gorm.ErrDuplicatedKey if a message with the same queue and key exists, also
// one that has ended.
func Add(_ context.Context, tx *database.Tx, messages ...Message) error {
	if len(messages) == 0 {
		return nil
	}
	rows, err := rowsOf(tx, messages)
	if err != nil {
		return err
	}
	return tx.Insert(rows)
}

// CountDue returns the number of a queue's messages that are due, counting up
// to limit. It takes no locks, so that polling an idle queue costs one index
// lookup.
func CountDue(ctx context.Context, db *database.DB, queue string, limit int) (int, error) {
	n, err := countDue(ctx, db, queue, limit)
	return n, fault.Wrap("outbox.due", err)
}

// OpenQueues returns the queues that have open messages. It reads as many rows
// as there are such queues.
func OpenQueues(ctx context.Context, db *database.DB) ([]string, error) {
	queues, err := readOpenQueues(ctx, db)
	return queues, fault.Wrap("outbox.queues", err)
}

// CountOpen returns the number of open messages of a queue whose keys begin with
// prefix, which must be ASCII.
func CountOpen(ctx context.Context, db *database.DB, queue, prefix string) (int, error) {
	n, err := countOpen(ctx, db, queue, prefix)
	return n, fault.Wrap("outbox.open", err)
}

// Acquire leases up to n due messages of a queue in the caller's transaction.
// Messages that are neither ended nor postponed are due again after the lease.
func Acquire(_ context.Context, tx *database.Tx, queue string, n int, lease time.Duration) ([]LeasedMessage, error) {
	messages, err := acquire(tx, queue, n, lease)
	return messages, fault.Wrap("outbox.acquire", err)
}

// Complete marks messages as done and deletes their payloads. It does not check
// the leases: the work was done even if a lease has expired.
func Complete(_ context.Context, tx *database.Tx, messages ...LeasedMessage) error {
	if len(messages) == 0 {
		return nil
	}
	return fault.Wrap("outbox.complete", complete(tx, messages))
}

// Fail marks messages as failed and deletes their payloads. It skips a message
// that was leased again since: its new worker may succeed.
func Fail(_ context.Context, tx *database.Tx, messages ...LeasedMessage) error {
	if len(messages) == 0 {
		return nil
	}
	return fault.Wrap("outbox.fail", fail(tx, messages))
}

// Postponement makes a leased message due again at a time.
type Postponement struct {
	Message LeasedMessage
	At      time.Time
}

// Postpone ends leases and makes their messages due again at the given times. It
// skips a message that was leased again since.
func Postpone(_ context.Context, tx *database.Tx, list ...Postponement) error {
	if len(list) == 0 {
		return nil
	}
	return fault.Wrap("outbox.postpone", postpone(tx, list))
}
