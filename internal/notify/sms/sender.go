package sms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

// repeatAfter is the time to wait for a receipt after a call whose response was
// lost.
const repeatAfter = 2 * time.Minute

var (
	errExpired      = errors.New("the message has expired")
	errResponseLost = errors.New("the gateway's response was lost, and a code is not sent twice")
	errDailyLimit   = errors.New("the daily limit of the number is reached")
	errNotCalled    = errors.New("the gateway was not called")
)

// DailyNotices is the default daily limit of messages to a number, above which
// notices are dropped: more than a customer's own payments cause on a busy day.
const DailyNotices = 100

// Options of the sender.
type Options struct {
	// DailyNotices is the number of messages to a phone number within 24 hours above
	// which notices are dropped. Notices of incoming money are dropped above half of
	// it. 0 means no limit.
	DailyNotices int
	// Dropped, if not nil, is called for each dropped notice.
	Dropped func()
}

const (
	// lease is the time after which a call to an idempotent gateway that has no
	// outcome is repeated.
	lease = time.Minute
	// callTimeout limits a call, and callWithin the time from the acquisition to the
	// call: both end before another process may acquire the message.
	callTimeout = 20 * time.Second
	callWithin  = 30 * time.Second
	// maxAttempts is the number of attempts after which a message fails, about a day.
	maxAttempts   = 150
	maxRetryDelay = 10 * time.Minute
)

// Sender passes messages to the gateway, in any number of processes.
type Sender struct {
	db         *database.DB
	sealer     *Sealer
	gateway    Gateway
	idempotent bool // the gateway is an IdempotentGateway
	options    Options
}

// NewSender returns a sender.
func NewSender(db *database.DB, s *Sealer, g Gateway, o Options) *Sender {
	_, idempotent := g.(IdempotentGateway)
	return &Sender{db: db, sealer: s, gateway: g, idempotent: idempotent, options: o}
}

// Acquired is a message that the gateway is about to be called with. That is stored: a
// stored call without an outcome means that the gateway may have accepted the message.
type Acquired struct {
	ID    int64
	Queue string
	Key   string
	// Attempts is the number of times the message was acquired, this one included.
	Attempts int

	phone     phone.Number
	text      string
	sealed    []byte
	expiresAt *time.Time
	token     int64 // identifies the acquisition
	at        time.Time
}

// Outcome is the outcome of a call.
type Outcome struct {
	Message Acquired
	// Err is the error of the gateway; see Gateway.
	Err error
}

// Step stores the outcomes of calls and acquires up to n due messages of a queue, in
// one transaction. The messages that it returns are to be passed to Send once, and what
// Send returns to a later Step. If the error leaves open whether the transaction was
// committed, they are returned too: the gateway is not called with them, and the
// outcomes have to be stored again.
func (d *Sender) Step(ctx context.Context, queue string, outcomes []Outcome, n int) ([]Acquired, error) {
	s, err := d.transact(ctx, queue, outcomes, n)
	return s.acquired, err
}

// transact is Step with all that it stored.
func (d *Sender) transact(ctx context.Context, queue string, outcomes []Outcome, n int) (s step, err error) {
	err = d.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		s = step{now: tx.Now(), token: tx.NewID()}
		d.addOutcomes(&s, outcomes)
		if err := d.acquire(tx, queue, n, &s); err != nil {
			return err
		}
		return s.store(tx)
	})
	if err != nil {
		return s, fault.Wrap("sms.step", err)
	}
	for range s.dropped {
		if d.options.Dropped != nil {
			d.options.Dropped()
		}
	}
	for id, reason := range s.refused {
		slog.ErrorContext(ctx, "sms: failed", "queue", queue, "message", id, "error", reason)
	}
	return s, nil
}

// step has the changes that one transaction of Step stores.
type step struct {
	now      time.Time
	token    int64
	full     bool // as many messages were due as could be acquired
	acquired []Acquired
	repeated []int64 // 1 for an acquired message that is passed to the gateway again
	sent     []int64
	failed   []call
	empty    []int64 // not to be sent: their rows are deleted
	unsent   []unsent
	dropped  int
	refused  map[int64]error // failed without a call
}

