// Package ussdsession stores the sessions of *900#, since the next request of a
// session may reach another process.
//
// It guarantees that a step is written once: of several requests that answer the
// same input one wins and the others read its screen. A request whose operation
// takes longer acquires the session first; its lease expires if the process dies. The database holds no phone number, input or PIN in clear: keys
// are keyed hashes, the last input is stored as length and keyed hash, and the
// content is encrypted with a key derived from the server's secret and pepper.
// The package has no menu: C is the caller's content, stored as JSON.
package ussdsession

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
)

// Lifetime of a session from its first input.
const Lifetime = 180 * time.Second

// Lease is the time after which an acquired session may be acquired by another
// request. Operations under a lease are idempotent, so a second holder may repeat
// them.
const Lease = 6 * time.Second

// Options of New. Secret and Pepper are required.
type Options struct {
	// The keys are derived from both, so that neither alone decrypts a session or
	// finds a PIN by its hash.
	Secret, Pepper []byte
	// PreviousSecret and PreviousPepper are those that Secret and Pepper replace;
	// empty: none. Sessions that another process began with them go on.
	PreviousSecret, PreviousPepper []byte
	// Now replaces the database's clock, for tests.
	Now func() time.Time
	// Lease replaces Lease, for tests.
	Lease time.Duration
}

// Sessions stores sessions in the table dialogues, whose rows are sessions; its
// column turn is the step, claim the lease, and heard_… describe the last input.
type Sessions[C any] struct {
	db    *database.DB
	keys  keyedhash.Keys
	seals keyedhash.Ciphers
	now   func() time.Time
	lease time.Duration

	reads   *database.Coalescer[string, *row]
	inserts *database.Coalescer[row, bool]
	updates *database.Coalescer[row, bool]
	cache   stepCache[step[C]]
}

// New returns the sessions of db.
func New[C any](db *database.DB, o Options) (*Sessions[C], error) {
	if len(o.Secret) == 0 || len(o.Pepper) == 0 {
		return nil, errors.New("ussdsession: secret or pepper is missing")
	}
	keys, err1 := o.derive("elsom dialogue")
	sealing, err2 := o.derive("elsom dialogue content")
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("ussdsession: %w", err)
	}
	ciphers, err := sealing.Ciphers()
	if err != nil {
		return nil, fmt.Errorf("ussdsession: %w", err)
	}
	ss := &Sessions[C]{db: db, keys: keys, seals: ciphers, now: o.Now, lease: o.Lease}
	if ss.now == nil {
		ss.now = db.Now
	}
	if ss.lease == 0 {
		ss.lease = Lease
	}
	ss.reads = database.NewCoalescer(ss.readRows)
	ss.inserts = database.NewCoalescer(ss.insertRows)
	ss.updates = database.NewCoalescer(ss.updateRows)
	return ss, nil
}

