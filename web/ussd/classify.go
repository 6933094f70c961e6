package ussd

import (
	"slices"
	"time"

	"elsom/internal/ussdsession"
)

// relation is how an input relates to the stored session. The package comment has
// the table.
type relation int

const (
	fresh     relation = iota // there is no session: the input starts one
	next                      // the next input
	repeat                    // answered before: the current screen answers it
	redial                    // starts over under the id of an earlier session
	stale                     // sent before the input that was answered last
	busy                      // another request is answering
	lost                      // its session has expired
	unrelated                 // does not continue the session: the current screen answers it
)

// facts describe an input and its session for classify.
type facts struct {
	style Style
	dials bool // the text is empty or a service code
	empty bool // the text is empty

	exists bool // the session exists and has not expired
	over   bool // its last screen ended it
	busy   bool // a request holds its lease

	same    bool // the text is the one that was answered last
	seen    bool // the input was answered before in the session
	extends bool // Whole: the text begins with the one that was answered last
	soon    bool // Last: sent too soon after the last answer to be a new input
	early   bool // Numbered: sent before the input that was answered last
	expired bool // Numbered: sent longer ago than a session lasts
}

// classify returns the relation by the table in the package comment.
func classify(f facts) relation {
	switch {
	case f.expired, !f.exists && f.style == Numbered && !f.dials:
		return lost
	case !f.exists:
		return fresh
	}
	r := relate[f.style](f)
	if f.busy && (r == next || r == redial) {
		return busy
	}
	return r
}

// relate has the rules for an input of an existing session, by style.
var relate = map[Style]func(facts) relation{Whole: relateWhole, Last: relateLast, Numbered: relateNumbered}

func relateWhole(f facts) relation {
	switch {
	case f.same:
		return repeat
	//mutant:drop TestSessionIDIsReused
	case f.over && !f.extends && (f.dials || !f.seen):
		return redial
	case f.over:
		return repeat
	case f.extends:
		return next
	case !f.seen && !f.empty:
		return unrelated
	}
	return repeat
}

func relateLast(f facts) relation {
	switch {
	case f.same && f.soon:
		return repeat
	case f.dials:
		return redial
	case f.same && f.over:
		return repeat
	case f.over:
		return redial
	}
	return next
}

func relateNumbered(f facts) relation {
	switch {
	case f.seen:
		return repeat
	//mutant:drop TestNumberedInputs
	case f.early:
		return stale
	case f.dials:
		return redial
	case f.over:
		return stale
	}
	return next
}

// Within tooSoon, less than a person needs to answer a screen, the same input of
// the style Last is a repeat.
const tooSoon = time.Second

// repeatWindow replaces tooSoon on screens where a repeated amount would be counted
// as a wrong PIN.
var repeatWindow = map[Step]time.Duration{stepCheck: 15 * time.Second, stepTransfer: 15 * time.Second}

// compare classifies the input against the session; nil means that there is none.
// text is the new part of the input.
func (e *exchange) compare(s *storedSession) (text string, r relation) {
	f := facts{
		style: e.in.Style, dials: e.dials(), empty: e.in.Text == "",
		expired: e.tooOld(),
	}
	if s == nil {
		return "", classify(f)
	}
	text, state := e.in.Text, s.Content.State
	f.exists, f.over, f.busy = true, state.Step == stepEnd, s.Busy()
	f.same = s.Repeats(e.in.Text)
	switch e.in.Style {
	case Whole:
		text, f.extends = s.Suffix(e.in.Text)
	case Last:
		age := e.in.At.Sub(s.LastInputAt())
		//mutant:replace age < repeatWindow[state.Step] => false TestLastInputs
		f.soon = age < tooSoon || age < repeatWindow[state.Step]
	case Numbered:
		f.early = e.in.At.Unix() < s.LastInputAt().Unix()
	}
	if e.in.Style != Last {
		//mutant:replace e.madeOne(s.Content.Past) => false TestNumberedInputs
		f.seen = e.madeOne(s.Content.Past)
	}
	return text, classify(f)
}

// tooOld reports whether the input was sent longer ago than a session lasts.
func (e *exchange) tooOld() bool {
	return e.in.Style == Numbered && e.in.At.Before(e.now().Add(-lifetime))
}

// maxPast is the number of answered inputs that are stored for a session.
const maxPast = 60

// past returns the hashes of the answered inputs, including this one.
func (e *exchange) past(before []string) []string {
	if e.in.Style == Last {
		return nil
	}
	all := slices.Concat(before, []string{e.hash()})
	return all[max(0, len(all)-maxPast):]
}

// hash returns a keyed hash that identifies this input in its session. Hashes of
// texts are shortened, since they are stored with every step.
func (e *exchange) hash() string {
	if e.in.Style == Numbered {
		return e.sessions.Hash("id", e.in.ID)
	}
	return e.sessions.Hash("text", e.in.Text)[:ussdsession.ShortHash]
}

// madeOne reports whether one of the hashes is that of this input.
func (e *exchange) madeOne(hashes []string) bool {
	if e.in.Style == Numbered {
		return e.sessions.MadeOne(hashes, "id", e.in.ID)
	}
	return e.sessions.MadeOne(hashes, "text", e.in.Text)
}
