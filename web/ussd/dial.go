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

// along returns the inputs that were dialed with the service code: those in the
// code itself, or in the first text. sure is false if the text may also belong to
// a session that is lost.
func (t *turn) along() (inputs []string, sure bool) {
	if !t.begins() {
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
const mostAlong = 20

// walk applies the inputs that were dialed with the code to a new session, up to
// the first that would do more than ask for a price: whatever moves money, takes
// a PIN or accepts terms must be shown first. lost reports that the text probably
// belongs to a lost session, whose confirmation may have been accepted.
func (t *turn) walk(ctx context.Context, s State) (next State, lost bool, err error) {
	inputs, sure := t.along()
	if s.Customer == 0 {
		return s, false, nil // a new number begins with the language
	}
	for _, input := range inputs[:min(len(inputs), mostAlong)] {
		if s.Step == stepOver {
			return s, false, nil
		}
		shelf, err := t.shelf(ctx, s)
		if err != nil {
			return s, false, err
		}
		next, act := s.Hear(input, shelf)
		switch act {
		case actNone:
		//mutant:replace actQuoteTransfer => actQuoteTransfer, actPay, actTransfer, actBalance, actChangePIN, actTongue TestDialedAlongDoesNothing
		case actQuote, actQuoteTransfer:
			next = t.perform(ctx, next, act, input)
		default:
			//mutant:replace !sure => false && sure TestDialedAlongDoesNothing
			return s, !sure, nil
		}
		if s = next; s.Word.Key != "" {
			return s, !sure && t.in.Style == Last, nil
		}
	}
	return s, false, nil
}

// relation is how an input relates to its session.
type relation int

const (
	repeats   relation = iota // the current screen answers it
	continues                 // it is the next input
	redials                   // it begins a session under the name of an earlier one
	outdated                  // it was sent before the input that was answered last
)

// relate compares an input with the last answer of its session. input is its new
// part if it continues the session.
func (t *turn) relate(ctx context.Context, found *kept) (input string, r relation) {
	over := found.Content.State.Step == stepOver
	switch t.in.Style {
	case Whole:
		return t.relateWhole(ctx, found, over)
	case Last:
		repeated := found.Repeats(t.in.Text)
		age := t.in.At.Sub(found.HeardAt())
		switch {
		//mutant:replace age < repeatOf[found.Content.State.Step] => false TestLastInputs
		case repeated && (age < tooSoon || age < repeatOf[found.Content.State.Step]):
			return "", repeats
		case t.begins():
			return "", redials
		case repeated && over:
			return "", repeats
		case over:
			return "", redials
		}
		return t.in.Text, continues
	}
	switch {
	//mutant:replace (found.Content.Past, t.mark()): => (found.Content.Past, ""): TestInputsWithIDs
	case slices.Contains(found.Content.Past, t.mark()):
		return "", repeats
	//mutant:drop TestInputsWithIDs
	case t.in.At.Unix() < found.HeardAt().Unix():
		return "", outdated
	case t.begins():
		return "", redials
	case over:
		return "", outdated
	}
	return t.in.Text, continues
}

func (t *turn) relateWhole(ctx context.Context, found *kept, over bool) (input string, r relation) {
	input, extends := found.Added(t.in.Text)
	heard := slices.Contains(found.Content.Past, t.mark())
	switch {
	case found.Repeats(t.in.Text):
		return "", repeats
	//mutant:drop TestSessionIsUsedAgain
	case over && !extends && (t.begins() || !heard):
		return "", redials
	case over:
		return "", repeats
	case extends:
		return input, continues
	}
	if !heard && t.in.Text != "" {
		t.log.WarnContext(ctx, "ussd: a text doesn't continue its session; if the gateway sends only the last input, "+
			"run elsom gateway set CODE --inputs last", "gateway", t.in.Gateway)
	}
	return "", repeats
}

// tooSoon is shorter than a person needs to answer a screen: the same last input
// within it is a repeat.
const tooSoon = time.Second

// repeatOf is how long the same last input is taken for a repeat on screens where
// a repeated sum would be counted as a wrong PIN.
var repeatOf = map[Step]time.Duration{stepCheck: 15 * time.Second, stepTransfer: 15 * time.Second}

// mostPast is how many answered inputs are stored for a session.
const mostPast = 60

// past returns the marks of the answered inputs, including this one.
func (t *turn) past(before []string) []string {
	if t.in.Style == Last {
		return nil
	}
	all := slices.Concat(before, []string{t.mark()})
	return all[max(0, len(all)-mostPast):]
}

// mark returns a keyed hash that identifies this input in its session. Marks of
// texts are shortened, since they are stored with every step.
func (t *turn) mark() string {
	if t.in.Style == Numbered {
		return t.Dialogues.Mark("id", t.in.ID)
	}
	return t.Dialogues.Mark("text", t.in.Text)[:8]
}