// derive derives the keys for a purpose from each pair of secret and pepper, the pair
// in use first.
func (o Options) derive(purpose string) (keys keyedhash.Keys, err error) {
	for _, secret := range [][]byte{o.Secret, o.PreviousSecret} {
		for _, pepper := range [][]byte{o.Pepper, o.PreviousPepper} {
			if len(secret) == 0 || len(pepper) == 0 {
				continue
			}
			//mutant:replace pepper => nil TestKeysDependOnSecretAndPepper
			key, err := keyedhash.DeriveSalted(secret, pepper, purpose)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// Name identifies a session. The same session id of a gateway with another phone
// number is another session.
type Name struct{ Gateway, Session, Phone string }

// Input is the input that a step answers. Text is the text that the gateway sent,
// or the input's id if the gateway numbers its inputs.
type Input struct {
	Text string
	At   time.Time
}

// Session is a session as it was read, at one of its steps.
type Session[C any] struct {
	row
	// Content is shared by all readers of the same step and must not be modified.
	Content  C
	sessions *Sessions[C]
}

// step is a session as this process wrote it.
type step[C any] struct {
	row
	content C
}

// LastInputAt returns the time of the input that was answered last.
func (s *Session[C]) LastInputAt() time.Time { return time.UnixMilli(s.HeardMs) }

// Busy reports whether a request holds the session's lease.
func (s *Session[C]) Busy() bool {
	return s.row.Claim != 0 && s.ClaimedUntilMs > s.sessions.now().UnixMilli()
}

// Repeats reports whether text is the input that was answered last.
func (s *Session[C]) Repeats(text string) bool {
	return int64(len(text)) == s.HeardLength && s.sessions.Made(s.HeardHash, text)
}

// Suffix returns what text adds to the last input, without the "*" between them.
// ok is false if text does not begin with the last input.
func (s *Session[C]) Suffix(text string) (suffix string, ok bool) {
	n := int(s.HeardLength)
	if len(text) <= n || !s.sessions.Made(s.HeardHash, text[:n]) {
		return "", false
	}
	added := text[n:]
	if n == 0 {
		return added, true
	}
	return strings.CutPrefix(added, "*")
}

// Hash returns a keyed hash of the list of texts. Without the server's secret and
// pepper a text can't be found by trying.
func (ss *Sessions[C]) Hash(texts ...string) string { return hash(ss.keys.Current(), texts) }

func hash(key keyedhash.Key, texts []string) string {
	return base64.RawURLEncoding.EncodeToString(key.SumMAC(texts...))
}

// ShortHash is the length to which a hash may be cut.
const ShortHash = 8

// Made reports whether a hash, which may have been cut to ShortHash characters, is
// that of the texts. Hashes that a process with the previous keys made are accepted.
func (ss *Sessions[C]) Made(made string, texts ...string) bool {
	return ss.MadeOne([]string{made}, texts...)
}

// MadeOne reports whether one of the hashes is that of the texts, as Made does.
func (ss *Sessions[C]) MadeOne(hashes []string, texts ...string) bool {
	return len(hashes) > 0 && ss.keys.Any(func(key keyedhash.Key) bool {
		all := hash(key, texts)
		return slices.ContainsFunc(hashes, func(made string) bool {
			return len(made) >= ShortHash && keyedhash.Equal(all[:min(len(made), len(all))], made)
		})
	})
}

func (ss *Sessions[C]) id(key keyedhash.Key, n Name) string {
	//mutant:replace , n.Phone => ./web/ussd TestSessionBelongsToItsNumber
	return hash(key, []string{"name", n.Gateway, n.Session, n.Phone})
}

// Find reads the session. It reports false if there is none or it has expired.
func (ss *Sessions[C]) Find(ctx context.Context, n Name) (s *Session[C], found bool, err error) {
	for _, key := range ss.keys {
		if s, found, err = ss.find(ctx, ss.id(key, n)); found || err != nil {
			return s, found, fault.Wrap("ussdsession.find", err)
		}
	}
	return nil, false, nil
}

func (ss *Sessions[C]) find(ctx context.Context, id string) (s *Session[C], found bool, err error) {
	r, err := ss.reads.Do(ctx, id)
	if err != nil || r == nil {
		return nil, false, err
	}
	//mutant:drop ./web/ussd TestSessionsExpire
	if r.EndsMs <= ss.now().UnixMilli() {
		return nil, false, nil
	}
	content, err := ss.open(r.ID, r.Content)
	if err != nil {
		return nil, false, err
	}
	return &Session[C]{row: *r, Content: content, sessions: ss}, true, nil
}

// Cached returns a session as this process wrote it last. Another process may have
// advanced it since, so it may only be passed to Acquire and Advance, which refuse
// a session that is not the latest; read it with Find then.
func (ss *Sessions[C]) Cached(n Name) (s *Session[C], found bool) {
	for _, key := range ss.keys {
		if t, ok := ss.cache.get(ss.id(key, n)); ok && t.EndsMs > ss.now().UnixMilli() {
			return &Session[C]{row: t.row, Content: t.content, sessions: ss}, true
		}
	}
	return nil, false
}

// Create writes the first step. It reports false if the session exists already.
func (ss *Sessions[C]) Create(ctx context.Context, n Name, in Input, content C) (bool, error) {
	id, now := ss.id(ss.keys.Current(), n), ss.now()
	sealed, err := ss.seal(id, content)
	if err != nil {
		return false, err
	}
	// A gateway may use a session id again, so steps start from a unique number.
	//mutant:replace Turn: ss.db.NewID(), => Turn: 1, TestReusedNameIsAnotherSession
	first := row{
		ID: id, Turn: ss.db.NewID(), HeardLength: int64(len(in.Text)), HeardHash: ss.Hash(in.Text), HeardMs: in.At.UnixMilli(),
		Content: sealed, BeganMs: now.UnixMilli(), EndsMs: now.Add(Lifetime).UnixMilli(),
	}
	created, err := ss.inserts.Do(ctx, first)
	if created {
		ss.cache.put(id, step[C]{first, content})
	}
	return created, fault.Wrap("ussdsession.create", err)
}

// Acquire leases the session for an operation that has effects besides the next
// step. It reports false if another request holds the lease or has advanced the
// session.
func (ss *Sessions[C]) Acquire(ctx context.Context, s *Session[C]) (bool, error) {
	leased := s.row
	leased.Claim, leased.ClaimedUntilMs = ss.db.NewID(), ss.now().Add(ss.lease).UnixMilli()
	won, err := ss.acquireRow(ctx, leased)
	if won {
		s.row = leased
	} else {
		ss.cache.remove(s.ID)
	}
	return won, fault.Wrap("ussdsession.acquire", err)
}

// Release ends the lease without a step.
func (ss *Sessions[C]) Release(ctx context.Context, s *Session[C]) error {
	return fault.Wrap("ussdsession.release", ss.releaseRow(ctx, s.row))
}

// Advance writes the next step. It reports false if another request has advanced
// the session or holds its lease.
//
//mutant:replace else { ss.cache.remove(s.ID) } => TestStaleCachedSessionIsRefused
func (ss *Sessions[C]) Advance(ctx context.Context, s *Session[C], in Input, content C) (bool, error) {
	sealed, err := ss.seal(s.ID, content)
	if err != nil {
		return false, err
	}
	next := s.row
	next.HeardLength, next.HeardHash = int64(len(in.Text)), ss.Hash(in.Text)
	next.HeardMs, next.Content = in.At.UnixMilli(), sealed
	won, err := ss.updates.Do(ctx, next)
	if won {
		next.Turn, next.Claim, next.ClaimedUntilMs = next.Turn+1, 0, 0
		ss.cache.put(s.ID, step[C]{next, content})
	} else {
		ss.cache.remove(s.ID)
	}
	return won, fault.Wrap("ussdsession.advance", err)
}

// Restart replaces the session's content and starts its lifetime anew. It reports
// false as Advance does.
func (ss *Sessions[C]) Restart(ctx context.Context, s *Session[C], in Input, content C) (bool, error) {
	fresh, now := *s, ss.now()
	fresh.BeganMs, fresh.EndsMs = now.UnixMilli(), now.Add(Lifetime).UnixMilli()
	return ss.Advance(ctx, &fresh, in, content)
}

// Purge deletes expired sessions and returns their number.
func (ss *Sessions[C]) Purge(ctx context.Context) (int64, error) {
	n, err := ss.purge(ctx, ss.now().UnixMilli())
	return n, fault.Wrap("ussdsession.purge", err)
}

// seal encrypts content, bound to the session's id.
func (ss *Sessions[C]) seal(id string, content C) (string, error) {
	packed, err := json.Marshal(content)
	if err != nil {
		return "", fault.Wrap("ussdsession.seal", err)
	}
	return base64.RawStdEncoding.EncodeToString(ss.seals.Seal(packed, []byte(id))), nil
}

func (ss *Sessions[C]) open(id, sealed string) (content C, err error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return content, err
	}
	packed, _, err := ss.seals.Open(raw, []byte(id))
	if err != nil {
		return content, err
	}
	return content, json.Unmarshal(packed, &content)
}
