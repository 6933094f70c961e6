// Package ussd answers the USSD gateways of *900#: an input in, the next screen
// out.
//
// It guarantees that a repeated request gets the same screen and does nothing
// twice, in whatever process and state the first one ended; that each screen fits
// 160 octets; and that no phone number, name, ИНН or PIN is logged. The menu is a
// pure function of state and input (menu.go, finish.go, screen.go); its operations
// call the application services (ops.go), which decide about money.
//
// Each input is classified against the stored session by the first row that
// matches (classify.go). "Last" is the input that was answered last. A session is
// over once its screen was END; it stays stored until it expires, so that a
// repeated confirmation finds its screen.
//
//	style     session       input                                      relation
//	numbered  any           older than a session lasts                 lost
//	numbered  none          does not dial                              lost
//	any       none          any                                        fresh
//	whole     open or over  the same as the last                       repeat
//	whole     over          new and not longer than the last, or dials redial
//	whole     over          any                                        repeat
//	whole     open          extends the last                           next
//	whole     open          neither empty nor answered before          unrelated
//	whole     open          any                                        repeat
//	last      open or over  the same as the last, too soon after it    repeat
//	last      open or over  dials                                      redial
//	last      over          the same as the last                       repeat
//	last      over          any                                        redial
//	last      open          any                                        next
//	numbered  open or over  answered before                            repeat
//	numbered  open or over  sent before the last                       stale
//	numbered  open or over  dials                                      redial
//	numbered  over          any                                        stale
//	numbered  open          any                                        next
//
// The answers: fresh and redial get the first screen; next runs the operation and
// gets the next screen; repeat and unrelated get the current screen, unrelated with
// a warning in the log; stale and lost get an END screen. While another request
// holds the session's lease, next and redial are busy: they wait and are classified
// again.
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

// ServiceCode is the code that customers dial.
const ServiceCode = "*900#"

// Input is one request of a gateway.
type Input struct {
	// Gateway is the gateway's code.
	Gateway string
	// Session is the gateway's id of the session.
	Session string
	// Phone is the caller's number, in any notation.
	Phone string
	// ServiceCode is *900#, or *900*3*3# with inputs dialed with it.
	ServiceCode string
	// ID identifies the input; only with the style Numbered.
	ID string
	// Text is the typed text: all inputs of the session or the last one, by Style.
	Text string
	// At is when it was sent; zero means now.
	At    time.Time
	Style Style
}

// Style is the way in which a gateway sends inputs.
type Style int

const (
	// Whole means that a text is all inputs of the session joined by "*".
	Whole Style = iota
	// Last means that a text is the last input, without an id.
	Last
	// Numbered means that a text is the last input, and ID identifies it.
	Numbered
)

// Parts are the services that New connects.
type Parts struct {
	Sessions  *ussdsession.Sessions[Content]
	Customers *customer.Customers
	Catalog   *catalog.Catalog
	Payments  *payment.Payments
	Transfers *transfer.Transfers
	Wallets   *wallet.Wallets
	// Gateways authenticates the callers of Handle and HandleKannel.
	Gateways Gateways
	// Limits counts wrong PINs by gateway; with nil nothing is counted.
	Limits RateLimiter
	// Now is the clock.
	Now func() time.Time
}

// Handler answers gateways.
type Handler struct {
	sessions         *ussdsession.Sessions[Content]
	customers        *customer.Customers
	catalog          *catalog.Catalog
	payments         *payment.Payments
	transfers        *transfer.Transfers
	wallets          *wallet.Wallets
	now              func() time.Time
	auth, kannelAuth basicauth.Realm[credential.Gateway] // POST /ussd, POST /ussd/kannel
	pins             *pinThrottle
	log              *slog.Logger
}

