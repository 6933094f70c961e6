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
	Dialogues *ussdsession.Dialogues[Content]
	Customers *customer.Customers
	Catalog   *catalog.Catalog
	Payments  *payment.Payments
	Transfers *transfer.Transfers
	Wallets   *wallet.Wallets
	// Gateways tells who calls, for the HTTP doors.
	Gateways Gateways
	// Attempts counts wrong PINs by gateway; nil: nothing does.
	Attempts Attempts
	// Now is the clock.
	Now func() time.Time
}

// Door answers gateways.
type Door struct {
	Parts
	room, kannel basicauth.Realm[credential.Gateway] // POST /ussd, POST /ussd/kannel
	pins         *pins
	log          *slog.Logger
}

// New makes the door.
func New(parts Parts, log *slog.Logger) *Door {
	room := func(s credential.Scope) basicauth.Realm[credential.Gateway] {
		return basicauth.Realm[credential.Gateway]{
			Name: "ussd", Noun: "gateway", Credentials: parts.Gateways, Log: log,
			May: func(g credential.Gateway) bool { return g.May(s) },
		}
	}
	return &Door{
		Parts: parts, room: room(credential.USSD), kannel: room(credential.Kannel), log: log,
		pins: &pins{attempts: parts.Attempts, now: parts.Now, log: log, slow: map[string]slowed{}, wrong: map[string]int64{}, right: map[string]int{}},
	}
}

// patience is how long a turn may take in all; gateways wait 10 to 15 s. Who
// hangs up doesn't end it: what was begun is better finished.
const patience = 12 * time.Second

// lookAgain is how often a request looks whether another has answered its turn.
const lookAgain = 50 * time.Millisecond

// Content is what a dialogue keeps of itself.
type Content struct {
	State  State  `json:"state"`
	Screen Screen `json:"screen"`
	// Past are marks of what was answered: of ids where inputs have them, of
	// texts where they hold the whole session.
	Past []string `json:"past,omitempty"`
}

// kept is a dialogue as it stands.
type kept = ussdsession.Dialogue[Content]

// Turn answers an input. The screen is always one to show; the error, for the
// log, says why it is a poor one.
func (d *Door) Turn(ctx context.Context, in Input) (Screen, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	number, err := phone.Parse(in.Phone)
	if err != nil || in.Session == "" || !isDialed(in.ServiceCode) {
		return d.end("", "ussd.end.command"), nil
	}
	if in.At.IsZero() {
		in.At = d.Now()
	}
	t := turn{Door: d, in: in, number: number, name: ussdsession.Name{
		Gateway: in.Gateway, Session: in.Session, Phone: number.String(),
	}}
	for {
		screen, answered, err := t.try(ctx)
		if err != nil {
			return t.broken(err), err
		}
		if answered {
			return screen, nil
		}
		// Somebody else is at work on this turn: its answer is ours too.
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return d.end("", "ussd.end.unknown"), fault.New(fault.Unknown, "ussd.turn", "").Because(ctx.Err())
		}
	}
}

func (d *Door) end(lang, key string) Screen {
	return State{Lang: lang}.over(word(key)).Screen(Shelf{})
}

// broken is the end of a turn that can't be told: where it dials, nothing was
// done; any other may repeat a confirmation whose payment is under way.
func (t *turn) broken(err error) Screen {
	if t.begins() {
		return t.end("", endings[fault.KindOf(err)])
	}
	return t.end("", "ussd.end.lost")
}

// turn is one input on its way to an answer.
type turn struct {
	*Door
	in     Input
	number phone.Number
	name   ussdsession.Name
	// dialed: a beginning was tried before anything was looked for.
	dialed bool
}

// heard is what the dialogue compares the next input with.
func (t *turn) heard() ussdsession.Heard {
	if t.in.Style == Numbered {
		return ussdsession.Heard{Text: t.in.ID, At: t.in.At}
	}
	return ussdsession.Heard{Text: t.in.Text, At: t.in.At}
}

// begins reports whether the input surely dials. Another one may dial too, with
// inputs of its own: see begin.
func (t *turn) begins() bool { return t.in.Text == "" || isDialed(t.in.Text) }

