// Package ratelimit counts what may be tried only so often: passwords, codes,
// PINs, messages that cost money.
//
// It promises that a try is counted and committed before the thing is tried,
// that processes on one database count together, and that its table tells
// nobody's phone or address: keys are hashed with the server's secret. It
// never decides what a refusal means for the person.
package ratelimit

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Rule is how often something may be tried.
type Rule struct {
	// Name is unique among the rules of the house: "login by number".
	Name string
	// Limit is how many tries a window holds; the next one is refused.
	Limit int
	// Window begins with the first try and is fixed from then on.
	Window time.Duration
	// Always is set on rules that Off doesn't silence: tries of codes and PINs.
	Always bool
}

// Options of the counters.
type Options struct {
	// Secret is the server's; the key of the hashes is derived from it.
	Secret []byte
	// Off silences the rules without Always, for measuring.
	Off bool
	// Now replaces the database's clock, for tests.
	Now func() time.Time
}

// Counters counts tries in the database.
type Counters struct {
	db  *database.DB
	key []byte
	off bool
	now func() time.Time
}

// New makes counters on db.
func New(db *database.DB, o Options) (*Counters, error) {
	key, err := hkdf.Key(sha256.New, o.Secret, nil, "elsom attempt", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("attempt: %w", err)
	}
	if o.Now == nil {
		o.Now = db.Now
	}
	return &Counters{db: db, key: key, off: o.Off, now: o.Now}, nil
}

// Take counts one try of subject under rule. Above the limit it gives
// fault.TooMany with the time until the window ends; refused tries don't
// prolong the window.
func (c *Counters) Take(ctx context.Context, rule Rule, subject string) error {
	//mutant:replace && !rule.Always => TestOffSilencesAllButAlways
	if c.off && !rule.Always {
		return nil
	}
	now := c.now()
	count, endsMs, err := c.count(ctx, c.hash(rule, subject), now.UnixMilli(), now.Add(rule.Window).UnixMilli())
	if err != nil {
		return fault.Wrap("attempt.take", err)
	}
	//mutant:replace Limit) { => Limit) || true { TestTakeRefusesAboveTheLimit
	if count <= int64(rule.Limit) {
		return nil
	}
	return TooMany(rule.Name, time.UnixMilli(endsMs).Sub(now))
}

// TooMany is the refusal with the words on when to come back, for callers that
// count in their own tables.
func TooMany(act string, after time.Duration) *fault.Error {
	return Later(act, "attempt.too_many", after)
}

// Later is a refusal with other words; {{.Count}} in them is the minutes until
// the next try.
func Later(act, message string, after time.Duration) *fault.Error {
	after = max(after, time.Second)
	return fault.New(fault.TooMany, act, message).
		With("Count", int((after+time.Minute-1)/time.Minute)).After(after)
}

// Reset forgets the tries of subject under rule: it succeeded.
func (c *Counters) Reset(ctx context.Context, rule Rule, subject string) error {
	return fault.Wrap("attempt.reset", c.forget(ctx, c.hash(rule, subject)))
}

// Purge deletes counters whose windows have ended and tells how many.
func (c *Counters) Purge(ctx context.Context) (int64, error) {
	n, err := c.purge(ctx, c.now().UnixMilli())
	return n, fault.Wrap("attempt.purge", err)
}

func (c *Counters) hash(rule Rule, subject string) string {
	mac := hmac.New(sha256.New, c.key)
	fmt.Fprintf(mac, "%d:%s%s", len(rule.Name), rule.Name, subject)
	//mutant:replace return hex.EncodeToString(mac.Sum(nil)) => _ = hex.EncodeToString(mac.Sum(nil)); return subject TestTableTellsNobody
	return hex.EncodeToString(mac.Sum(nil))
}