// New returns a handler over the services.
func New(parts Parts, log *slog.Logger) *Handler {
	realm := func(s credential.Scope) basicauth.Realm[credential.Gateway] {
		return basicauth.Realm[credential.Gateway]{
			Name: "ussd", Noun: "gateway", Credentials: parts.Gateways, Log: log,
			May: func(g credential.Gateway) bool { return g.May(s) },
		}
	}
	return &Handler{
		sessions: parts.Sessions, customers: parts.Customers, catalog: parts.Catalog, payments: parts.Payments,
		transfers: parts.Transfers, wallets: parts.Wallets, now: parts.Now,
		auth: realm(credential.USSD), kannelAuth: realm(credential.Kannel), log: log,
		pins: newPINThrottle(parts.Limits, parts.Now, log),
	}
}

// timeout bounds one exchange; gateways wait 10 to 15 s. A caller that hangs up
// does not cancel it, since its operation may have begun.
const timeout = 12 * time.Second

// pollInterval is the pause before a busy session is read again.
const pollInterval = 50 * time.Millisecond

const lifetime = ussdsession.Lifetime

// Content is what a session stores.
type Content struct {
	State  State  `json:"state"`
	Screen Screen `json:"screen"`
	// Past has the hashes of the answered inputs: of their ids, or of whole texts.
	Past []string `json:"past,omitempty"`
}

type storedSession = ussdsession.Session[Content]

// Respond answers an input. The screen can always be shown; an error is for the
// log and says why the screen is not the regular one.
func (h *Handler) Respond(ctx context.Context, in Input) (Screen, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	number, err := phone.Parse(in.Phone)
	if err != nil || in.Session == "" || !isServiceCode(in.ServiceCode) {
		return endScreen("", "ussd.end.command"), nil
	}
	if in.At.IsZero() {
		in.At = h.now()
	}
	e := exchange{Handler: h, in: in, number: number, name: ussdsession.Name{
		Gateway: in.Gateway, Session: in.Session, Phone: number.String(),
	}}
	for {
		screen, answered, err := e.attempt(ctx)
		if err != nil {
			return e.failed(err), err
		}
		if answered {
			return screen, nil
		}
		// Another request is answering the same input: read its screen.
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return endScreen("", "ussd.end.unknown"), fault.New(fault.Unknown, "ussd.respond", "").Because(ctx.Err())
		}
	}
}

func endScreen(lang, key string) Screen {
	return State{Lang: lang}.end(message(key)).Screen(Listing{})
}

// exchange answers one input.
type exchange struct {
	*Handler
	in     Input
	number phone.Number
	name   ussdsession.Name
	// createTried reports that attempt has tried to create the session without
	// reading it first.
	createTried bool
}

// failed returns the screen of an exchange that failed. Nothing was done for an
// input that dials; any other may repeat a confirmation whose payment is in flight.
func (e *exchange) failed(err error) Screen {
	if e.dials() {
		return endScreen("", kindMessages[fault.KindOf(err)])
	}
	return endScreen("", "ussd.end.lost")
}

// input returns what the session compares the next input with.
func (e *exchange) input() ussdsession.Input {
	if e.in.Style == Numbered {
		return ussdsession.Input{Text: e.in.ID, At: e.in.At}
	}
	return ussdsession.Input{Text: e.in.Text, At: e.in.At}
}

// attempt answers the input once. It reports false if another request is answering
// it.
func (e *exchange) attempt(ctx context.Context) (screen Screen, answered bool, err error) {
	if cached, ok := e.sessions.Cached(e.name); ok {
		// Any other relation is decided by the session in the database.
		if text, r := e.compare(cached); r == next {
			if screen, answered, err := e.advance(ctx, cached, text); answered || err != nil {
				return screen, answered, err
			}
		}
	}
	if e.dials() && !e.createTried && !e.tooOld() {
		e.createTried = true // usually there is no session yet, and no read is needed
		if screen, created, err := e.create(ctx, nil); created || err != nil {
			return screen, created, err
		}
	}
	found, exists, err := e.sessions.Find(ctx, e.name)
	if err != nil {
		return Screen{}, false, err
	}
	if !exists {
		found = nil
	}
	text, r := e.compare(found)
	switch r {
	case fresh, redial:
		return e.create(ctx, found)
	case next:
		return e.advance(ctx, found, text)
	case unrelated:
		e.log.WarnContext(ctx, "ussd: a text doesn't continue its session; if the gateway sends only the last input, "+
			"run elsom gateway set CODE --inputs last", "gateway", e.in.Gateway)
		return found.Content.Screen, true, nil
	case repeat:
		return found.Content.Screen, true, nil
	case stale:
		return endScreen(found.Content.State.Lang, "ussd.end.expired"), true, nil
	case lost:
		return e.lost(ctx), true, nil
	}
	return Screen{}, false, nil // busy
}

