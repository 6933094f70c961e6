// Package fault is the one error type of the house: what kind of failure it
// is, in which act it happened, and what the person may be told about it.
//
// It knows nothing of HTTP, USSD or OSMP: each door keeps one table from Kind
// to its own answers. Err is for the log and never reaches a person.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a door should make of a failure.
type Kind int

const (
	// Internal is everything nobody foresaw; the zero value, so that an
	// unclassified error is never mistaken for the caller's fault.
	Internal Kind = iota
	// Invalid is input that can't be accepted as given; Field names it.
	Invalid
	// NotFound is a thing that isn't there, or isn't the asker's to see.
	NotFound
	// Forbidden is an act this person may not do.
	Forbidden
	// Conflict is an act that contradicts one already done.
	Conflict
	// Insufficient is a wallet with too little money.
	Insufficient
	// Limit is an amount outside what the operator allows.
	Limit
	// TooMany is an act tried too often; RetryAfter says when to come back.
	TooMany
	// Unavailable is a part that can't serve now; nothing was done.
	Unavailable
	// Unknown is an act whose outcome can't be told yet: it may have been done.
	Unknown
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "forbidden", "conflict",
	"insufficient", "limit", "too many", "unavailable", "unknown",
}

// Kinds lists every kind, for the doors' tables and their tests.
func Kinds() []Kind {
	kinds := make([]Kind, len(kindNames))
	for i := range kindNames {
		kinds[i] = Kind(i)
	}
	return kinds
}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// Reason says why an operation was refused. It is the i18n key of the message
// that people read. As an error it is a sentinel: errors.Is(err, reason) reports
// whether err is a fault of that reason.
type Reason string

func (r Reason) Error() string { return string(r) }

// Error is a failed operation.
type Error struct {
	Kind Kind
	// Op names the operation, for the log: "payment.accept".
	Op string
	// Reason says why; empty: people get the general message for the kind.
	Reason Reason
	// Args fills the placeholders of the reason's message.
	Args map[string]any
	// Field is the form field that the message belongs to, by the names of
	// the web channel ("account", "amount", …); empty: the whole operation.
	Field string
	// RetryAfter is set with TooMany and Unavailable where it is known.
	RetryAfter time.Duration
	// Err is the cause, for the log only.
	Err error
}

// New returns a fault of an operation.
func New(kind Kind, op string, reason Reason) *Error {
	return &Error{Kind: kind, Op: op, Reason: reason}
}

// At says which form field the fault belongs to.
func (e *Error) At(field string) *Error { e.Field = field; return e }

// With adds an argument for the message's placeholder.
func (e *Error) With(name string, value any) *Error {
	if e.Args == nil {
		e.Args = map[string]any{}
	}
	e.Args[name] = value
	return e
}

// Because keeps the cause for the log.
func (e *Error) Because(err error) *Error { e.Err = err; return e }

// After says when a repeat makes sense.
func (e *Error) After(d time.Duration) *Error { e.RetryAfter = d; return e }

func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.String()
	if e.Reason != "" {
		s += " (" + string(e.Reason) + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's reason, for errors.Is.
func (e *Error) Is(target error) bool {
	reason, ok := target.(Reason) //nolint:errorlint // a sentinel, never wrapped
	return ok && reason == e.Reason && reason != ""
}

// Wrap makes an internal fault of err, unless err already is a fault.
func Wrap(act string, err error) error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		return err
	}
	return &Error{Kind: Internal, Op: act, Err: err}
}

// As gives the fault in err; an error that is none counts as Internal, also
// where it stands beside faults of fields: it must not pass for their kind.
func As(err error) *Error {
	all := All(err)
	if len(all) == 0 {
		return nil
	}
	for _, f := range all {
		//mutant:drop TestWorstKindOfSeveralIsNotHidden
		if f.Kind == Internal {
			return f
		}
	}
	return all[0]
}

// KindOf tells the kind of err.
func KindOf(err error) Kind { return As(err).Kind }

// Is tells whether err is a fault of kind. A nil error is of no kind.
func Is(err error, kind Kind) bool { return err != nil && As(err).Kind == kind }

// Join makes one error of the faults of several fields; nil where all are nil.
func Join(errs ...error) error { return errors.Join(errs...) }

// All lists the faults in err, those joined by Join one by one, an error that
// is none as Internal. The cause of a fault is not listed.
func All(err error) []*Error {
	if err == nil {
		return nil
	}
	if f, ok := err.(*Error); ok { //nolint:errorlint // the wrappers are taken off below, one by one
		return []*Error{f}
	}
	switch wrapper := err.(type) { //nolint:errorlint // looks for what wraps, not for one error
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, e := range wrapper.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	case interface{ Unwrap() error }:
		var f *Error
		if errors.As(err, &f) {
			return All(wrapper.Unwrap())
		}
	}
	return []*Error{{Kind: Internal, Err: err}}
}
