// Package ussdsession keeps where the dialogues of *900# stand, since the next
// request of a session may reach another process.
//
// It promises that an answer is written once: of several who answer the same
// turn one wins and the others read its answer; that whoever works at an
// answer for longer has claimed the turn, and that a claim ends with its
// holder's life; and that the database tells nobody's number, words or PIN:
// keys are hashed, what was heard is kept as length and keyed hash, and the
// content is encrypted with the server's key. It knows no menu: C is whatever
// its user keeps, as JSON.
package ussdsession

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Life is how long a dialogue lasts in all.
const Lifetime = 180 * time.Second

// Lease is how long a claim holds without its holder. What is done under it is
// safe to be done again by who takes it over.
const Lease = 6 * time.Second

// Options of the dialogues.
type Options struct {
	// Secret and Pepper are the server's; the keys are derived from both, so
	// that neither alone opens a dialogue or finds a PIN by its mark.
	Secret, Pepper []byte
	// Now replaces the database's clock, for tests.
	Now func() time.Time
	// Lease replaces Lease, for tests.
	Lease time.Duration
}

// Sessions keeps the dialogues of a database.
type Sessions[C any] struct {
	db    *database.DB
	key   []byte
	aead  cipher.AEAD
	now   func() time.Time
	lease time.Duration

	reads   *database.Coalescer[string, *row]
	inserts *database.Coalescer[row, bool]
	updates *database.Coalescer[row, bool]
	cache   stepCache[step[C]]
}

// New makes the dialogues on db.
func New[C any](db *database.DB, o Options) (*Sessions[C], error) {
	if len(o.Secret) == 0 || len(o.Pepper) == 0 {
		return nil, errors.New("dialogue: secret or pepper is missing")
	}
	//mutant:replace o.Pepper => nil TestKeysTakeSecretAndPepper
	key, err1 := hkdf.Key(sha256.New, o.Secret, o.Pepper, "elsom dialogue", sha256.Size)
	sealing, err2 := hkdf.Key(sha256.New, o.Secret, o.Pepper, "elsom dialogue content", 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("dialogue: %w", err)
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, fmt.Errorf("dialogue: %w", err)
	}
	ds := &Sessions[C]{db: db, key: key, now: o.Now, lease: o.Lease}
	if ds.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("dialogue: %w", err)
	}
	if ds.now == nil {
		ds.now = db.Now
	}
	if ds.lease == 0 {
		ds.lease = Lease
	}
	ds.reads = database.NewCoalescer(ds.readRows)
	ds.inserts = database.NewCoalescer(ds.insertRows)
	ds.updates = database.NewCoalescer(ds.updateRows)
	return ds, nil
}

// Name tells one dialogue from another. One session of one gateway that comes
// with another number is another dialogue.
type Name struct{ Gateway, Session, Phone string }

// Input is what came in: for a gateway that sends the whole text, all of it;
// for another the id of the input.
type Input struct {
	Text string
	At   time.Time
}

// Session is one as it stands.
type Session[C any] struct {
	row
	// Content is what the door kept. What it points to is shared by all who
	// look at the same turn, and not to be changed.
	Content  C
	sessions *Sessions[C]
}

// step is a dialogue as it was written.
type step[C any] struct {
	row
	content C
}

// LastInputAt is when what was answered last was said.
func (d *Session[C]) LastInputAt() time.Time { return time.UnixMilli(d.HeardMs) }

// Busy tells whether somebody is at work on the next answer.
func (d *Session[C]) Busy() bool {
	return d.row.Claim != 0 && d.ClaimedUntilMs > d.sessions.now().UnixMilli()
}

// Repeats tells whether text is what was heard last.
func (d *Session[C]) Repeats(text string) bool {
	return int64(len(text)) == d.HeardLength && hmac.Equal([]byte(d.sessions.Hash(text)), []byte(d.HeardHash))
}

// Suffix gives what was added to the last text, behind a "*"; false where text
// doesn't begin with the last one.
func (d *Session[C]) Suffix(text string) (string, bool) {
	n := int(d.HeardLength)
	if len(text) <= n || !hmac.Equal([]byte(d.sessions.Hash(text[:n])), []byte(d.HeardHash)) {
		return "", false
	}
	added := text[n:]
	if n == 0 {
		return added, true
	}
	return strings.CutPrefix(added, "*")
}

