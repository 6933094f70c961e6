// Package inbox is the wire of development: it keeps e-mails in the database
// instead of sending them. It is never connected in production.
package inbox

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
)

// Message is a message that would have been sent.
type Message struct {
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// Inbox keeps messages.
type Inbox struct{ db *database.DB }

// New makes an inbox on db.
func New(db *database.DB) *Inbox { return &Inbox{db} }

// Send implements email.Gateway.
func (i *Inbox) Send(ctx context.Context, r email.Rendered) error {
	return fault.Wrap("email.inbox", i.insert(ctx, r))
}

// List gives the last messages to an address, newest first.
func (i *Inbox) List(ctx context.Context, to string) ([]Message, error) {
	list, err := i.list(ctx, to)
	return list, fault.Wrap("email.inbox", err)
}
