package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"elsom/internal/database"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// formerQueues are the outbox queues of the previous release, which adds and sends text
// messages there while it runs beside this one. It doesn't see the rows that this
// release adds. The next release needs nothing of this file.
var formerQueues = []string{"sms_codes", "sms"}

const (
	drainInterval = time.Second
	drainBatch    = 100
)

// payload is the payload of an outbox message of the previous release.
type payload struct {
	Phone    phone.Number      `json:"phone"`
	Lang     string            `json:"lang"`
	Key      string            `json:"key"`
	Args     map[string]string `json:"args,omitempty"`
	Sealed   []byte            `json:"sealed,omitempty"` // the Args of a secret message
	Notice   bool              `json:"notice,omitempty"`
	Incoming bool              `json:"came,omitempty"`
	Until    time.Time         `json:"until,omitzero"`
}

// drain moves the messages of the previous release until ctx ends.
func (d *Sender) drain(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := d.Drain(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "sms: moving messages of the previous release failed", "error", err)
		}
		select {
		case <-time.After(drainInterval):
		case <-ctx.Done():
		}
	}
}

// Drain moves the due outbox messages of the previous release to the table of messages,
// and returns their number. A message is due there only while no worker has it. What
// that release stored about its calls stays, so that a message whose response it lost
// is treated like one of this release.
func (d *Sender) Drain(ctx context.Context) (moved int, err error) {
	for _, queue := range formerQueues {
		for {
			due, err := outbox.CountDue(ctx, d.db, queue, drainBatch)
			if err != nil {
				return moved, err
			}
			if due == 0 {
				break
			}
			n, err := d.move(ctx, queue, due)
			if moved += n; err != nil || n == 0 {
				return moved, err
			}
		}
	}
	return moved, nil
}

// move moves up to n messages of a queue in one transaction.
func (d *Sender) move(ctx context.Context, queue string, n int) (moved int, err error) {
	err = d.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		leased, err := outbox.Acquire(ctx, tx, queue, n, time.Minute)
		if err != nil {
			return err
		}
		moved = len(leased)
		var messages []Outgoing
		var done, failed []outbox.LeasedMessage
		for _, m := range leased {
			o, err := d.sealer.convert(m)
			if err != nil {
				slog.ErrorContext(ctx, "sms: message of the previous release not read", "queue", queue, "message", m.ID, "error", err)
				failed = append(failed, m)
				continue
			}
			if done = append(done, m); o.phone != "" {
				messages = append(messages, o)
			}
		}
		if err := insertFormer(tx, messages); err != nil {
			return err
		}
		//mutant:drop TestUnreadableMessageOfThePreviousRelease
		if err := outbox.Fail(ctx, tx, failed...); err != nil {
			return err
		}
		//mutant:replace return outbox.Complete(ctx, tx, done...) => return nil TestMessagesOfThePreviousRelease
		return outbox.Complete(ctx, tx, done...)
	})
	return moved, err
}

const maxPhoneLength = 16

var errPhone = errors.New("sms: the phone number is too long")

// convert returns an outbox message of the previous release as one of this release,
// without a phone number if there is nothing to send.
func (s *Sealer) convert(m outbox.LeasedMessage) (Outgoing, error) {
	var p payload
	if err := m.Read(&p); err != nil || p.Key == NoMessage {
		return Outgoing{}, err
	}
	//mutant:drop TestUnreadableMessageOfThePreviousRelease
	if len(p.Phone) > maxPhoneLength {
		return Outgoing{}, errPhone
	}
	args, err := s.open(m.Key, p)
	if err != nil {
		return Outgoing{}, err
	}
	message := Message{Phone: p.Phone, Lang: p.Lang, Key: p.Key, Notice: p.Notice, Incoming: p.Incoming, Until: p.Until, Args: map[string]any{}}
	for name, value := range args {
		message.Args[name] = value
	}
	//mutant:replace p.Sealed != nil => false TestMessagesOfThePreviousRelease
	if p.Sealed != nil {
		return s.OutboxMessage(m.Key, message), nil
	}
	return OutboxMessage(m.Key, message), nil
}

// open returns the arguments of an outbox message of the previous release.
func (s *Sealer) open(key string, p payload) (map[string]string, error) {
	if p.Sealed == nil {
		return p.Args, nil
	}
	text, _, err := s.ciphers.Open(p.Sealed, additionalData(key, p.Phone))
	if err != nil {
		return nil, fmt.Errorf("sms: unseal: %w", err)
	}
	var args map[string]string
	return args, json.Unmarshal(text, &args)
}
