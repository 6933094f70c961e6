package ussd

import (
	"context"
	"slices"
	"strings"
	"time"
)

// dialed returns the inputs in a service code: 3 and 3 of *900*3*3#.
func dialed(code string) (inputs []string, ok bool) {
	code, begins := strings.CutPrefix(strings.TrimSpace(code), strings.TrimSuffix(ServiceCode, "#"))
	code, ends := strings.CutSuffix(code, "#")
	if !begins || !ends || (code != "" && code[0] != '*') {
		return nil, false
	}
	return parts(code), true
}

func isDialed(code string) bool {
	_, ok := dialed(code)
	return ok
}

func parts(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "*"), func(s string) bool { return s == "" })
}

// dialedInputs returns the inputs that were dialed with the service code: those in the
// code itself, or in the first text. sure is false if the text may also belong to
// a session that is lost.
func (t *exchange) dialedInputs() (inputs []string, sure bool) {
	if !t.dials() {
		return parts(t.in.Text), false
	}
	if inputs, _ := dialed(t.in.Text); len(inputs) > 0 {
		return inputs, true
	}
	inputs, _ = dialed(t.in.ServiceCode)
	return inputs, true
}

// mostAlong limits the inputs dialed with the code; the longest way to a check
// screen takes seven, plus pages of lists.
const maxDialed = 20

// applyDialed applies the inputs that were dialed with the code to a new session, up to
// the first that would do more than ask for a price: whatever moves money, takes
// a PIN or accepts terms must be shown first. lost reports that the text probably
// belongs to a lost session, whose confirmation may have been accepted.
func (t *exchange) applyDialed(ctx context.Context, s State) (next State, lost bool, err error) {
	inputs, sure := t.dialedInputs()
	if s.Customer == 0 {
		return s, false, nil // a new number begins with the language
	}
	for _, input := range inputs[:min(len(inputs), maxDialed)] {
		if s.Step == stepEnd {
			return s, false, nil
		}
		shelf, err := t.listing(ctx, s)
		if err != nil {
			return s, false, err
		}
		next, act := s.Next(input, shelf)
		switch act {
		case opNone:
		//mutant:replace opQuoteTransfer => opQuoteTransfer, opPay, opTransfer, opBalance, opChangePIN, opSetLanguage TestDialedAlongDoesNothing
		case opQuote, opQuoteTransfer:
			next = t.run(ctx, next, act, input)
		default:
			//mutant:replace !sure => false && sure TestDialedAlongDoesNothing
			return s, !sure, nil
		}
		if s = next; s.Message.Key != "" {
			return s, !sure && t.in.Style == Last, nil
		}
	}
	return s, false, nil
}

// relation is how an input relates to its session.
type relation int

const (
	repeat   relation = iota // the current screen answers it
	newInput                 // it is the next input
	redial                   // it begins a session under the name of an earlier one
	stale                    // it was sent before the input that was answered last
)

// classify compares an input with the last answer of its session. input is its new
// part if it continues the session.
func (t *exchange) classify(ctx context.Context, found *storedSession) (input string, r relation) {
	over := found.Content.State.Step == stepEnd
	switch t.in.Style {
	case Whole:
		return t.classifyWhole(ctx, found, over)
	case Last:
		repeated := found.Repeats(t.in.Text)
		age := t.in.At.Sub(found.LastInputAt())
		switch {
		//mutant:replace age < repeatOf[found.Content.State.Step] => false TestLastInputs
		case repeated && (age < tooSoon || age < repeatOf[found.Content.State.Step]):
			return "", repeat
		case t.dials():
			return "", redial
		case repeated && over:
			return "", repeat
		case over:
			return "", redial
		}
		return t.in.Text, newInput
	}
	switch {
	//mutant:replace (found.Content.Past, t.inputHash()): => (found.Content.Past, ""): TestInputsWithIDs
	case slices.Contains(found.Content.Past, t.inputHash()):
		return "", repeat
	//mutant:drop TestInputsWithIDs
	case t.in.At.Unix() < found.LastInputAt().Unix():
		return "", stale
	case t.dials():
		return "", redial
	case over:
		return "", stale
	}
	return t.in.Text, newInput
}

func (t *exchange) classifyWhole(ctx context.Context, found *storedSession, over bool) (input string, r relation) {
	input, extends := found.Suffix(t.in.Text)
	heard := slices.Contains(found.Content.Past, t.inputHash())
	switch {
	case found.Repeats(t.in.Text):
		return "", repeat
	//mutant:drop TestSessionIsUsedAgain
	case over && !extends && (t.dials() || !heard):
		return "", redial
	case over:
		return "", repeat
	case extends:
		return input, newInput
	}
	if !heard && t.in.Text != "" {
		t.log.WarnContext(ctx, "ussd: a text doesn't continue its session; if the gateway sends only the last input, "+
			"run elsom gateway set CODE --inputs last", "gateway", t.in.Gateway)
	}
	return "", repeat
}

// tooSoon is shorter than a person needs to answer a screen: the same last input
// within it is a repeat.
const tooSoon = time.Second

// repeatOf is how long the same last input is taken for a repeat on screens where
// a repeated sum would be counted as a wrong PIN.
var repeatOf = map[Step]time.Duration{stepCheck: 15 * time.Second, stepTransfer: 15 * time.Second}

// mostPast is how many answered inputs are stored for a session.
const maxPast = 60

// pastInputs returns the marks of the answered inputs, including this one.
func (t *exchange) pastInputs(before []string) []string {
	if t.in.Style == Last {
		return nil
	}
	all := slices.Concat(before, []string{t.inputHash()})
	return all[max(0, len(all)-maxPast):]
}

// inputHash returns a keyed hash that identifies this input in its session. Marks of
// texts are shortened, since they are stored with every step.
func (t *exchange) inputHash() string {
	if t.in.Style == Numbered {
		return t.Sessions.Hash("id", t.in.ID)
	}
	return t.Sessions.Hash("text", t.in.Text)[:8]
}