// call is a call to the gateway with a message.
type call struct{ id, token int64 }

// unsent is a call by which a message was not sent. The message is due again.
type unsent struct {
	call
	lost  bool // the response was lost: the call stays stored
	dueAt time.Time
}

func (d *Sender) addOutcomes(s *step, outcomes []Outcome) {
	for _, o := range outcomes {
		m, kind := o.Message, fault.As(o.Err)
		last := call{m.ID, m.token}
		switch {
		case o.Err == nil:
			s.sent = append(s.sent, m.ID)
		case isFinal(o):
			s.failed = append(s.failed, last)
		case errors.Is(o.Err, errNotCalled):
			s.unsent = append(s.unsent, unsent{call: last, dueAt: s.now})
		//mutant:replace fault.Unknown => fault.Unavailable TestLostResponseIsRepeatedAfterTwoMinutes
		case kind.Kind == fault.Unknown && !d.idempotent:
			s.unsent = append(s.unsent, unsent{last, true, m.at.Add(max(repeatAfter, kind.RetryAfter))})
		default:
			s.unsent = append(s.unsent, unsent{call: last, dueAt: s.now.Add(retryDelay(m.Attempts, kind.RetryAfter))})
		}
	}
}

// isFinal reports whether a message is not sent again after its last call. One that the
// gateway wasn't called with is due again, unless it is in no queue (see SendNow).
func isFinal(o Outcome) bool {
	//mutant:drop TestIsFinal
	if errors.Is(o.Err, errNotCalled) {
		return o.Message.Queue == ""
	}
	return fault.Is(o.Err, fault.Invalid) || o.Message.Attempts >= maxAttempts
}

// retryDelay returns the delay after the given number of attempts. It doubles from
// two seconds to maxRetryDelay, unless the error has its own.
func retryDelay(attempts int, own time.Duration) time.Duration {
	if own > 0 {
		return own
	}
	return min(maxRetryDelay, time.Second<<min(attempts, 20))
}

// acquire reads the due messages and decides which of them are passed to the gateway.
func (d *Sender) acquire(tx *database.Tx, queue string, n int, s *step) error {
	if n <= 0 {
		return nil
	}
	rows, err := lockDue(tx, queue, d.lostBefore(s.now), n)
	if err != nil || len(rows) == 0 {
		return err
	}
	s.full = len(rows) == n
	over, err := d.overDailyLimit(tx, rows)
	if err != nil {
		return err
	}
	s.refused = map[int64]error{}
	for _, r := range rows {
		//mutant:replace over[r.ID] => over[0] TestNoticesHaveADailyLimit
		switch reason := d.refusal(r, over[r.ID], s.now); {
		case r.Phone == "":
			s.empty = append(s.empty, r.ID)
		case reason != nil:
			s.failed, s.refused[r.ID] = append(s.failed, call{r.ID, r.AskedBy}), reason
			if errors.Is(reason, errDailyLimit) {
				s.dropped++
			}
		default:
			s.acquired = append(s.acquired, Acquired{
				ID: r.ID, Queue: queue, Key: r.Key, Attempts: r.Tries + 1,
				phone: phone.Number(r.Phone), text: r.textWithBalance(), sealed: r.Sealed, expiresAt: r.ExpiresAt, token: s.token, at: s.now,
			})
			repeated := int64(0)
			if r.AskedBy != 0 {
				repeated = 1
			}
			s.repeated = append(s.repeated, repeated)
		}
	}
	return nil
}

// lostBefore returns the time before which a call that has no outcome is taken as one
// whose response was lost.
func (d *Sender) lostBefore(now time.Time) time.Time {
	if d.idempotent {
		return database.StoredTime(now.Add(-lease))
	}
	//mutant:replace repeatAfter => lease TestCrashDuringCallIsALostResponse
	return database.StoredTime(now.Add(-repeatAfter))
}

// refusal returns why a due message must not be sent any more, or nil.
func (d *Sender) refusal(r dueRow, overLimit bool, now time.Time) error {
	switch {
	//mutant:drop TestSenderStoresOutcome
	case hasExpired(r.ExpiresAt, now):
		return errExpired
	//mutant:drop TestCodesAreNotRepeated
	case r.AskedBy != 0 && r.Sealed != nil && !d.idempotent:
		return errResponseLost
	case overLimit:
		return errDailyLimit
	}
	return nil
}