// Hash is a keyed hash of a text: equal texts have equal marks, and nobody
// without the server's key finds the text by trying.
func (ds *Sessions[C]) Hash(texts ...string) string {
	mac := hmac.New(sha256.New, ds.key)
	var told []byte
	for _, text := range texts {
		told = append(strconv.AppendInt(told, int64(len(text)), 10), ':')
		told = append(told, text...)
	}
	mac.Write(told)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

//mutant:replace , n.Phone => ./web/ussd TestSessionBelongsToItsNumber
func (ds *Sessions[C]) id(n Name) string { return ds.Hash("name", n.Gateway, n.Session, n.Phone) }

// Find gives a dialogue that lives; nil where there is none, or it is over.
func (ds *Sessions[C]) Find(ctx context.Context, n Name) (*Session[C], error) {
	r, err := ds.reads.Do(ctx, ds.id(n))
	if err != nil || r == nil {
		return nil, fault.Wrap("dialogue.find", err)
	}
	//mutant:drop ./web/ussd TestSessionsEnd
	if r.EndsMs <= ds.now().UnixMilli() {
		return nil, nil
	}
	content, err := ds.open(r.ID, r.Content)
	if err != nil {
		return nil, fault.Wrap("dialogue.find", err)
	}
	return &Session[C]{row: *r, Content: content, sessions: ds}, nil
}

// Cached gives a dialogue as this process wrote it last, or nil. Another may
// have led it on meanwhile, so it is good for nothing but Claim and Answer:
// what they refuse is to be found again.
func (ds *Sessions[C]) Cached(n Name) *Session[C] {
	t, ok := ds.cache.get(ds.id(n))
	if !ok || t.EndsMs <= ds.now().UnixMilli() {
		return nil
	}
	return &Session[C]{row: t.row, Content: t.content, sessions: ds}
}

// Create writes the first turn; false where the dialogue lives already.
func (ds *Sessions[C]) Create(ctx context.Context, n Name, heard Input, content C) (bool, error) {
	id, now := ds.id(n), ds.now()
	sealed, err := ds.seal(id, content)
	if err != nil {
		return false, err
	}
	// A name may come again for another dialogue: turns never do.
	//mutant:replace Turn: ds.db.NewID(), => Turn: 1, TestOldLifeIsNotTheNewOne
	first := row{
		ID: id, Turn: ds.db.NewID(), HeardLength: int64(len(heard.Text)), HeardHash: ds.Hash(heard.Text), HeardMs: heard.At.UnixMilli(),
		Content: sealed, BeganMs: now.UnixMilli(), EndsMs: now.Add(Lifetime).UnixMilli(),
	}
	began, err := ds.inserts.Do(ctx, first)
	if began {
		ds.cache.put(id, step[C]{first, content})
	}
	return began, fault.Wrap("dialogue.begin", err)
}

// Acquire reserves the next turn for who has to do more than to write it; false
// where somebody else has it, or has answered meanwhile.
func (ds *Sessions[C]) Acquire(ctx context.Context, d *Session[C]) (bool, error) {
	claimed := d.row
	claimed.Claim, claimed.ClaimedUntilMs = ds.db.NewID(), ds.now().Add(ds.lease).UnixMilli()
	won, err := ds.acquireRow(ctx, claimed)
	if won {
		d.row = claimed
	} else {
		ds.cache.remove(d.ID)
	}
	return won, fault.Wrap("dialogue.claim", err)
}

// Release gives a claimed turn back unanswered.
func (ds *Sessions[C]) Release(ctx context.Context, d *Session[C]) error {
	return fault.Wrap("dialogue.release", ds.releaseRow(ctx, d.row))
}

// Advance writes the next turn; false where somebody else has answered it, or
// works at it.
//
//mutant:replace else { ds.cache.remove(d.ID) } => TestRecalledDialogueYields
func (ds *Sessions[C]) Advance(ctx context.Context, d *Session[C], heard Input, content C) (bool, error) {
	sealed, err := ds.seal(d.ID, content)
	if err != nil {
		return false, err
	}
	next := d.row
	next.HeardLength, next.HeardHash = int64(len(heard.Text)), ds.Hash(heard.Text)
	next.HeardMs, next.Content = heard.At.UnixMilli(), sealed
	won, err := ds.updates.Do(ctx, next)
	if won {
		next.Turn, next.Claim, next.ClaimedUntilMs = next.Turn+1, 0, 0
		ds.cache.put(d.ID, step[C]{next, content})
	} else {
		ds.cache.remove(d.ID)
	}
	return won, fault.Wrap("dialogue.answer", err)
}

// Restart begins a dialogue anew while it lives: its time runs from now. False
// as with Answer.
func (ds *Sessions[C]) Restart(ctx context.Context, d *Session[C], heard Input, content C) (bool, error) {
	fresh, now := *d, ds.now()
	fresh.BeganMs, fresh.EndsMs = now.UnixMilli(), now.Add(Lifetime).UnixMilli()
	return ds.Advance(ctx, &fresh, heard, content)
}

// Purge deletes dialogues whose time is over and tells how many.
func (ds *Sessions[C]) Purge(ctx context.Context) (int64, error) {
	n, err := ds.purge(ctx, ds.now().UnixMilli())
	return n, fault.Wrap("dialogue.purge", err)
}

// seal encrypts a content so that it opens for its own dialogue only.
func (ds *Sessions[C]) seal(id string, content C) (string, error) {
	packed, err := json.Marshal(content)
	if err != nil {
		return "", fault.Wrap("dialogue.seal", err)
	}
	return base64.RawStdEncoding.EncodeToString(ds.aead.Seal(nil, nil, packed, []byte(id))), nil
}

func (ds *Sessions[C]) open(id, sealed string) (content C, err error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return content, err
	}
	packed, err := ds.aead.Open(nil, nil, raw, []byte(id))
	if err != nil {
		return content, err
	}
	return content, json.Unmarshal(packed, &content)
}
