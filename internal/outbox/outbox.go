// Package outbox keeps promises: work that became due in a transaction and
// has to be done after its commit, whatever happens in between (an SMS, a
// delivery to a biller).
//
// It promises that a committed promise is taken up until it is kept or given
// up, by one worker at a time as long as its lease lasts, in any number of
// processes. It can't promise that the work happens once: a worker may die
// between the work and its record, so the work itself must bear repetition.
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
	// Lane is the kind of work; each lane is worked off by itself.
	Queue string
	// Key names the event, unique within the lane: one promise an event.
	Key string
	// Payload is kept as JSON (at most 8,000 bytes) until the promise ends.
	Payload any
	// NotBefore delays the work; the zero time means at once.
	NotBefore time.Time
}

// LeasedMessage is a promise that a worker has claimed.
type LeasedMessage struct {
	ID      int64
	Queue   string
	Key     string
	Payload json.RawMessage
	// Tries counts claims, this one included.
	Attempts int
	// Lease proves the claim; a later claim has another.
	LeaseToken int64
}

// Read fills v from the task's payload.
func (t LeasedMessage) Read(v any) error {
	if err := json.Unmarshal(t.Payload, v); err != nil {
		return fmt.Errorf("outbox: payload of %s %s: %w", t.Queue, t.Key, err)
	}
	return nil
}

// The names of the rider kinds order their statements in a transaction.
var (
	addKind            = &database.RiderKind[Message]{Name: "queued message", Insert: rowsOf}
	completeKind       = &database.RiderKind[MessageKey]{Name: "queued message done", Write: completeByKey}
	completeLeasedKind = &database.RiderKind[LeasedMessage]{Name: "queued message done by lease", Write: completeLeased}
)

// AddRider returns a rider that adds a message together with a transfer.
func AddRider(m Message) database.Rider { return addKind.Row(m) }

// MessageKey identifies a message.
type MessageKey struct{ Queue, Key string }

// CompleteRider returns a rider that completes a message together with a
// transfer. It does not check the lease: what the transfer records has happened.
func CompleteRider(k MessageKey) database.Rider { return completeKind.Row(k) }

// CompleteLeasedRider returns a rider that completes a leased message together
// with a transfer. Without its lease the transaction fails with
// database.ErrRowCount: another worker may have come to another result.
func CompleteLeasedRider(m LeasedMessage) database.Rider { return completeLeasedKind.Row(m) }

// Add makes promises in the caller's transaction. A key that was promised
// before is gorm.ErrDuplicatedKey.
func Add(_ context.Context, tx *database.Tx, promises ...Message) error {
	if len(promises) == 0 {
		return nil
	}
	rows, err := rowsOf(tx, promises)
	if err != nil {
		return err
	}
	return tx.Insert(rows)
}

// CountDue counts a lane's promises that are to be taken up now, up to most. It
// locks nothing, so that an idle lane costs one index look-up.
func CountDue(ctx context.Context, db *database.DB, lane string, most int) (int, error) {
	n, err := countDue(ctx, db, lane, most)
	return n, fault.Wrap("outbox.due", err)
}

// OpenQueues gives the lanes that have open promises; it reads as many rows as
// there are such lanes.
func OpenQueues(ctx context.Context, db *database.DB) ([]string, error) {
	lanes, err := readOpenQueues(ctx, db)
	return lanes, fault.Wrap("outbox.lanes", err)
}

// CountOpen counts the promises of a lane that wait, and whose keys begin with a
// text of digits and signs.
func CountOpen(ctx context.Context, db *database.DB, lane, prefix string) (int, error) {
	n, err := countOpen(ctx, db, lane, prefix)
	return n, fault.Wrap("outbox.open", err)
}

// Acquire takes up to n due promises of a lane for the length of the lease, in
// the caller's transaction. When the lease ends without a word they are due again.
func Acquire(_ context.Context, tx *database.Tx, lane string, n int, lease time.Duration) ([]LeasedMessage, error) {
	tasks, err := acquire(tx, lane, n, lease)
	return tasks, fault.Wrap("outbox.claim", err)
}

// ListLeased returns the promises of a lane that are claimed now by leases of at most
// the given length, in any process, without their leases.
func ListLeased(_ context.Context, tx *database.Tx, lane string, lease time.Duration) ([]LeasedMessage, error) {
	tasks, err := listLeased(tx, lane, lease)
	return tasks, fault.Wrap("outbox.leased", err)
}

// Complete ends promises as kept and forgets their payloads. It doesn't ask for
// the leases: what was done was done.
func Complete(_ context.Context, tx *database.Tx, tasks ...LeasedMessage) error {
	if len(tasks) == 0 {
		return nil
	}
	return fault.Wrap("outbox.keep", complete(tx, tasks))
}

// Fail ends promises as failed and forgets their payloads. A claim that has
// run out changes nothing: whoever took the task over may yet do it.
func Fail(_ context.Context, tx *database.Tx, tasks ...LeasedMessage) error {
	if len(tasks) == 0 {
		return nil
	}
	return fault.Wrap("outbox.give up", fail(tx, tasks))
}

// Postponement makes a claimed promise due again at a time.
type Postponement struct {
	Message LeasedMessage
	At      time.Time
}

// Postpone makes claimed promises due again. A claim that has run out changes
// nothing: whoever took the task over decides.
func Postpone(_ context.Context, tx *database.Tx, list ...Postponement) error {
	if len(list) == 0 {
		return nil
	}
	return fault.Wrap("outbox.postpone", postpone(tx, list))
}
