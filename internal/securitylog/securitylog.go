// Package securitylog stores attempts to get in and their outcomes: logins,
// codes, PINs, resets, blocks, refused machines, forged forms, exhausted limits.
//
// A row has the time, the event, its outcome and reason, a keyed hash of the number,
// the wallet's id, the network, a handle of the browser and its name, and the request's id. It
// never has a number, a name, a PIN, a code, a password, an address or anything else
// that was typed. The database refuses to change a row, and to delete it before the
// time that it was written with.
//
// Record only appends to memory; Run writes what was recorded about every two
// seconds, so a process that is killed loses its last events. The number of rows is
// bounded whatever strangers send: events that repeat within a window are counted in
// one row. Commands of operators have their own log.
package securitylog

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
	"elsom/internal/phone"
)

// Event is what was tried.
type Event string

// The events.
const (
	Lookup         Event = "lookup"          // whether a number has a wallet; only if limited
	Login          Event = "login"           // with a password
	Logout         Event = "logout"          //
	SessionEnd     Event = "session_end"     // by its holder, from another browser
	Session        Event = "session"         // a row that this server did not make was presented as one
	Password       Event = "password"        // asked again of a signed-in customer
	CodeSent       Event = "code_sent"       // an SMS code was asked for
	Code           Event = "code"            // an SMS code was typed
	Signup         Event = "signup"          // a number was registered
	PasswordReset  Event = "password_reset"  // a new password by SMS code
	PasswordChange Event = "password_change" // a new password by the old one
	PIN            Event = "pin"             // a PIN was typed
	PINSet         Event = "pin_set"         // chosen or changed by the holder
	PINIssued      Event = "pin_issued"      // drawn and sent by SMS
	PINUnlock      Event = "pin_unlock"      // attempts were given back
	EmailChange    Event = "email_change"    //
	Access         Event = "access"          // a signed-in customer asked for a thing that is not theirs, or not there
	MachineLogin   Event = "machine_login"   // of a terminal or gateway; only if refused
	ForgedForm     Event = "forged_form"     // a form of another site, or with a stale token
	Request        Event = "request"         // answered with 429, where no other event says so
)

// Events returns all events.
func Events() []Event {
	return []Event{
		Lookup, Login, Logout, SessionEnd, Session, Password, CodeSent, Code, Signup, PasswordReset, PasswordChange, PIN, PINSet, PINIssued, PINUnlock,
		EmailChange, Access, MachineLogin, ForgedForm, Request,
	}
}

// Outcomes returns all outcomes.
func Outcomes() []Outcome { return []Outcome{OK, Failed, Refused, Limited, Errored} }

// Outcome is how it ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "failed"  // the input was wrong
	Refused Outcome = "refused" // whatever the input
	Limited Outcome = "limited" // an exhausted rate limit
	Errored Outcome = "error"   // a fault of this system: the outcome may be unknown
)

// OutcomeOf returns the outcome that an operation's error means.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OK
	}
	switch fault.As(err).Kind {
	case fault.Invalid:
		return Failed
	case fault.TooMany:
		return Limited
	case fault.Forbidden, fault.NotFound, fault.Conflict, fault.Limit, fault.Insufficient:
		return Refused
	}
	return Errored
}

// Kind is an event with its outcome.
type Kind struct {
	Event   Event
	Outcome Outcome
}

// Entry is an event as the caller of Record describes it.
type Entry struct {
	Kind
	// Detail is a word of the program, such as a reason; never something typed.
	Detail string
	// Number is stored as a keyed hash.
	Number phone.Number
	// Wallet is the customer's id; zero if unknown.
	Wallet int64
	// Caller is the code of an agent or a gateway.
	Caller string
}

// Source is where a request comes from. The functions are called only for requests
// that are recorded.
type Source struct {
	RequestID string
	// Address is the client's network address.
	Address func() string
	// Browser identifies the browser by its device cookie; empty without one.
	Browser func() string
	// Device is the browser and the system in words of the program, such as "Chrome,
	// Android"; nil or empty: unknown.
	Device func() string

	limited sync.Once
}

type sourceKey struct{}

// WithSource returns a context whose events come from source.
func WithSource(ctx context.Context, source *Source) context.Context {
	return context.WithValue(ctx, sourceKey{}, source)
}

// Options configure a Log.
type Options struct {
	// Secret is the server's; the key of the hashes is derived from it.
	Secret []byte
	// PreviousSecret is the secret that Secret replaces; empty: none. Rows that were
	// written under it are found by number as long as it is given.
	PreviousSecret []byte
	// Keep is how long rows are kept; zero: for good.
	Keep time.Duration
}