func hasExpired(at *time.Time, now time.Time) bool { return at != nil && now.After(*at) }

// overDailyLimit returns the ids of notices above the daily limit of their phone
// numbers.
func (d *Sender) overDailyLimit(tx *database.Tx, rows []dueRow) (map[int64]bool, error) {
	if d.options.DailyNotices == 0 {
		return nil, nil
	}
	var notices []limitedMessage
	for _, r := range rows {
		switch r.DailyLimit {
		case fullLimit:
			notices = append(notices, limitedMessage{r.ID, r.Phone, d.options.DailyNotices})
		case halfLimit:
			notices = append(notices, limitedMessage{r.ID, r.Phone, d.options.DailyNotices / 2})
		}
	}
	return overLimit(tx, notices)
}

// Send passes a message to the gateway, unless too much time has passed since its
// acquisition.
func (d *Sender) Send(ctx context.Context, m Acquired) (o Outcome) {
	log := slog.With("queue", m.Queue, "message", m.ID, "attempts", m.Attempts)
	defer func() {
		//mutant:drop TestPanicOfTheGateway
		if r := recover(); r != nil {
			log.ErrorContext(ctx, "sms: panic", "panic", r, "stack", string(debug.Stack()))
			o = Outcome{m, fault.New(fault.Unknown, "sms.send", "")}
		}
	}()
	o = Outcome{m, d.call(ctx, m)}
	switch {
	case o.Err == nil:
		log.InfoContext(ctx, "sms: sent")
	case isFinal(o):
		log.ErrorContext(ctx, "sms: failed", "error", o.Err)
	default:
		log.WarnContext(ctx, "sms: not sent, will retry", "error", o.Err)
	}
	return o
}

func (d *Sender) call(ctx context.Context, m Acquired) error {
	now := d.db.Now()
	//mutant:drop TestExpiredMessageIsNotSent
	if hasExpired(m.expiresAt, now) {
		return fault.New(fault.Invalid, "sms.send", "").Because(errExpired)
	}
	//mutant:drop TestLateCallIsNotMade
	if now.Sub(m.at) > callWithin {
		return errNotCalled
	}
	r := Rendered{Phone: m.phone, Text: m.text, ID: m.Key, Token: d.sealer.token(m.ID)}
	if m.sealed != nil {
		text, err := d.sealer.unseal(m)
		if err != nil {
			return fault.New(fault.Invalid, "sms.send", "").Because(err)
		}
		r.Text = text
	}
	sending, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := d.gateway.Send(sending, r)
	if err == nil || d.idempotent || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unavailable) {
		return err
	}
	//mutant:replace fault.Unknown => fault.Unavailable TestOtherErrorIsALostResponse
	return fault.New(fault.Unknown, "sms.send", "").Because(err)
}

// SendNow passes a message without secrets to the gateway at once and returns its id.
// It is the operator's test of the gateway: the message is in no queue and not sent
// again, whatever the gateway returns.
func (ms *Messages) SendNow(ctx context.Context, g Gateway, m Message) (id int64, err error) {
	d := NewSender(ms.db, ms.sealer, g, Options{})
	o := OutboxMessage(fmt.Sprintf("now:%d", ms.db.NewID()), m)
	o.queue = ""
	var acquired Acquired
	err = ms.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := Add(ctx, tx, o); err != nil {
			return err
		}
		id, err := idByKey(tx, o.key)
		if err != nil {
			return err
		}
		acquired = Acquired{ID: id, Key: o.key, Attempts: maxAttempts, phone: o.phone, text: o.text, token: tx.NewID(), at: tx.Now()}
		return storeCalls(tx, []Acquired{acquired}, []int64{0})
	})
	if err != nil {
		return 0, fault.Wrap("sms.send_now", err)
	}
	outcome := d.Send(ctx, acquired)
	if _, err = d.Step(ctx, "", []Outcome{outcome}, 0); outcome.Err != nil {
		return 0, outcome.Err
	}
	return acquired.ID, fault.Wrap("sms.send_now", err)
}
