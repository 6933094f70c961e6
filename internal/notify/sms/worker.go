package sms

import (
	"context"
	"errors"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/outbox"
)

// repeatAfter is the time to wait for a receipt after a call whose response was
// lost.
const repeatAfter = 2 * time.Minute

var (
	errExpired         = errors.New("the message has expired")
	errResponseLost    = errors.New("the gateway's response was lost, and a code is not sent twice")
	errDailyLimit      = errors.New("the daily limit of the number is reached")
	errAwaitingReceipt = errors.New("the gateway's response was lost; waiting for a receipt")
)

// DailyNotices is the default daily limit of messages to a number, above which
// notices are dropped: more than a customer's own payments cause on a busy day.
const DailyNotices = 100

// Options of the workers.
type Options struct {
	// DailyNotices is the number of messages to a phone number within 24 hours above
	// which notices are dropped. Notices of incoming money are dropped above half of
	// it. 0 means no limit.
	DailyNotices int
	// Dropped, if not nil, is called for each dropped notice.
	Dropped func()
}

// Workers returns the workers of all queues. They decrypt arguments, render the
// text in the recipient's language and pass it to the gateway. The outbox deletes
// the payload when the message is sent.
func Workers(db *database.DB, s *Sealer, g Gateway, o Options) []outbox.Worker {
	sender := newSender(db, s, g)
	sender.options = o
	var workers []outbox.Worker
	for _, queue := range Queues() {
		workers = append(workers, outbox.NewSender(db, outbox.SenderOptions{Queue: queue, Concurrency: concurrency, Send: sender.send, Record: record}))
	}
	return workers
}

// concurrency is the number of concurrent calls to the gateway per queue. It is
// small because codes whose call a crash interrupts are never sent again.
const concurrency = 16

// sender passes messages to the gateway.
type sender struct {
	db         *database.DB
	sealer     *Sealer
	gateway    Gateway
	idempotent bool // the gateway is an IdempotentGateway
	options    Options
	starting   *database.Coalescer[candidate, error]
}

func newSender(db *database.DB, s *Sealer, g Gateway) *sender {
	_, idempotent := g.(IdempotentGateway)
	d := &sender{db: db, sealer: s, gateway: g, idempotent: idempotent}
	d.starting = database.NewCoalescer(database.RetrySingly(d.startBatch))
	return d
}

func (d *sender) send(ctx context.Context, m outbox.LeasedMessage) error {
	c, err := d.sealer.read(m)
	if err != nil || c.empty {
		return err
	}
	id, err := d.start(ctx, m, c)
	if errors.Is(err, errDailyLimit) && d.options.Dropped != nil {
		d.options.Dropped()
	}
	if err != nil || id == 0 {
		return err
	}
	err = d.gateway.Send(ctx, Rendered{Phone: c.Phone, Text: c.text, ID: m.Key, Token: d.sealer.token(id)})
	if err == nil || d.idempotent || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unavailable) {
		return err
	}
	//mutant:replace return unknown(repeatAfter) => return fault.New(fault.Unavailable, "sms.send", "") TestOtherErrorIsALostResponse
	return unknown(repeatAfter).Because(err)
}

func unknown(after time.Duration) *fault.Error {
	return fault.New(fault.Unknown, "sms.send", "").After(max(after, time.Second))
}

// candidate is a message that may be passed to the gateway.
type candidate struct {
	message  outbox.LeasedMessage
	content  content
	decision *decision
}

// decision is the result of start for one candidate.
type decision struct {
	id  int64 // of the row in messages; 0: the gateway must not be called
	err error
}

// start stores that the gateway is about to be called with the message. A stored
// call without an outcome means that the gateway may have accepted the message. The
// id is 0 if the gateway must not be called because it has the message already.
func (d *sender) start(ctx context.Context, m outbox.LeasedMessage, w content) (id int64, err error) {
	c := candidate{m, w, &decision{}}
	failed, err := d.starting.Do(ctx, c)
	if err == nil {
		err = failed
	}
	if err != nil { // the decision was not committed, or it is unknown whether it was
		return 0, fault.Wrap("sms.send", err)
	}
	return c.decision.id, c.decision.err
}

// startBatch does the work of start for a batch, in one transaction.
func (d *sender) startBatch(ctx context.Context, list []candidate) error {
	return d.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		rows, err := insertAndLock(tx, list)
		if err != nil {
			return err
		}
		dropped, err := d.overDailyLimit(tx, list, rows)
		if err != nil {
			return err
		}
		var calls []call
		for i, c := range list {
			if rows[i] == nil {
				return errors.New("sms: the row of the message is missing")
			}
			ok, err := d.mayCall(tx, rows[i], c)
			//mutant:replace [rows[i].ID] => [0] TestNoticesHaveADailyLimit
			if ok && dropped[rows[i].ID] {
				ok, err = false, final(errDailyLimit)
			}
			*c.decision = decision{err: err}
			if ok {
				c.decision.id = rows[i].ID
				calls = append(calls, call{rows[i].ID, c.message.LeaseToken, rows[i].AskedBy != 0})
			}
		}
		//mutant:replace return recordCalls(tx, calls) => _ = recordCalls; return nil TestLostResponseIsRepeatedAfterTwoMinutes
		return recordCalls(tx, calls)
	})
}