// lost returns the screen for an input whose session has expired. The input may
// repeat a confirmation whose answer never arrived, so the screen does not ask to
// dial again and pay.
func (e *exchange) lost(ctx context.Context) Screen {
	//mutant:replace lost => expired TestSessionsExpire
	key := "ussd.end.lost"
	if e.dials() {
		key = "ussd.end.expired"
	}
	holder, err := e.customers.ByPhone(ctx, e.number)
	if err != nil {
		return endScreen("", key) // an unknown number, or a failed read: Russian
	}
	return endScreen(holder.Lang, key)
}

// create writes the first screen of a new session, or of one that replaces before.
func (e *exchange) create(ctx context.Context, before *storedSession) (Screen, bool, error) {
	caller, err := e.caller(ctx)
	if err != nil {
		return Screen{}, false, err
	}
	state, expired, err := e.applyDialed(ctx, Start(caller))
	if err != nil {
		return Screen{}, false, err
	}
	if expired {
		return e.lost(ctx), true, nil
	}
	listing, err := e.listing(ctx, state)
	if err != nil {
		return Screen{}, false, err
	}
	content := Content{State: state, Screen: state.Screen(listing)}
	if before == nil {
		content.Past = e.past(nil)
		created, err := e.sessions.Create(ctx, e.name, e.input(), content)
		return content.Screen, created, err
	}
	if e.in.Style == Numbered {
		content.Past = before.Content.Past
	}
	content.Past = e.past(content.Past)
	restarted, err := e.sessions.Restart(ctx, before, e.input(), content)
	return content.Screen, restarted, err
}

// advance answers the next input. A step without an operation is written without a
// lease: of two requests the second finds the first one's screen. An operation is
// run by the request that holds the session's lease.
func (e *exchange) advance(ctx context.Context, s *storedSession, text string) (Screen, bool, error) {
	listing, err := e.listing(ctx, s.Content.State)
	if err != nil {
		return Screen{}, false, err
	}
	state, op := s.Content.State.Next(text, listing)
	if op != opNone {
		acquired, err := e.sessions.Acquire(ctx, s)
		if err != nil || !acquired {
			return Screen{}, false, err
		}
		state = e.run(ctx, state, op, text)
	}
	screen, written, err := e.write(ctx, s, state)
	if err != nil && op != opNone {
		_ = e.sessions.Release(context.WithoutCancel(ctx), s)
	}
	return screen, written, err
}

// internalKinds are the faults whose cause is not the caller's input; they are
// logged as warnings.
var internalKinds = map[fault.Kind]bool{fault.Internal: true, fault.Unavailable: true, fault.Unknown: true}

func (e *exchange) run(ctx context.Context, s State, op Op, text string) State {
	result := e.runOp(ctx, s, opInput{op: op, text: text, number: e.number, gateway: e.in.Gateway})
	state := s.Finish(op, result)
	log := e.log.With("gateway", e.in.Gateway, "op", string(op), "step", string(state.Step))
	if err := result.Err; err != nil && internalKinds[fault.KindOf(err)] {
		log.WarnContext(ctx, "ussd: operation failed", "error", err)
		return state
	}
	//mutant:replace "ussd: operation" => "ussd: operation", "text", text TestPersonalDataIsNotLogged
	log.InfoContext(ctx, "ussd: operation")
	return state
}

func (e *exchange) write(ctx context.Context, s *storedSession, state State) (Screen, bool, error) {
	listing, err := e.listing(ctx, state)
	if err != nil {
		return Screen{}, false, err
	}
	content := Content{State: state, Screen: state.Screen(listing), Past: e.past(s.Content.Past)}
	written, err := e.sessions.Advance(ctx, s, e.input(), content)
	return content.Screen, written, err
}
