// Package inbox is the e-mail adapter of development mode. It stores e-mails in the
// database instead of sending them.
package inbox

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
)

// Message is a stored e-mail.
type Message struct {
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// Inbox stores e-mails.
type Inbox struct{ db *database.DB }

// New returns an inbox on db.
func New(db *database.DB) *Inbox { return &Inbox{db} }

// Send implements email.Gateway. An e-mail that is sent again is stored once.
func (i *Inbox) Send(ctx context.Context, r email.Rendered) error {
	return fault.Wrap("email.inbox", i.insert(ctx, r))
}

// List returns the last e-mails to an address, newest first.
func (i *Inbox) List(ctx context.Context, to string) ([]Message, error) {
	list, err := i.list(ctx, to)
	return list, fault.Wrap("email.inbox", err)
}

// Purge deletes the messages stored before a time and returns their number.
func (i *Inbox) Purge(ctx context.Context, before time.Time) (int64, error) {
	n, err := i.purge(ctx, before)
	return n, fault.Wrap("email.inbox.purge", err)
}
