package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// State of a message. It only goes forward: queued, sent, then one of the ends.
type State string

// Queued: the gateway has been called and has not confirmed. Sent: the gateway has
// accepted the message. Delivered and Failed: as the receipt says; a message that is
// no longer retried has failed too.
const (
	Queued    State = "queued"
	Sent      State = "sent"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Messages stores messages from the first call to the gateway on.
type Messages struct {
	db     *database.DB
	sealer *Sealer
}

// NewMessages returns the messages in a database.
func NewMessages(db *database.DB, s *Sealer) *Messages { return &Messages{db, s} }

// MaskedMessage is a stored message with its codes and PINs masked.
type MaskedMessage struct {
	ID    int64
	Text  string
	State State
	At    time.Time
}

// List returns messages to a number since a moment (zero: ever), newest first,
// those before an id (0: from the newest on), and whether there are older ones.
func (ms *Messages) List(ctx context.Context, number phone.Number, since time.Time, before int64, n int) (list []MaskedMessage, older bool, err error) {
	list, err = ms.list(ctx, number, since, before, n+1)
	if older = len(list) > n; older {
		list = list[:n]
	}
	return list, older, fault.Wrap("sms.list", err)
}

// SendNow sends a message without secrets immediately, without the outbox, and
// returns its id. It is for testing the gateway: a failure is not retried.
func (ms *Messages) SendNow(ctx context.Context, g Gateway, m Message) (id int64, err error) {
	message := OutboxMessage(fmt.Sprintf("now:%d", ms.db.NewID()), m)
	body, err := json.Marshal(message.Payload)
	if err != nil {
		return 0, fault.Wrap("sms.send_now", err)
	}
	leased := outbox.LeasedMessage{Queue: Queue, Key: message.Key, Payload: body, Attempts: 1, LeaseToken: ms.db.NewID()}
	sending := newDesk(ms.db, ms.sealer, g).send(ctx, leased)
	err = ms.db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		if err = record(tx, []outbox.SendResult{{Message: leased, Err: sending}}); err == nil {
			id, err = idOf(tx, leased.Key)
		}
		return err
	})
	if sending != nil {
		return 0, sending
	}
	return id, fault.Wrap("sms.send_now", err)
}

// State returns the state of a message. Fault: NotFound.
func (ms *Messages) State(ctx context.Context, id int64) (State, error) {
	state, err := ms.state(ctx, id)
	if err == nil && state == "" {
		return "", fault.New(fault.NotFound, "sms.state", "")
	}
	return state, fault.Wrap("sms.state", err)
}

// Receipt is a gateway's report on a message that it accepted.
type Receipt struct {
	Token string
	// State is Sent, Delivered or Failed.
	State State
}

// Receive stores the state of a receipt. A state that would go backwards changes
// nothing. Faults: NotFound for a token that is not ours, Invalid for a state that
// no receipt has, Unavailable.
func (ms *Messages) Receive(ctx context.Context, r Receipt) error {
	id, ours := ms.sealer.idOf(r.Token)
	if !ours {
		return fault.New(fault.NotFound, "sms.receive", "")
	}
	if r.State != Sent && r.State != Delivered && r.State != Failed {
		return fault.New(fault.Invalid, "sms.receive", "")
	}
	return fault.Wrap("sms.receive", ms.receive(ctx, id, r.State))
}

// Count has numbers of messages.
type Count struct {
	// States counts the messages of the last 24 hours.
	States map[State]int64
	// Repeats counts, over all time, messages that were sent to the gateway again
	// because its answer was lost; each may have arrived twice.
	Repeats int64
}

// Count returns the number of messages per state over the last 24 hours, and of
// those that were sent again.
func (ms *Messages) Count(ctx context.Context) (Count, error) {
	c, err := ms.count(ctx)
	return c, fault.Wrap("sms.count", err)
}

// token returns a signed id, by which a receipt names its message.
func (s *Sealer) token(id int64) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(id))
	return base64.RawURLEncoding.EncodeToString(append(text, s.mac(text)...))
}

const macLength = 16

func (s *Sealer) mac(text []byte) []byte {
	h := hmac.New(sha256.New, s.tokens)
	h.Write(text)
	return h.Sum(nil)[:macLength]
}

func (s *Sealer) idOf(token string) (id int64, ours bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	//mutant:replace || !hmac.Equal(s.mac(text[:8]), text[8:]) => TestTokens
	if err != nil || len(text) != 8+macLength || !hmac.Equal(s.mac(text[:8]), text[8:]) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(text)), true
}
