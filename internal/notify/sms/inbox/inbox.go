// Package inbox is the SMS adapter of development mode. It stores messages in the
// database instead of sending them; the handset page shows them.
package inbox

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
)

// Message is a stored message, in the JSON form of /dev/sms.
type Message struct {
	Phone     phone.Number `json:"phone"`
	Text      string       `json:"text"`
	CreatedAt time.Time    `json:"created_at"`
}

// Inbox stores messages.
type Inbox struct {
	db        *database.DB
	inserting *database.Coalescer[sms.Rendered, error]
}

// New returns an inbox on db.
func New(db *database.DB) *Inbox {
	i := &Inbox{db: db}
	i.inserting = database.NewCoalescer(database.RetrySingly(i.insert))
	return i
}

// Send implements sms.Gateway. A message that is sent again is stored once. Concurrent
// messages are stored in one transaction.
func (i *Inbox) Send(ctx context.Context, r sms.Rendered) error {
	failed, err := i.inserting.Do(ctx, r)
	if err == nil {
		err = failed
	}
	return fault.Wrap("sms.inbox", err)
}

// Idempotent implements sms.IdempotentGateway.
func (i *Inbox) Idempotent() {}

// List returns the last messages to a number, newest first. The list is never nil.
func (i *Inbox) List(ctx context.Context, number phone.Number) ([]Message, error) {
	list, err := i.list(ctx, number)
	return list, fault.Wrap("sms.inbox", err)
}

// Purge deletes the messages stored before a time and returns their number.
func (i *Inbox) Purge(ctx context.Context, before time.Time) (int64, error) {
	n, err := i.purge(ctx, before)
	return n, fault.Wrap("sms.inbox.purge", err)
}