// overDailyLimit returns the ids of notices above the daily limit of their phone
// numbers.
func (d *sender) overDailyLimit(tx *database.Tx, list []candidate, rows []*row) (map[int64]bool, error) {
	if d.options.DailyNotices == 0 {
		return nil, nil
	}
	var notices []limitedMessage
	for i, c := range list {
		if c.content.Notice && rows[i] != nil {
			n := limitedMessage{rows[i].ID, c.content.Phone.String(), d.options.DailyNotices}
			//mutant:drop TestIncomingNoticesUseHalfOfTheLimit
			if c.content.Incoming {
				n.limit /= 2
			}
			notices = append(notices, n)
		}
	}
	return overLimit(tx, notices)
}

// mayCall reports whether the gateway may be called with a message. An error means
// that it may not, now (fault.Unknown) or ever (fault.Invalid).
func (d *sender) mayCall(tx *database.Tx, r *row, c candidate) (bool, error) {
	//mutant:drop TestReceiptPreventsRepeat
	if r.State != Queued {
		return false, nil
	}
	if until := c.content.Until; !until.IsZero() && tx.Now().After(until) {
		return false, final(errExpired)
	}
	//mutant:drop ./internal/simulation TestSimulation
	if r.AskedBy != 0 && !d.idempotent {
		//mutant:replace 0 => repeatAfter TestCrashDuringCallIsALostResponse
		if left := r.AskedAt.Add(repeatAfter).Sub(tx.Now()); left > 0 {
			return false, unknown(left).Because(errAwaitingReceipt)
		}
		//mutant:drop TestCodesAreNotRepeated
		if c.content.Sealed != nil {
			return false, final(errResponseLost)
		}
	}
	return true, nil
}

// record stores the outcome of calls in the messages' states, in the transaction
// that stores it in the outbox.
func record(tx *database.Tx, list []outbox.SendResult) error {
	var sent, failed []string
	var notAccepted []outbox.LeasedMessage
	for _, c := range list {
		switch {
		case c.Err == nil:
			sent = append(sent, c.Message.Key)
		case !c.Retry:
			failed = append(failed, c.Message.Key)
		case !fault.Is(c.Err, fault.Unknown):
			notAccepted = append(notAccepted, c.Message)
		}
	}
	if err := setState(tx, sent, Sent); err != nil {
		return err
	}
	if err := setState(tx, failed, Failed); err != nil {
		return err
	}
	return clearCalls(tx, notAccepted)
}

// content is the decrypted and rendered content of an outbox message.
type content struct {
	payload
	empty  bool // the key is NoMessage; there is no text
	text   string
	masked string // text with codes and PINs masked, to be shown on the site
}

// read returns the content of an outbox message. Any error is final, but for that of
// unrenderable.
func (s *Sealer) read(m outbox.LeasedMessage) (content, error) {
	c := content{}
	if err := m.Read(&c.payload); err != nil {
		return c, final(err)
	}
	if c.Key == NoMessage {
		c.empty = true
		return c, nil
	}
	args, err := s.open(m.Key, c.payload)
	if err != nil {
		return c, final(err)
	}
	if c.text, err = render(c.Lang, c.Key, args); err != nil {
		return c, unrenderable(m, err)
	}
	c.masked = c.text
	if c.Sealed != nil {
		//mutant:replace masked(args) => args TestList
		if c.masked, err = render(c.Lang, c.Key, masked(args)); err != nil {
			return c, final(err)
		}
	}
	return c, nil
}

// maxRenderings is how often a message is tried whose text this release doesn't have:
// for about two hours.
const maxRenderings = 20

// unrenderable returns the fault of a message that could not be rendered. One whose text
// this release doesn't have was queued by a newer one that runs beside it during an
// upgrade, and is left to it for a while.
func unrenderable(m outbox.LeasedMessage, err error) error {
	//mutant:replace errors.Is(err, i18n.ErrNoMessage) => false TestTextOfANewerReleaseIsLeftToIt
	//mutant:replace m.Attempts < maxRenderings => true TestTextOfANewerReleaseIsLeftToIt
	if errors.Is(err, i18n.ErrNoMessage) && m.Attempts < maxRenderings {
		return fault.New(fault.Unavailable, "sms.send", "").Because(err)
	}
	return final(err)
}

// final returns err as a fault after which the message is not sent again.
func final(err error) error { return fault.New(fault.Invalid, "sms.send", "").Because(err) }
