package sms

import (
	"context"
	"errors"
	"time"

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
	errMany = errors.New("the daily limit of the number is reached")
	errWait = errors.New("the gateway's answer was lost; a receipt may come")
)

// DailyNotices is how many messages a number gets in 24 hours before notices are
// left out: more than a holder's own payments cause on a busy day.
const DailyNotices = 100

// Options of the workers.
type Options struct {
	// DailyNotices is how many messages a number gets in 24 hours before notices
	// of money that moved are left out, and half of them before those of money that
	// came; 0: no end.
	DailyNotices int
	// Dropped, if not nil, is called for each dropped notice.
	Dropped func()
}

// Workers send the messages of both lanes: they open what is sealed, render the
// text in the recipient's language and pass it to the gateway. The outbox deletes
// the payload when the message is sent.
func Workers(db *database.DB, s *Sealer, g Gateway, o Options) []outbox.Worker {
	d := newDesk(db, s, g)
	d.o = o
	workers := make([]outbox.Worker, 0, 2)
	for _, lane := range []string{CodeQueue, Queue} {
		workers = append(workers, outbox.NewSender(db, outbox.SenderOptions{Queue: lane, Concurrency: width, Send: d.send, Record: record}))
	}
	return workers
}

// width is how many messages are handed over at once. Of those that are when a
// process dies, codes are never sent.
const width = 16

// desk hands messages to the gateway.
type desk struct {
	db      *database.DB
	sealer  *Sealer
	gateway Gateway
	once    bool // the gateway is a OnceGateway
	o       Options
	asking  *database.Coalescer[asked, error]
}

func newDesk(db *database.DB, s *Sealer, g Gateway) *desk {
	_, once := g.(OnceGateway)
	d := &desk{db: db, sealer: s, gateway: g, once: once}
	d.asking = database.NewCoalescer(database.RetrySingly(d.askTogether))
	return d
}

func (d *desk) send(ctx context.Context, task outbox.LeasedMessage) error {
	w, err := d.sealer.read(task)
	if err != nil || w == nil {
		return err
	}
	id, err := d.ask(ctx, task, w)
	if errors.Is(err, errMany) && d.o.Dropped != nil {
		d.o.Dropped()
	}
	if err != nil || id == 0 {
		return err
	}
	err = d.gateway.Send(ctx, Rendered{Phone: w.Phone, Text: w.text, ID: task.Key, Token: d.sealer.token(id)})
	if err == nil || d.once || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unavailable) {
		return err
	}
	//mutant:replace return unknown(repeatAfter) => return fault.New(fault.Unavailable, "sms.send", "") TestAnyOtherErrorIsALostAnswer
	return unknown(repeatAfter).Because(err)
}

func unknown(after time.Duration) *fault.Error {
	return fault.New(fault.Unknown, "sms.send", "").After(max(after, time.Second))
}

// asked is a message that is to be handed over.
type asked struct {
	task  outbox.LeasedMessage
	words *written
	told  *told
}

// told is what stands of a message before the gateway is called.
type told struct {
	id  int64 // 0: it is not to be called, for it has the message already
	err error
}

// ask writes down that the gateway is about to be called with the message:
// whoever finds such a note without an outcome knows that the phone may have
// it. The id is 0 where it is not to be called: the gateway has it already.
func (d *desk) ask(ctx context.Context, task outbox.LeasedMessage, w *written) (id int64, err error) {
	a := asked{task, w, &told{}}
	failed, err := d.asking.Do(ctx, a)
	if err == nil {
		err = failed
	}
	if err != nil { // what was told may not stand, or not yet
		return 0, fault.Wrap("sms.send", err)
	}
	return a.told.id, a.told.err
}

// askTogether writes the notes of all that came at once.
func (d *desk) askTogether(ctx context.Context, list []asked) error {
	return d.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		rows, err := begin(tx, list)
		if err != nil {
			return err
		}
		dropped, err := d.beyond(tx, list, rows)
		if err != nil {
			return err
		}
		var calls []called
		for i, a := range list {
			if rows[i] == nil {
				return errors.New("sms: the message is gone")
			}
			call, err := d.may(tx, rows[i], a)
			//mutant:replace [rows[i].ID] => [0] TestNoticesOfADayAreLimited
			if call && dropped[rows[i].ID] {
				call, err = false, final(errMany)
			}
			*a.told = told{err: err}
			if call {
				a.told.id = rows[i].ID
				calls = append(calls, called{rows[i].ID, a.task.LeaseToken, rows[i].AskedBy != 0})
			}
		}
		//mutant:replace return note(tx, calls) => _ = note; return nil TestALostAnswerIsTriedAgainAfterTwoMinutes
		return note(tx, calls)
	})
}

// beyond returns the ids of notices above the daily limit of their numbers.
func (d *desk) beyond(tx *database.Tx, list []asked, rows []*row) (map[int64]bool, error) {
	if d.o.DailyNotices == 0 {
		return nil, nil
	}
	var notices []notice
	for i, a := range list {
		if a.words.Notice && rows[i] != nil {
			n := notice{rows[i].ID, a.words.Phone.String(), d.o.DailyNotices}
			//mutant:drop TestNoticesOfMoneyThatCameLeaveRoom
			if a.words.Incoming {
				n.most /= 2
			}
			notices = append(notices, n)
		}
	}
	return beyond(tx, notices)
}

// may tells whether the gateway is to be called with a message.
func (d *desk) may(tx *database.Tx, r *row, a asked) (bool, error) {
	//mutant:drop TestAReceiptSavesARepeat
	if r.State != Queued {
		return false, nil
	}
	if until := a.words.Until; !until.IsZero() && tx.Now().After(until) {
		return false, final(errLate)
	}
	//mutant:drop ./internal/simulation TestSimulation
	if r.AskedBy != 0 && !d.once {
		//mutant:replace 0 => repeatAfter TestADeathInTheCallIsALostAnswer
		if left := r.AskedAt.Add(repeatAfter).Sub(tx.Now()); left > 0 {
			return false, unknown(left).Because(errWait)
		}
		//mutant:drop TestCodesAreNotRepeated
		if a.words.Sealed != nil {
			return false, final(errLost)
		}
	}
	return true, nil
}

// record keeps the messages' states in step with their promises.
func record(tx *database.Tx, list []outbox.SendResult) error {
	var sent, failed []string
	var untaken []outbox.LeasedMessage
	for _, c := range list {
		switch {
		case c.Err == nil:
			sent = append(sent, c.Message.Key)
		case !c.Retry:
			failed = append(failed, c.Message.Key)
		case !fault.Is(c.Err, fault.Unknown):
			untaken = append(untaken, c.Message)
		}
	}
	if err := forward(tx, sent, Sent); err != nil {
		return err
	}
	if err := forward(tx, failed, Failed); err != nil {
		return err
	}
	return unask(tx, untaken)
}

// written is a message that was read from its promise.
type written struct {
	payload
	text string
	// shown is the text as its reader may see it again.
	shown string
}

// read gives the message of a task; nil where there is nothing to say.
func (s *Sealer) read(task outbox.LeasedMessage) (*written, error) {
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
		//mutant:replace masked(args) => args TestList
		if w.shown, err = render(w.Lang, w.Key, masked(args)); err != nil {
			return nil, final(err)
		}
	}
	return w, nil
}

// final marks what no repeat can mend.
func final(err error) error { return fault.New(fault.Invalid, "sms.send", "").Because(err) }
