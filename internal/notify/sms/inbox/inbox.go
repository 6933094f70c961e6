// Package inbox is the wire of development: it keeps messages in the database
// instead of sending them, for the handset in the browser. It is never
// connected in production.
package inbox

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
)

// Message is a message that would have been sent, in the form of /dev/sms.
type Message struct {
	Phone     phone.Number `json:"phone"`
	Text      string       `json:"text"`
	CreatedAt time.Time    `json:"created_at"`
}

// Inbox keeps messages.
type Inbox struct{ db *database.DB }

// New makes an inbox on db.
func New(db *database.DB) *Inbox { return &Inbox{db} }

// Send implements sms.Gateway. A message that is sent again is kept once.
func (i *Inbox) Send(ctx context.Context, r sms.Rendered) error {
	return fault.Wrap("sms.inbox", i.insert(ctx, r))
}

// TakesOnce implements sms.OnceGateway.
func (i *Inbox) TakesOnce() {}

// List gives the last messages to a number, newest first; never nil.
func (i *Inbox) List(ctx context.Context, number phone.Number) ([]Message, error) {
	list, err := i.list(ctx, number)
	return list, fault.Wrap("sms.inbox", err)
}