// forGood is longer than any installation.
const forGood = 100 * 365 * 24 * time.Hour

// Log is the security log on one database. A nil *Log records nothing.
type Log struct {
	db   *database.DB
	keys keyedhash.Keys
	keep time.Duration

	mu      sync.Mutex
	window  window
	queue   []row
	counts  map[Kind]int64
	dropped int64
}

// New returns the log in db.
func New(db *database.DB, o Options) (*Log, error) {
	keys, err := keyedhash.DeriveAll("elsom security log", o.Secret, o.PreviousSecret)
	if err != nil {
		return nil, fmt.Errorf("securitylog: %w", err)
	}
	if o.Keep == 0 {
		o.Keep = forGood
	}
	return &Log{db: db, keys: keys, keep: o.Keep, counts: map[Kind]int64{}}, nil
}

// Record records an event with the source in ctx. It does not wait for the database.
func (l *Log) Record(ctx context.Context, e Entry) {
	if l == nil {
		return
	}
	now := l.db.Now()
	r := row{
		ID: l.db.NewID(), At: now, KeepUntilMs: now.Add(l.keep).UnixMilli(),
		Event: e.Event, Outcome: e.Outcome, Detail: e.Detail, Number: hash(l.keys.Current(), "number", e.Number.String()), Wallet: e.Wallet,
		Caller: e.Caller, Count: 1,
	}
	if source, ok := ctx.Value(sourceKey{}).(*Source); ok {
		r.RequestID, r.Network, r.Browser = source.RequestID, networkOf(source.Address()), hash(l.keys.Current(), "browser", source.Browser())
		if source.Device != nil {
			r.Device = source.Device()
		}
		if e.Outcome == Limited {
			source.limited.Do(func() {})
		}
	}
	l.add(now, r)
}

// RecordUnlessLimited records an event unless one with the outcome Limited was
// recorded of the same source.
func (l *Log) RecordUnlessLimited(ctx context.Context, e Entry) {
	if l == nil {
		return
	}
	if source, ok := ctx.Value(sourceKey{}).(*Source); ok {
		first := false
		source.limited.Do(func() { first = true })
		//mutant:drop ./web TestSecurityEventsOfLimits
		if !first {
			return
		}
	}
	l.Record(ctx, e)
}

// hashDigits is the length of a stored hash: enough to never meet by chance.
const hashDigits = 32

func hash(key keyedhash.Key, purpose, text string) string {
	if text == "" {
		return ""
	}
	//mutant:replace key.Sum(purpose, text) => text+"                                " TestNothingPrivateIsStored
	return key.Sum(purpose, text)[:hashDigits]
}

// networkOf returns the network around an address: 24 bits of IPv4, 48 of IPv6, as
// the list of sessions shows them. It is empty for a text that is no address.
func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip, bits := ip.Unmap().WithZone(""), 48
	if ip.Is4() {
		bits = 24
	}
	network, _ := ip.Prefix(bits) // bits are in range
	//mutant:replace network.String() => network.Addr().Prev().String()+ip.String() TestNothingPrivateIsStored
	return network.String()
}

// Counts returns how often each kind of event was recorded by this process.
func (l *Log) Counts() map[Kind]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := make(map[Kind]int64, len(l.counts))
	for kind, n := range l.counts {
		counts[kind] = n
	}
	return counts
}

// Dropped returns the number of rows that were dropped because the database could
// not take them for long.
func (l *Log) Dropped() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// flushPause is how long a recorded event may wait in memory.
const flushPause = 2 * time.Second

// Run writes recorded events until ctx ends. The rest is for Close.
func (l *Log) Run(ctx context.Context) {
	failing := false
	for {
		select {
		case <-time.After(flushPause):
		case <-ctx.Done():
			return
		}
		err := l.flush(ctx, false)
		if err != nil && !failing && ctx.Err() == nil {
			slog.WarnContext(ctx, "securitylog: writing failed; events wait in memory", "error", err)
		}
		failing = err != nil
	}
}

// Close writes what is recorded, with the counts of the window that has not ended.
func (l *Log) Close(ctx context.Context) error {
	return fault.Wrap("securitylog.close", l.flush(ctx, true))
}

// Purge deletes the rows whose time has passed and returns their number. It leaves an
// hour more, since the database refuses by its own clock.
func (l *Log) Purge(ctx context.Context) (int64, error) {
	n, err := purge(ctx, l.db, l.db.Now().Add(-time.Hour).UnixMilli())
	return n, fault.Wrap("securitylog.purge", err)
}
