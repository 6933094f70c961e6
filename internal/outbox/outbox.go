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

// Promise is work to be done after commit.
type Promise struct {
	// Lane is the kind of work; each lane is worked off by itself.
	Lane string
	// Key names the event, unique within the lane: one promise an event.
	Key string
	// Payload is kept as JSON (at most 8,000 bytes) until the promise ends.
	Payload any
	// NotBefore delays the work; the zero time means at once.
	NotBefore time.Time
}

// Task is a promise that a worker has claimed.
type Task struct {
	ID      int64
	Lane    string
	Key     string
	Payload json.RawMessage
	// Tries counts claims, this one included.
	Tries int
	// Lease proves the claim; a later claim has another.
	Lease int64
}

// Read fills v from the task's payload.
func (t Task) Read(v any) error {
	if err := json.Unmarshal(t.Payload, v); err != nil {
		return fmt.Errorf("outbox: payload of %s %s: %w", t.Lane, t.Key, err)
	}
	return nil
}

// Promised writes promises together with a transfer.
var Promised = &database.Family[Promise]{
	Name:   "promise",
	Insert: rowsOf,
}

// Name names a promise.
type Name struct{ Lane, Key string }

// Kept ends promises together with a transfer. It doesn't ask for the lease:
// what the transfer says has happened.
var Kept = &database.Family[Name]{
	Name: "promise kept",
	Write: func(_ context.Context, tx *database.Tx, names []Name) error {
		return keepNamed(tx, names)
	},
}

// Held ends claimed promises together with a transfer, and only as long as
// their claims last: who has lost one must not decide.
var Held = &database.Family[Task]{
	Name: "promise held",
	Write: func(_ context.Context, tx *database.Tx, tasks []Task) error {
		return keepHeld(tx, tasks)
	},
}

// Add makes promises in the caller's transaction. A key that was promised
// before is gorm.ErrDuplicatedKey.
func Add(_ context.Context, tx *database.Tx, promises ...Promise) error {
	if len(promises) == 0 {
		return nil
	}
	rows, err := rowsOf(tx, promises)
	if err != nil {
		return err
	}
	return tx.Insert(rows)
}

// Due counts a lane's promises that are to be taken up now, up to most. It
// locks nothing, so that an idle lane costs one index look-up.
func Due(ctx context.Context, db *database.DB, lane string, most int) (int, error) {
	n, err := countDue(ctx, db, lane, most)
	return n, fault.Wrap("outbox.due", err)
}

// Lanes gives the lanes that have open promises; it reads as many rows as
// there are such lanes.
func Lanes(ctx context.Context, db *database.DB) ([]string, error) {
	lanes, err := readLanes(ctx, db)
	return lanes, fault.Wrap("outbox.lanes", err)
}

// Open counts the promises of a lane that wait, and whose keys begin with a
// text of digits and signs.
func Open(ctx context.Context, db *database.DB, lane, prefix string) (int, error) {
	n, err := countOpen(ctx, db, lane, prefix)
	return n, fault.Wrap("outbox.open", err)
}

// Claim takes up to n due promises of a lane for the length of the lease, in
// the caller's transaction. When the lease ends without a word they are due again.
func Claim(_ context.Context, tx *database.Tx, lane string, n int, lease time.Duration) ([]Task, error) {
	tasks, err := claim(tx, lane, n, lease)
	return tasks, fault.Wrap("outbox.claim", err)
}

// Leased returns the promises of a lane that are claimed now by leases of at most
// the given length, in any process, without their leases.
func Leased(_ context.Context, tx *database.Tx, lane string, lease time.Duration) ([]Task, error) {
	tasks, err := leased(tx, lane, lease)
	return tasks, fault.Wrap("outbox.leased", err)
}

// Keep ends promises as kept and forgets their payloads. It doesn't ask for
// the leases: what was done was done.
func Keep(_ context.Context, tx *database.Tx, tasks ...Task) error {
	if len(tasks) == 0 {
		return nil
	}
	return fault.Wrap("outbox.keep", keep(tx, tasks))
}

// GiveUp ends promises as failed and forgets their payloads. A claim that has
// run out changes nothing: whoever took the task over may yet do it.
func GiveUp(_ context.Context, tx *database.Tx, tasks ...Task) error {
	if len(tasks) == 0 {
		return nil
	}
	return fault.Wrap("outbox.give up", giveUp(tx, tasks))
}

// Later makes a claimed promise due again at a time.
type Later struct {
	Task Task
	At   time.Time
}

// Postpone makes claimed promises due again. A claim that has run out changes
// nothing: whoever took the task over decides.
func Postpone(_ context.Context, tx *database.Tx, list ...Later) error {
	if len(list) == 0 {
		return nil
	}
	return fault.Wrap("outbox.postpone", postpone(tx, list))
}
