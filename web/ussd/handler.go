// Package ussd is the door of *900#: gateways bring what a phone's keys said
// and take back the next screen.
//
// It promises that a request which comes again gets the same screen and does
// nothing twice, wherever and whenever the first one broke off; that every
// screen fits 160 octets; and that no number, name, ИНН or PIN reaches a log.
// The menu is a pure function of state and input (menu.go, done.go, screen.go);
// what it asks of the house stands in act.go. The door decides nothing about
// money.
package ussd

import (
	"context"
	"log/slog"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/transfer"
	"elsom/internal/ussdsession"
	"elsom/internal/wallet"
	"elsom/web/basicauth"
)

// ServiceCode is what is dialed.
const ServiceCode = "*900#"

// Input is what a gateway brings.
type Input struct {
	// Gateway is the code of who brings it.
	Gateway string
	// Session is the gateway's name for the dialogue.
	Session string
	// Phone is the number that dials, in any writing.
	Phone string
	// ServiceCode is *900#, or *900*3*3# with inputs dialed along.
	ServiceCode string
	// ID identifies the input; only with the style Numbered.
	ID string
	// Text is the typed text; Style says which part of the session it has.
	Text string
	// At is when it was said; zero: now.
	At    time.Time
	Style Style
}

// Style is how a gateway sends inputs.
type Style int

const (
	// Whole means that a text is all inputs of the session joined by "*".
	Whole Style = iota
	// Last means that a text is the last input, and nothing tells it from the next one.
	Last
	// Numbered means that a text is the last input, and ID tells it from the next one.
	Numbered
)

// Parts are what the door leads to.
type Parts struct {
	Sessions  *ussdsession.Sessions[Content]
	Customers *customer.Customers
	Catalog   *catalog.Catalog
	Payments  *payment.Payments
	Transfers *transfer.Transfers
	Wallets   *wallet.Wallets
	// Gateways tells who calls, for the HTTP doors.
	Gateways Gateways
	// Attempts counts wrong PINs by gateway; nil: nothing does.
	Limits RateLimiter
	// Now is the clock.
	Now func() time.Time
}

// Handler answers gateways.
type Handler struct {
	Parts
	auth, kannelAuth basicauth.Realm[credential.Gateway] // POST /ussd, POST /ussd/kannel
	pins             *pinThrottle
	log              *slog.Logger
}

// New makes the door.
func New(parts Parts, log *slog.Logger) *Handler {
	room := func(s credential.Scope) basicauth.Realm[credential.Gateway] {
		return basicauth.Realm[credential.Gateway]{
			Name: "ussd", Noun: "gateway", Credentials: parts.Gateways, Log: log,
			May: func(g credential.Gateway) bool { return g.May(s) },
		}
	}
	return &Handler{
		Parts: parts, auth: room(credential.USSD), kannelAuth: room(credential.Kannel), log: log,
		pins: &pinThrottle{limits: parts.Limits, now: parts.Now, log: log, slow: map[string]slowdown{}, wrong: map[string]int64{}, right: map[string]int{}},
	}
}

// patience is how long a turn may take in all; gateways wait 10 to 15 s. Who
// hangs up doesn't end it: what was begun is better finished.
const timeout = 12 * time.Second

// lookAgain is how often a request looks whether another has answered its turn.
const pollInterval = 50 * time.Millisecond

// Content is what a dialogue keeps of itself.
type Content struct {
	State  State  `json:"state"`
	Screen Screen `json:"screen"`
	// Past are marks of what was answered: of ids where inputs have them, of
	// texts where they hold the whole session.
	Past []string `json:"past,omitempty"`
}

// storedSession is a dialogue as it stands.
type storedSession = ussdsession.Session[Content]

// Respond answers an input. The screen is always one to show; the error, for the
// log, says why it is a poor one.
func (d *Handler) Respond(ctx context.Context, in Input) (Screen, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	number, err := phone.Parse(in.Phone)
	if err != nil || in.Session == "" || !isDialed(in.ServiceCode) {
		return d.end("", "ussd.end.command"), nil
	}
	if in.At.IsZero() {
		in.At = d.Now()
	}
	t := exchange{Handler: d, in: in, number: number, name: ussdsession.Name{
		Gateway: in.Gateway, Session: in.Session, Phone: number.String(),
	}}
	for {
		screen, answered, err := t.attempt(ctx)
		if err != nil {
			return t.failed(err), err
		}
		if answered {
			return screen, nil
		}
		// Somebody else is at work on this turn: its answer is ours too.
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return d.end("", "ussd.end.unknown"), fault.New(fault.Unknown, "ussd.turn", "").Because(ctx.Err())
		}
	}
}

func (d *Handler) end(lang, key string) Screen {
	return State{Lang: lang}.end(message(key)).Screen(Listing{})
}

// failed is the end of a turn that can't be told: where it dials, nothing was
// done; any other may repeat a confirmation whose payment is under way.
func (t *exchange) failed(err error) Screen {
	if t.dials() {
		return t.end("", kindMessages[fault.KindOf(err)])
	}
	return t.end("", "ussd.end.lost")
}

// exchange is one input on its way to an answer.
type exchange struct {
	*Handler
	in     Input
	number phone.Number
	name   ussdsession.Name
	// dialed: a beginning was tried before anything was looked for.
	createTried bool
}

// input is what the dialogue compares the next input with.
func (t *exchange) input() ussdsession.Input {
	if t.in.Style == Numbered {
		return ussdsession.Input{Text: t.in.ID, At: t.in.At}
	}
	return ussdsession.Input{Text: t.in.Text, At: t.in.At}
}

