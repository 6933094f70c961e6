// Package email is the port to the mail server. An e-mail is an outbox message,
// added in the transaction of the operation it is about and sent after its
// commit.
//
// E-mails are plain text in the recipient's language. They are notices only and
// never contain a code, a password or a login link.
package email

import (
	"context"
	"fmt"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/outbox"
)

// Queue is the outbox queue of e-mails.
const Queue = "email"

// Message is an e-mail to be rendered.
type Message struct {
	To string
	// Lang is the recipient's language: ky, ru or en.
	Lang string
	// Subject and Text are message keys.
	Subject, Text string
	// Args are the values of placeholders, formatted with fmt.Sprint.
	Args map[string]any
}

// Rendered is an e-mail as the adapter sends it.
type Rendered struct {
	To, Subject, Text string
	// HTML is an optional alternative with the same content.
	HTML string
	// ID is the same in all attempts to send one message.
	ID string
}

// Gateway is an adapter that sends e-mails. A fault.Invalid error is final; after
// any other the message is sent again later.
type Gateway interface {
	Send(ctx context.Context, r Rendered) error
}

type payload struct {
	To      string            `json:"to"`
	Lang    string            `json:"lang"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	Args    map[string]string `json:"args,omitempty"`
}

// OutboxMessage returns the outbox message of an e-mail. The key names the event: each
// event has one e-mail.
func OutboxMessage(key string, m Message) outbox.Message {
	p := payload{To: m.To, Lang: m.Lang, Subject: m.Subject, Text: m.Text, Args: map[string]string{}}
	for name, value := range m.Args {
		p.Args[name] = fmt.Sprint(value)
	}
	return outbox.Message{Queue: Queue, Key: key, Payload: p}
}

// NewWorker returns the worker that sends the e-mails of the queue.
func NewWorker(db *database.DB, g Gateway) outbox.Worker {
	return outbox.NewSender(db, outbox.SenderOptions{Queue: Queue, Send: func(ctx context.Context, m outbox.LeasedMessage) error {
		r, err := render(m)
		if err != nil {
			return err
		}
		return g.Send(ctx, r)
	}})
}

func render(m outbox.LeasedMessage) (Rendered, error) {
	var p payload
	if err := m.Read(&p); err != nil {
		return Rendered{}, fault.New(fault.Invalid, "email.render", "").Because(err)
	}
	r := Rendered{To: p.To, ID: m.Key}
	var err error
	if r.Subject, err = i18n.Render(p.Lang, p.Subject, p.Args); err == nil {
		r.Text, err = i18n.Render(p.Lang, p.Text, p.Args)
	}
	if err != nil {
		return Rendered{}, fault.New(fault.Invalid, "email.render", "").Because(err)
	}
	return r, nil
}
