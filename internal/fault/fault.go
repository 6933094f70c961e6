// Package fault is the error type of all services: the kind of failure, the
// operation, and the reason that people may read.
//
// It does not depend on HTTP, USSD or OSMP: each handler group has one table from
// Kind to its own answers. Err is for the log and is never shown to people.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies a failure for the handlers.
type Kind int

const (
	// Internal is every unexpected failure; the zero value, so that an unclassified
	// error never passes for the caller's mistake.
	//
	//mutant:replace = iota => = iota + 1 TestUnclassifiedIsInternal
	Internal Kind = iota
	// Invalid is input that can't be accepted; Field names it.
	Invalid
	// NotFound is a thing that does not exist, or that the caller may not see.
	NotFound
	// Forbidden is an operation that the caller may not perform.
	Forbidden
	// Conflict is an operation that contradicts an earlier one.
	Conflict
	// Insufficient is a wallet without enough money.
	Insufficient
	// Limit is an amount outside the operator's limits.
	Limit
	// TooMany is an exhausted rate limit; RetryAfter is the time until the next
	// attempt.
	TooMany
	// Unavailable is a dependency that can't serve now; nothing was done.
	Unavailable
	// Unknown is an operation whose outcome is not known yet: it may have been done.
	Unknown
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "forbidden", "conflict",
	"insufficient", "limit", "too many", "unavailable", "unknown",
}

// Kinds returns all kinds, for the handlers' tables and their tests.
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

// At sets the form field.
func (e *Error) At(field string) *Error { e.Field = field; return e }

// With adds an argument of the reason's message.
func (e *Error) With(name string, value any) *Error {
	if e.Args == nil {
		e.Args = map[string]any{}
	}
	e.Args[name] = value
	return e
}

// Because sets the cause, for the log.
func (e *Error) Because(err error) *Error { e.Err = err; return e }

// After sets the time after which a retry makes sense.
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
	reason, ok := target.(Reason)
	return ok && reason == e.Reason && reason != ""
}

// Wrap returns err as an Internal fault of op, or unchanged if it is a fault
// already; nil for nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		return err
	}
	return &Error{Kind: Internal, Op: op, Err: err}
}

// As returns the fault in err. An error that is not a fault counts as Internal, even
// if it is joined with faults of fields: it must not pass for their kind. It returns
// nil for nil.
func As(err error) *Error {
	all := All(err)
	if len(all) == 0 {
		return nil
	}
	for _, f := range all {
		//mutant:drop TestInternalBesideInvalid
		if f.Kind == Internal {
			return f
		}
	}
	return all[0]
}

// KindOf returns the kind of err.
func KindOf(err error) Kind { return As(err).Kind }

// Is reports whether err is a fault of kind. A nil error has no kind.
func Is(err error, kind Kind) bool { return err != nil && As(err).Kind == kind }

// Join joins the faults of several fields; nil if all are nil.
func Join(errs ...error) error { return errors.Join(errs...) }

// All returns the faults in err, those joined by Join one by one, and an error that
// is not a fault as Internal. Causes of faults are not listed.
func All(err error) []*Error {
	if err == nil {
		return nil
	}
	if f, ok := err.(*Error); ok { //nolint:errorlint // wrappers are unwrapped one by one below
		return []*Error{f}
	}
	switch wrapper := err.(type) { //nolint:errorlint // looks for wrappers, not for one error
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
