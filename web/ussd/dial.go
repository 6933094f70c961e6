package ussd

import (
	"context"
	"slices"
	"strings"
	"time"
)

// dialed returns the inputs of a dialed code: 3 and 3 of *900*3*3#.
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

// along returns the inputs that were dialed along with the service code. They
// stand in the code itself, or in the first text; sure is false where the text
// could as well be of a session that is gone.
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

// mostAlong is how many inputs may be dialed along; the longest way to a check
// screen takes seven, and some pages of lists.
const mostAlong = 20

// walk leads a new dialogue through the inputs that were dialed along, up to
// the first that would do more than ask for a price: what moves money, takes a
// PIN or accepts terms needs its screen before it. lost means that the text is
// probably not dialed, but of a session that is gone, whose confirmation may
// stand.
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
		case actQuote, actQuoteTransfer:
			next = t.perform(ctx, next, act, input)
		default:
			return s, !sure, nil
		}
		if s = next; s.Word.Key != "" {
			return s, !sure && t.in.Style == Last, nil
		}
	}
	return s, false, nil
}

// relation is how an input relates to a dialogue.
type relation int

const (
	repeats   relation = iota // the current screen answers it
	continues                 // it is the next input
	redials                   // it begins a session under the name of an earlier one
	outdated                  // it was said before what was answered last
)

// relate compares an input with the last answer of its dialogue. input is what
// is new where it continues.
func (t *turn) relate(ctx context.Context, found *kept) (input string, r relation) {
	over := found.Content.State.Step == stepOver
	switch t.in.Style {
	case Whole:
		return t.relateWhole(ctx, found, over)
	case Last:
		repeated := found.Repeats(t.in.Text)
		age := t.in.At.Sub(found.HeardAt())
		switch {
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
	case slices.Contains(found.Content.Past, t.mark()):
		return "", repeats
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

// tooSoon is a time within which nobody answers a screen: the same last input
// is then a repeat.
const tooSoon = time.Second

// repeatOf is where and how long the same last input is a repeat although it
// might be typed: there a repeated sum would be counted as a wrong PIN.
var repeatOf = map[Step]time.Duration{stepCheck: 15 * time.Second, stepTransfer: 15 * time.Second}

// mostPast is how many answered inputs a dialogue remembers.
const mostPast = 60

// past returns the marks of what was answered, with this input's.
func (t *turn) past(before []string) []string {
	if t.in.Style == Last {
		return nil
	}
	all := slices.Concat(before, []string{t.mark()})
	return all[max(0, len(all)-mostPast):]
}

// mark tells this input from others of its dialogue. That of a text is short,
// since it is kept with every step.
func (t *turn) mark() string {
	if t.in.Style == Numbered {
		return t.Dialogues.Mark("id", t.in.ID)
	}
	return t.Dialogues.Mark("text", t.in.Text)[:8]
}
