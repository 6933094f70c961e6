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
type Inbox struct{ db *database.DB }

// New returns an inbox on db.
func New(db *database.DB) *Inbox { return &Inbox{db} }

// Send implements sms.Gateway. A message that is sent again is stored once.
func (i *Inbox) Send(ctx context.Context, r sms.Rendered) error {
	return fault.Wrap("sms.inbox", i.insert(ctx, r))
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
