// Package ratelimit limits attempts per window of time: at passwords, codes and
// PINs, and of messages that cost money.
//
// It guarantees that an attempt is counted and committed before Take returns, that
// all processes on one database share the counters, and that its table shows no
// phone number and no address: keys are hashed with the server's secret. It does
// not decide what a refusal means for the person.
package ratelimit

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
)

// Rule is a rate limit.
type Rule struct {
	// Name is unique in the program: "login by number".
	Name string
	// Limit is the number of attempts per window; the next one is refused.
	Limit int
	// Window begins with the first attempt and does not move.
	Window time.Duration
	// Always is set for rules that Off does not disable: attempts at codes and PINs.
	Always bool
}

// Options configure Counters.
type Options struct {
	// Secret is the server's; the key of the hashes is derived from it.
	Secret []byte
	// PreviousSecret is the secret that Secret replaces; empty: none. Attempts that
	// were counted under it still count.
	PreviousSecret []byte
	// Off disables the rules without Always, for measurements.
	Off bool
	// Now replaces the database's clock, for tests.
	Now func() time.Time
}

// Counters counts attempts in the database.
type Counters struct {
	db   *database.DB
	keys keyedhash.Keys
	off  bool
	now  func() time.Time
}

// New returns counters on db.
func New(db *database.DB, o Options) (*Counters, error) {
	keys, err := keyedhash.DeriveAll("elsom attempt", o.Secret, o.PreviousSecret)
	if err != nil {
		return nil, fmt.Errorf("ratelimit: %w", err)
	}
	if o.Now == nil {
		o.Now = db.Now
	}
	return &Counters{db: db, keys: keys, off: o.Off, now: o.Now}, nil
}

// Take counts one attempt of subject under rule. Above the limit it returns
// fault.TooMany, with the time until the window ends in RetryAfter; a refused
// attempt does not extend the window.
func (c *Counters) Take(ctx context.Context, rule Rule, subject string) error {
	return c.TakeN(ctx, rule, subject, 1)
}

// TakeN counts as n attempts.
func (c *Counters) TakeN(ctx context.Context, rule Rule, subject string, n int) error {
	//mutant:replace && !rule.Always => TestOffDisablesAllButAlways
	if c.off && !rule.Always {
		return nil
	}
	now := c.now()
	count, endsMs, err := c.count(ctx, c.hashes(rule, subject), n, now.UnixMilli(), now.Add(rule.Window).UnixMilli())
	if err != nil {
		return fault.Wrap("ratelimit.take", err)
	}
	//mutant:replace Limit) { => Limit) || true { TestTakeRefusesAboveTheLimit
	if count <= int64(rule.Limit) {
		return nil
	}
	return TooMany(rule.Name, time.UnixMilli(endsMs).Sub(now))
}

// Count counts one attempt of subject under rule and returns the number of attempts in
// the window. It refuses none; it returns 0 if the rule is off.
func (c *Counters) Count(ctx context.Context, rule Rule, subject string) (int, error) {
	if c.off && !rule.Always {
		return 0, nil
	}
	now := c.now()
	count, _, err := c.count(ctx, c.hashes(rule, subject), 1, now.UnixMilli(), now.Add(rule.Window).UnixMilli())
	return int(count), fault.Wrap("ratelimit.count", err)
}

// Counted returns the number of attempts of subject under rule in the window, and
// counts none.
func (c *Counters) Counted(ctx context.Context, rule Rule, subject string) (int, error) {
	count, err := c.read(ctx, c.hashes(rule, subject), c.now().UnixMilli())
	return int(count), fault.Wrap("ratelimit.counted", err)
}

// TooMany returns the error of an exhausted limit, for callers that count in tables
// of their own.
func TooMany(op string, after time.Duration) *fault.Error {
	return TooManyWith(op, "ratelimit.too_many", after)
}

// TooManyWith is TooMany with another reason. The argument Count of its text is the
// number of minutes until the next attempt.
func TooManyWith(op string, reason fault.Reason, after time.Duration) *fault.Error {
	after = max(after, time.Second)
	return fault.New(fault.TooMany, op, reason).
		With("Count", int((after+time.Minute-1)/time.Minute)).After(after)
}

// Reset deletes the attempts of subject under rule, after one that succeeded.
func (c *Counters) Reset(ctx context.Context, rule Rule, subject string) error {
	return fault.Wrap("ratelimit.reset", c.forget(ctx, c.hashes(rule, subject)))
}

// Purge deletes counters whose windows have ended and returns their number.
func (c *Counters) Purge(ctx context.Context) (int64, error) {
	n, err := c.purge(ctx, c.now().UnixMilli())
	return n, fault.Wrap("ratelimit.purge", err)
}

// hashes returns the ids of a counter, the one in use first.
func (c *Counters) hashes(rule Rule, subject string) []string {
	ids := make([]string, len(c.keys))
	for i, key := range c.keys {
		//mutant:replace key.Hex(fmt.Sprintf("%d:%s%s", len(rule.Name), rule.Name, subject)) => key.Hex("")[:i] + rule.Name + subject TestTableShowsNoSubject
		ids[i] = key.Hex(fmt.Sprintf("%d:%s%s", len(rule.Name), rule.Name, subject))
	}
	return ids
}