// dials reports whether the input surely dials. Another one may dial too, with
// inputs of its own: see begin.
func (t *exchange) dials() bool { return t.in.Text == "" || isDialed(t.in.Text) }

// attempt answers once; false where another request is at work on the same turn.
func (t *exchange) attempt(ctx context.Context) (screen Screen, answered bool, err error) {
	if t.in.Style == Numbered && t.in.At.Before(t.Now().Add(-ussdsession.Lifetime)) {
		return t.sessionLost(ctx), true, nil
	}
	if recalled := t.Sessions.Cached(t.name); recalled != nil {
		if screen, answered, err := t.respondCached(ctx, recalled); answered || err != nil {
			return screen, answered, err
		}
	}
	if t.dials() && !t.createTried {
		t.createTried = true // mostly there is none yet
		if screen, began, err := t.create(ctx, nil); began || err != nil {
			return screen, began, err
		}
	}
	found, err := t.Sessions.Find(ctx, t.name)
	if err != nil {
		return Screen{}, false, err
	}
	if found == nil {
		if t.in.Style == Numbered && !t.dials() {
			return t.sessionLost(ctx), true, nil
		}
		return t.create(ctx, nil)
	}
	input, relation := t.classify(ctx, found)
	switch {
	case relation == stale:
		return t.end(found.Content.State.Lang, "ussd.end.expired"), true, nil
	case relation == repeat:
		return found.Content.Screen, true, nil
	case found.Busy():
		return Screen{}, false, nil
	case relation == redial:
		return t.create(ctx, found)
	}
	return t.advance(ctx, found, input)
}

// respondCached answers an input that continues a recalled turn. Whatever else it may
// be is for the database to tell.
func (t *exchange) respondCached(ctx context.Context, recalled *storedSession) (screen Screen, answered bool, err error) {
	input, relation := t.classify(ctx, recalled)
	if relation != newInput {
		return Screen{}, false, nil
	}
	return t.advance(ctx, recalled, input)
}

// sessionLost is what is said where the dialogue of an input is gone. The input may
// repeat a confirmation whose answer never arrived, and its payment may stand:
// nobody is told to dial again and pay.
func (t *exchange) sessionLost(ctx context.Context) Screen {
	//mutant:replace lost => expired TestSessionsEnd
	key := "ussd.end.lost"
	if t.dials() {
		key = "ussd.end.expired"
	}
	holder, err := t.Customers.ByPhone(ctx, t.number)
	if err != nil {
		return t.end("", key) // a stranger, or a bad hour: Russian
	}
	return t.end(holder.Lang, key)
}

// create writes the first screen: of a new dialogue, or anew where a phone dials
// within the session of the one before.
func (t *exchange) create(ctx context.Context, before *storedSession) (Screen, bool, error) {
	caller, err := t.caller(ctx)
	if err != nil {
		return Screen{}, false, err
	}
	state, lost, err := t.applyDialed(ctx, Start(caller))
	if err != nil {
		return Screen{}, false, err
	}
	if lost {
		return t.sessionLost(ctx), true, nil
	}
	shelf, err := t.listing(ctx, state)
	if err != nil {
		return Screen{}, false, err
	}
	next := Content{State: state, Screen: state.Screen(shelf)}
	var won bool
	if before == nil {
		next.Past = t.pastInputs(nil)
		won, err = t.Sessions.Create(ctx, t.name, t.input(), next)
	} else {
		if t.in.Style == Numbered {
			next.Past = before.Content.Past
		}
		next.Past = t.pastInputs(next.Past)
		won, err = t.Sessions.Restart(ctx, before, t.input(), next)
	}
	return next.Screen, won, err
}

// advance takes a new input. A step that only leads on is written as it is: of
// two requests the second finds the first one's answer. An act is done by who
// has claimed the turn.
func (t *exchange) advance(ctx context.Context, found *storedSession, input string) (Screen, bool, error) {
	shelf, err := t.listing(ctx, found.Content.State)
	if err != nil {
		return Screen{}, false, err
	}
	next, act := found.Content.State.Next(input, shelf)
	if act != opNone {
		won, err := t.Sessions.Acquire(ctx, found)
		if err != nil || !won {
			return Screen{}, false, err
		}
		next = t.run(ctx, next, act, input)
	}
	screen, won, err := t.write(ctx, found, next)
	if err != nil && act != opNone {
		_ = t.Sessions.Release(context.WithoutCancel(ctx), found)
	}
	return screen, won, err
}

// troubles are ours, not the person's.
var internalKinds = map[fault.Kind]bool{fault.Internal: true, fault.Unavailable: true, fault.Unknown: true}

func (t *exchange) run(ctx context.Context, s State, act Op, input string) State {
	result := t.runOp(ctx, s, opInput{op: act, input: input, number: t.number, gateway: t.in.Gateway})
	next := s.Finish(act, result)
	log := t.log.With("gateway", t.in.Gateway, "act", string(act), "step", string(next.Step))
	if err := result.Err; err != nil && internalKinds[fault.KindOf(err)] {
		log.WarnContext(ctx, "ussd", "error", err)
		return next
	}
	log.InfoContext(ctx, "ussd")
	return next
}

func (t *exchange) write(ctx context.Context, found *storedSession, s State) (Screen, bool, error) {
	shelf, err := t.listing(ctx, s)
	if err != nil {
		return Screen{}, false, err
	}
	next := Content{State: s, Screen: s.Screen(shelf), Past: t.pastInputs(found.Content.Past)}
	won, err := t.Sessions.Advance(ctx, found, t.input(), next)
	return next.Screen, won, err
}
