package sms

import (
	"context"
	"time"

	"elsom/internal/courier"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/outbox"
)

// Worker keeps the promises of the lane: it opens what is sealed, renders the
// text in the reader's language and hands it to the gateway. The outbox
// forgets the message, with what was sealed in it, when it is sent.
func Worker(db *database.DB, s *Sealer, g Gateway) outbox.Worker {
	return courier.Worker(db, courier.Lane{Name: Lane, Send: func(ctx context.Context, task outbox.Task) error {
		r, err := s.render(task, db.Now())
		if err != nil || r == nil {
			return err
		}
		return g.Send(ctx, *r)
	}})
}

// render gives the message of a task; nil where there is nothing to say, or no
// longer.
func (s *Sealer) render(task outbox.Task, now time.Time) (*Rendered, error) {
	var p payload
	if err := task.Read(&p); err != nil {
		return nil, final(err)
	}
	if p.Key == Nothing || (!p.Until.IsZero() && now.After(p.Until)) {
		return nil, nil
	}
	args, err := s.open(task.Key, p)
	if err != nil {
		return nil, final(err)
	}
	text, err := render(p.Lang, p.Key, args)
	if err != nil {
		return nil, final(err)
	}
	return &Rendered{Phone: p.Phone, Text: text, ID: task.Key}, nil
}

// final marks what no repeat can mend.
func final(err error) error { return fault.New(fault.Invalid, "sms.render", "").Because(err) }
