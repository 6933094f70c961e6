// Package sms is the port to the SMS gateway. A text message is an outbox message,
// added in the transaction of the operation it is about and sent after its commit.
//
// A text is rendered in the recipient's language when it is sent and fits two
// parts; a code is the first group of digits of its length in the text; codes are
// stored encrypted only. A message is passed to the gateway again only if the
// gateway certainly did not accept it, or if its response was lost, no receipt
// arrived within two minutes and the message contains no code; such repeats are
// counted. The adapters are sms/kannel and sms/inbox.
package sms

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"elsom/internal/keyedhash"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// The outbox queues of text messages. Messages with a code or PIN have a queue and
// senders of their own, since a person is waiting for them.
const (
	Queue     = "sms"
	CodeQueue = "sms_codes"
)

// added are the texts that the previous release doesn't have. It fails messages whose
// text it doesn't have, and may run beside this one during an upgrade, so these messages
// have queues that it doesn't read. The next release needs none: see unrenderable.
var added = map[string]bool{
	"sms.payment_code": true, "sms.transfer_code": true, "sms.transfer_code_named": true, "sms.login_code": true,
	"sms.browser_code": true, "sms.new_browser": true, "sms.login_failures": true,
}

// addedSuffix ends the names of the queues of added texts.
const addedSuffix = "_2"

// Queues returns the names of all queues of text messages, those of codes first.
func Queues() []string {
	return []string{CodeQueue, CodeQueue + addedSuffix, Queue, Queue + addedSuffix}
}

// queueOf returns the queue, which is Queue or CodeQueue for other texts, of a text.
func queueOf(key, queue string) string {
	//mutant:replace added[key] => false TestAddedTextsHaveQueuesOfTheirOwn
	if added[key] {
		return queue + addedSuffix
	}
	return queue
}

// Message is a text message to be rendered.
type Message struct {
	Phone phone.Number
	// Lang is the recipient's language: ky, ru or en.
	Lang string
	// Key is the message key of the text, such as "sms.code", or NoMessage.
	Key string
	// Args are the values of placeholders, formatted with fmt.Sprint.
	Args map[string]any
	// Secret is set if Args contain a code or PIN. Only Sealer.OutboxMessage
	// accepts such a message.
	Secret bool
	// Notice is set on messages about money that moved, which are also shown on the
	// site and so have a daily limit; see Options. Incoming is set on those about
	// money received: other customers cause them, so they may use half of the limit.
	Notice, Incoming bool
	// Until is when a message that has not been sent is dropped; zero: never.
	Until time.Time
}

// NoMessage is the key of a message that is never sent, for an operation that must
// do the same work whether or not there is a message to send.
const NoMessage = "nothing"

// Rendered is a message as the adapter sends it.
type Rendered struct {
	Phone phone.Number
	Text  string
	// ID is the same in all attempts to send one message.
	ID string
	// Token identifies the message in receipts; see Messages.Receive.
	Token string
}

// Gateway is an adapter that sends text messages. A fault.Invalid error is final.
// After fault.Unavailable the message was certainly not accepted and is sent again
// later; after any other error it is unknown whether it was accepted.
type Gateway interface {
	Send(ctx context.Context, r Rendered) error
}

// IdempotentGateway is a gateway that accepts the messages of one ID once, so that
// a call whose response was lost may be repeated at once.
type IdempotentGateway interface {
	Gateway
	Idempotent()
}

// OutboxMessage returns the outbox message of a text message without secrets. The
// key names the event: each event has one message.
func OutboxMessage(key string, m Message) outbox.Message {
	p := newPayload(m)
	p.Args = printed(m.Args)
	//mutant:drop TestSecretNeedsASealer
	if m.Secret {
		p.err = errSecret
	}
	return outbox.Message{Queue: queueOf(m.Key, Queue), Key: key, Payload: p}
}

var errSecret = errors.New("sms: a message with a secret needs a Sealer")

// payload is the payload of the outbox message.
type payload struct {
	Phone phone.Number      `json:"phone"`
	Lang  string            `json:"lang"`
	Key   string            `json:"key"`
	Args  map[string]string `json:"args,omitempty"`
	// Sealed are the Args of a secret message: AES-GCM, nonce first.
	Sealed   []byte    `json:"sealed,omitempty"`
	Notice   bool      `json:"notice,omitempty"`
	Incoming bool      `json:"came,omitempty"`
	Until    time.Time `json:"until,omitzero"`

	err error
}

func newPayload(m Message) payload {
	return payload{Phone: m.Phone, Lang: m.Lang, Key: m.Key, Notice: m.Notice, Incoming: m.Incoming, Until: m.Until}
}

// MarshalJSON returns an error for a secret that is not sealed.
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

// Sealer encrypts the arguments of secret messages and issues the tokens of
// receipts, with keys derived from the server's secret.
type Sealer struct {
	ciphers keyedhash.Ciphers
	tokens  keyedhash.Keys
}

// NewSealer returns a sealer that uses the server's secret, and accepts what was made
// with previous ones.
func NewSealer(secret []byte, previous ...[]byte) (*Sealer, error) {
	keys, err := keyedhash.DeriveAll("elsom sms", secret, previous...)
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	ciphers, err := keys.Ciphers()
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	tokens, err := keyedhash.DeriveAll("elsom sms receipts", secret, previous...)
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	return &Sealer{ciphers, tokens}, nil
}

// OutboxMessage returns the outbox message of a text message whose arguments are
// encrypted. They can be decrypted only with the same key and phone number.
func (s *Sealer) OutboxMessage(key string, m Message) outbox.Message {
	p := newPayload(m)
	args, err := json.Marshal(printed(m.Args))
	p.Sealed, p.err = s.ciphers.Seal(args, additionalData(key, m.Phone)), err
	//mutant:replace CodeQueue => Queue TestCodesDoNotWaitForOtherMessages
	return outbox.Message{Queue: queueOf(m.Key, CodeQueue), Key: key, Payload: p}
}

func (s *Sealer) open(key string, p payload) (map[string]string, error) {
	if p.Sealed == nil {
		return p.Args, nil
	}
	text, _, err := s.ciphers.Open(p.Sealed, additionalData(key, p.Phone))
	if err != nil {
		return nil, fmt.Errorf("sms: unseal: %w", err)
	}
	var args map[string]string
	return args, json.Unmarshal(text, &args)
}

//mutant:replace + "\n" + number.String() => TestSecretsAreStoredEncrypted
func additionalData(key string, number phone.Number) []byte {
	return []byte(key + "\n" + number.String())
}

// Code returns a random code of so many digits.
func Code(digits int) string {
	code := make([]byte, 0, digits)
	var b [1]byte
	//mutant:replace < digits => < digits-1 TestCode
	for len(code) < digits {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if b[0] < 250 {        // a multiple of ten, so that all digits are equally likely
			//mutant:replace +b[0]%10 => TestCode
			code = append(code, '0'+b[0]%10)
		}
	}
	return string(code)
}
