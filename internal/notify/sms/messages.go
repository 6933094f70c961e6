package sms

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
	"elsom/internal/phone"
)

// State of a message. It only goes forward: Queued, Sent, then Delivered or Failed.
type State string

// A message is Queued until the gateway confirms that it accepted it, then Sent.
// Receipts make it Delivered or Failed. It is also Failed if it can't be sent.
const (
	Queued    State = "queued"
	Sent      State = "sent"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Messages reads the stored messages and processes their receipts.
type Messages struct {
	db     *database.DB
	sealer *Sealer
}

// NewMessages returns the messages of a database.
func NewMessages(db *database.DB, s *Sealer) *Messages { return &Messages{db, s} }

// MaskedMessage is a message with codes and PINs masked, to be shown on the site.
type MaskedMessage struct {
	ID    int64
	Text  string
	State State
	At    time.Time
}

// List returns at most n messages to a phone number since a time (zero: all), newest
// first and older than the message with id before (0: from the newest on), and
// whether there are older ones.
func (ms *Messages) List(ctx context.Context, number phone.Number, since time.Time, before int64, n int) (list []MaskedMessage, older bool, err error) {
	list, err = ms.list(ctx, number, since, before, n+1)
	if older = len(list) > n; older {
		list = list[:n]
	}
	return list, older, fault.Wrap("sms.list", err)
}

// State returns the state of a message. Fault: NotFound.
func (ms *Messages) State(ctx context.Context, id int64) (State, error) {
	state, err := ms.state(ctx, id)
	if err == nil && state == "" {
		return "", fault.New(fault.NotFound, "sms.state", "")
	}
	return state, fault.Wrap("sms.state", err)
}

// Receipt is a gateway's delivery receipt.
type Receipt struct {
	Token string
	// State is Sent, Delivered or Failed.
	State State
}

// Receive processes a receipt. A receipt that would move the state backwards changes
// nothing. Faults: NotFound for a token that this server did not issue, Invalid for a
// state that receipts don't have, Unavailable.
func (ms *Messages) Receive(ctx context.Context, r Receipt) error {
	id, ok := ms.sealer.messageID(r.Token)
	if !ok {
		return fault.New(fault.NotFound, "sms.receive", "")
	}
	if r.State != Sent && r.State != Delivered && r.State != Failed {
		return fault.New(fault.Invalid, "sms.receive", "")
	}
	return fault.Wrap("sms.receive", ms.receive(ctx, id, r.State))
}

// Count has the numbers of messages for the operator.
type Count struct {
	// States counts those of the last 24 hours.
	States map[State]int64
	// Repeats is the total number of calls that were repeated because the gateway's
	// response was lost: up to so many messages may have been delivered twice.
	Repeats int64
}

// Count returns the number of messages per state over the last 24 hours, and of
// repeats.
func (ms *Messages) Count(ctx context.Context) (Count, error) {
	c, err := ms.count(ctx)
	return c, fault.Wrap("sms.count", err)
}

// token returns the token of a message's receipts: its id and a MAC.
func (s *Sealer) token(id int64) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(id))
	return base64.RawURLEncoding.EncodeToString(append(text, tokenMAC(s.tokens.Current(), text)...))
}

const macLength = 16

func tokenMAC(key keyedhash.Key, text []byte) []byte { return key.MAC(text)[:macLength] }

// messageID returns the id in a token. It reports false for a token that this server
// did not issue.
func (s *Sealer) messageID(token string) (id int64, ok bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(text) != 8+macLength {
		return 0, false
	}
	//mutant:drop TestReceiptTokens
	if !s.tokens.Any(func(key keyedhash.Key) bool { return hmac.Equal(tokenMAC(key, text[:8]), text[8:]) }) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(text)), true
}

// unsentLife is the age at which an unsent message fails, also one that has no other end:
// a portal that gets a gateway later must not send old news.
const unsentLife = 7 * 24 * time.Hour

// EndUnsent ends the messages that are not sent in time, and deletes those that are never
// sent (NoMessage). Senders do so too, but without a gateway none runs.
func (ms *Messages) EndUnsent(ctx context.Context) (int64, error) {
	n, err := ms.endUnsent(ctx)
	return n, fault.Wrap("sms.end", err)
}

// Purge deletes the messages that were added before a time, sent or not, and returns their
// number. The rows of repeated calls stay, since they are counted, without number and text.
func (ms *Messages) Purge(ctx context.Context, before time.Time) (int64, error) {
	n, err := ms.purge(ctx, before)
	return n, fault.Wrap("sms.purge", err)
}
