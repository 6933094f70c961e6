package sms

import (
	"context"
	"errors"
	"time"

	"elsom/internal/courier"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/outbox"
)

// repeatAfter is how long a receipt is waited for after a call whose answer
// was lost.
const repeatAfter = 2 * time.Minute

var (
	errLate = errors.New("it could not be sent in time")
	errLost = errors.New("the gateway's answer was lost, and a code is not sent twice")
	errWait = errors.New("the gateway's answer was lost; a receipt may come")
)

// Worker keeps the promises of the lane: it opens what is sealed, renders the
// text in the reader's language and hands it to the gateway. The outbox
// forgets the message, with what was sealed in it, when it is sent.
func Worker(db *database.DB, s *Sealer, g Gateway) outbox.Worker {
	d := newDesk(db, s, g)
	return courier.Worker(db, courier.Lane{Name: Lane, Send: d.send, Record: record})
}

// desk hands messages to the gateway.
type desk struct {
	db      *database.DB
	sealer  *Sealer
	gateway Gateway
	once    bool // the gateway is a OnceGateway
}

func newDesk(db *database.DB, s *Sealer, g Gateway) desk {
	_, once := g.(OnceGateway)
	return desk{db, s, g, once}
}

func (d desk) send(ctx context.Context, task outbox.Task) error {
	w, err := d.sealer.read(task)
	if err != nil || w == nil {
		return err
	}
	id, err := d.ask(ctx, task, w)
	if err != nil || id == 0 {
		return err
	}
	err = d.gateway.Send(ctx, Rendered{Phone: w.Phone, Text: w.text, ID: task.Key, Token: d.sealer.token(id)})
	if err == nil || d.once || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unavailable) {
		return err
	}
	return unknown(repeatAfter).Because(err)
}

func unknown(after time.Duration) *fault.Error {
	return fault.New(fault.Unknown, "sms.send", "").After(max(after, time.Second))
}

// ask writes down that the gateway is about to be called with the message:
// whoever finds such a note without an outcome knows that the phone may have
// it. The id is 0 where it is not to be called: the gateway has it already.
func (d desk) ask(ctx context.Context, task outbox.Task, w *written) (id int64, err error) {
	err = d.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		id = 0
		r, err := begin(tx, task, w)
		if err != nil {
			return fault.Wrap("sms.send", err)
		}
		if r.State != Queued {
			return nil
		}
		if !w.Until.IsZero() && tx.Now().After(w.Until) {
			return final(errLate)
		}
		if r.AskedBy != 0 && !d.once {
			if left := r.AskedAt.Add(repeatAfter).Sub(tx.Now()); left > 0 {
				return unknown(left).Because(errWait)
			}
			if w.Sealed != nil {
				return final(errLost)
			}
		}
		id = r.ID
		return fault.Wrap("sms.send", note(tx, id, task.Lease, r.AskedBy != 0))
	})
	return id, err
}

// record keeps a message's state in step with its promise.
func record(tx *database.Tx, task outbox.Task, err error, again bool) error {
	switch {
	case err == nil:
		return forward(tx, task.Key, Sent)
	case !again:
		return forward(tx, task.Key, Failed)
	case fault.Is(err, fault.Unknown):
		return nil
	}
	return unask(tx, task)
}

// written is a message that was read from its promise.
type written struct {
	payload
	text string
	// shown is the text as its reader may see it again.
	shown string
}

// read gives the message of a task; nil where there is nothing to say.
func (s *Sealer) read(task outbox.Task) (*written, error) {
	w := &written{}
	if err := task.Read(&w.payload); err != nil {
		return nil, final(err)
	}
	if w.Key == Nothing {
		return nil, nil
	}
	args, err := s.open(task.Key, w.payload)
	if err != nil {
		return nil, final(err)
	}
	if w.text, err = render(w.Lang, w.Key, args); err != nil {
		return nil, final(err)
	}
	w.shown = w.text
	if w.Sealed != nil {
		if w.shown, err = render(w.Lang, w.Key, masked(args)); err != nil {
			return nil, final(err)
		}
	}
	return w, nil
}

// final marks what no repeat can mend.
func final(err error) error { return fault.New(fault.Invalid, "sms.send", "").Because(err) }