// try answers once; false where another request is at work on the same turn.
func (t *turn) try(ctx context.Context) (screen Screen, answered bool, err error) {
	if t.in.Style == Numbered && t.in.At.Before(t.Now().Add(-ussdsession.Life)) {
		return t.lost(ctx), true, nil
	}
	if recalled := t.Dialogues.Recall(t.name); recalled != nil {
		if screen, answered, err := t.follow(ctx, recalled); answered || err != nil {
			return screen, answered, err
		}
	}
	if t.begins() && !t.dialed {
		t.dialed = true // mostly there is none yet
		if screen, began, err := t.begin(ctx, nil); began || err != nil {
			return screen, began, err
		}
	}
	found, err := t.Dialogues.Find(ctx, t.name)
	if err != nil {
		return Screen{}, false, err
	}
	if found == nil {
		if t.in.Style == Numbered && !t.begins() {
			return t.lost(ctx), true, nil
		}
		return t.begin(ctx, nil)
	}
	input, relation := t.relate(ctx, found)
	switch {
	case relation == outdated:
		return t.end(found.Content.State.Lang, "ussd.end.expired"), true, nil
	case relation == repeats:
		return found.Content.Screen, true, nil
	case found.Busy():
		return Screen{}, false, nil
	case relation == redials:
		return t.begin(ctx, found)
	}
	return t.answer(ctx, found, input)
}

// follow answers an input that continues a recalled turn. Whatever else it may
// be is for the database to tell.
func (t *turn) follow(ctx context.Context, recalled *kept) (screen Screen, answered bool, err error) {
	input, relation := t.relate(ctx, recalled)
	if relation != continues {
		return Screen{}, false, nil
	}
	return t.answer(ctx, recalled, input)
}

// lost is what is said where the dialogue of an input is gone. The input may
// repeat a confirmation whose answer never arrived, and its payment may stand:
// nobody is told to dial again and pay.
func (t *turn) lost(ctx context.Context) Screen {
	//mutant:replace lost => expired TestSessionsEnd
	key := "ussd.end.lost"
	if t.begins() {
		key = "ussd.end.expired"
	}
	holder, err := t.Customers.ByPhone(ctx, t.number)
	if err != nil {
		return t.end("", key) // a stranger, or a bad hour: Russian
	}
	return t.end(holder.Lang, key)
}

// begin writes the first screen: of a new dialogue, or anew where a phone dials
// within the session of the one before.
func (t *turn) begin(ctx context.Context, before *kept) (Screen, bool, error) {
	caller, err := t.caller(ctx)
	if err != nil {
		return Screen{}, false, err
	}
	state, lost, err := t.walk(ctx, Start(caller))
	if err != nil {
		return Screen{}, false, err
	}
	if lost {
		return t.lost(ctx), true, nil
	}
	shelf, err := t.shelf(ctx, state)
	if err != nil {
		return Screen{}, false, err
	}
	next := Content{State: state, Screen: state.Screen(shelf)}
	var won bool
	if before == nil {
		next.Past = t.past(nil)
		won, err = t.Dialogues.Begin(ctx, t.name, t.heard(), next)
	} else {
		if t.in.Style == Numbered {
			next.Past = before.Content.Past
		}
		next.Past = t.past(next.Past)
		won, err = t.Dialogues.Restart(ctx, before, t.heard(), next)
	}
	return next.Screen, won, err
}

// answer takes a new input. A step that only leads on is written as it is: of
// two requests the second finds the first one's answer. An act is done by who
// has claimed the turn.
func (t *turn) answer(ctx context.Context, found *kept, input string) (Screen, bool, error) {
	shelf, err := t.shelf(ctx, found.Content.State)
	if err != nil {
		return Screen{}, false, err
	}
	next, act := found.Content.State.Hear(input, shelf)
	if act != actNone {
		won, err := t.Dialogues.Claim(ctx, found)
		if err != nil || !won {
			return Screen{}, false, err
		}
		next = t.perform(ctx, next, act, input)
	}
	screen, won, err := t.write(ctx, found, next)
	if err != nil && act != actNone {
		_ = t.Dialogues.Release(context.WithoutCancel(ctx), found)
	}
	return screen, won, err
}

// troubles are ours, not the person's.
var troubles = map[fault.Kind]bool{fault.Internal: true, fault.Unavailable: true, fault.Unknown: true}

func (t *turn) perform(ctx context.Context, s State, act Act, input string) State {
	result := t.do(ctx, s, asked{act: act, input: input, number: t.number, gateway: t.in.Gateway})
	next := s.Done(act, result)
	log := t.log.With("gateway", t.in.Gateway, "act", string(act), "step", string(next.Step))
	if err := result.Err; err != nil && troubles[fault.KindOf(err)] {
		log.WarnContext(ctx, "ussd", "error", err)
		return next
	}
	log.InfoContext(ctx, "ussd")
	return next
}

func (t *turn) write(ctx context.Context, found *kept, s State) (Screen, bool, error) {
	shelf, err := t.shelf(ctx, s)
	if err != nil {
		return Screen{}, false, err
	}
	next := Content{State: s, Screen: s.Screen(shelf), Past: t.past(found.Content.Past)}
	won, err := t.Dialogues.Answer(ctx, found, t.heard(), next)
	return next.Screen, won, err
}
