// Package sms is the port to the SMS gateway: what is to be said to whom, as a
// promise that is kept after the commit of the act that made it due.
//
// It promises that a text is rendered in its reader's language when it is
// sent, that it fits two parts, that a code is the first group of digits of
// its length in its text, and that codes rest in the database encrypted only.
// A message is handed to the gateway again only if the gateway surely didn't
// take it, or if its answer was lost, no receipt came for two minutes, and
// there is no code in it; such repeats are counted. How a text reaches the phone is the wires' business (sms/kannel, sms/inbox).
package sms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// The outbox lanes of text messages. Messages with a code or PIN have their own
// lane and senders, since a person is waiting for them.
const (
	Queue     = "sms"
	CodeQueue = "sms_codes"
)

// Message is what is to be said: a message key of the topic sms and what
// fills its placeholders.
type Message struct {
	Phone phone.Number
	// Lang is the reader's language: ky, ru or en.
	Lang string
	// Key of the text: "sms.code". Nothing promises silence.
	Key string
	// Args are printed by their String method where they have one.
	Args map[string]any
	// Secret is set where Args hold a code or PIN; then only a Sealer can
	// promise the message.
	Secret bool
	// Notice is set on messages about money that moved, which the holder also
	// finds on the site: a number gets so many a day, see Options. Came is set on
	// those about money that came: others cause them, so they take half of these.
	Notice, Incoming bool
	// Until drops a message that could not be sent in time; zero: never.
	Until time.Time
}

// Nothing is the key of a message that is never sent. An act that must take
// the same course whether or not there is something to say promises it.
const Nothing = "nothing"

// Rendered is a message as the gateway gets it.
type Rendered struct {
	Phone phone.Number
	Text  string
	// ID stays the same over repeats of one message.
	ID string
	// Token proves a receipt to be about this message; see Messages.Receive.
	Token string
}

// Gateway is the wire that brings a text to a phone. Faults: Invalid is final;
// Unavailable says that the message was surely not taken, and it is sent again
// later; any other leaves open whether it was.
type Gateway interface {
	Send(ctx context.Context, r Rendered) error
}

// OnceGateway is a gateway that takes a message of one ID once, however often
// it is brought: after a lost answer it can be asked again at once.
type OnceGateway interface {
	Gateway
	TakesOnce()
}

// OutboxMessage makes the outbox promise of a message without secrets. The key is
// the event's: one message an event.
func OutboxMessage(key string, m Message) outbox.Message {
	p := newPayload(m)
	p.Args = printed(m.Args)
	//mutant:drop TestSecretNeedsASealer
	if m.Secret {
		p.err = errSecret
	}
	return outbox.Message{Queue: Queue, Key: key, Payload: p}
}

var errSecret = errors.New("sms: a message with a secret is promised by a Sealer only")

// payload is a promise's row, as JSON.
type payload struct {
	Phone phone.Number      `json:"phone"`
	Lang  string            `json:"lang"`
	Key   string            `json:"key"`
	Args  map[string]string `json:"args,omitempty"`
	// Sealed is Args of a secret message: AES-GCM, nonce first.
	Sealed   []byte    `json:"sealed,omitempty"`
	Notice   bool      `json:"notice,omitempty"`
	Incoming bool      `json:"came,omitempty"`
	Until    time.Time `json:"until,omitzero"`

	err error
}

func newPayload(m Message) payload {
	return payload{Phone: m.Phone, Lang: m.Lang, Key: m.Key, Notice: m.Notice, Incoming: m.Incoming, Until: m.Until}
}

// MarshalJSON refuses a secret that nobody sealed.
func (p payload) MarshalJSON() ([]byte, error) {
	if p.err != nil {
		return nil, p.err
	}
	type plain payload
	return json.Marshal(plain(p))
}

func printed(args map[string]any) map[string]string {
	if len(args) == 0 {
		return nil
	}
	texts := make(map[string]string, len(args))
	for name, value := range args {
		texts[name] = fmt.Sprint(value)
	}
	return texts
}

// Sealer encrypts the arguments of secret messages, and makes the tokens of
// receipts, with keys that are derived from the server's secret.
type Sealer struct {
	aead   cipher.AEAD
	tokens []byte
}

// NewSealer makes a sealer of the server's secret.
func NewSealer(secret []byte) (*Sealer, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "elsom sms", 32)
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	tokens, err := hkdf.Key(sha256.New, secret, nil, "elsom sms receipts", 32)
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	return &Sealer{aead, tokens}, nil
}

// OutboxMessage makes the outbox promise of a message whose arguments are secret.
// They can be read only under the same key and for the same number.
func (s *Sealer) OutboxMessage(key string, m Message) outbox.Message {
	p := newPayload(m)
	args, err := json.Marshal(printed(m.Args))
	p.Sealed, p.err = s.aead.Seal(nil, nil, args, sealedFor(key, m.Phone)), err
	//mutant:replace CodeQueue => Queue TestCodesGoBeforeEverythingElse
	return outbox.Message{Queue: CodeQueue, Key: key, Payload: p}
}

func (s *Sealer) open(key string, p payload) (map[string]string, error) {
	if p.Sealed == nil {
		return p.Args, nil
	}
	text, err := s.aead.Open(nil, nil, p.Sealed, sealedFor(key, p.Phone))
	if err != nil {
		return nil, fmt.Errorf("sms: unseal: %w", err)
	}
	var args map[string]string
	return args, json.Unmarshal(text, &args)
}

//mutant:replace + "\n" + number.String() => TestSecretsRestSealed
func sealedFor(key string, number phone.Number) []byte { return []byte(key + "\n" + number.String()) }

// Code draws a code of so many digits for a message.
func Code(digits int) string {
	code := make([]byte, 0, digits)
	var b [1]byte
	for len(code) < digits {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if b[0] < 250 {        // 250 values fall evenly on ten digits
			code = append(code, '0'+b[0]%10)
		}
	}
	return string(code)
}
