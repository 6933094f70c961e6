// Package sms is the port to the SMS gateway. A text message is a row of the table
// messages, added in the transaction of the operation it is about and sent after its
// commit: the row is its own outbox message.
//
// A text is rendered in the recipient's language when it is added and fits two
// parts; a code is the first group of digits of its length in the text; codes are
// stored encrypted only. A message is passed to the gateway again only if the
// gateway certainly did not accept it, or if its response was lost, no receipt
// arrived within two minutes and the message contains no code; such repeats are
// counted. The adapters are sms/kannel and sms/inbox.
package sms

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"elsom/internal/database"
	"elsom/internal/keyedhash"
	"elsom/internal/phone"
)

// The queues of text messages. Those with a code or PIN have a queue and calls of
// their own, since a person is waiting for them.
const (
	Queue     = "sms"
	CodeQueue = "sms_codes"
)

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
	// Balance is the wallet whose balance ends the text, as it is when the message is
	// sent; 0: none.
	Balance int64
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

// Outgoing is a rendered message to be added with Add or AddRider.
type Outgoing struct {
	queue, key string
	phone      phone.Number // empty: it is not sent
	text       string       // as it is shown on the site
	sealed     []byte       // the text with its code, encrypted; nil: text has no code and is sent
	limit      dailyLimit
	wallet     int64 // whose balance ends the text; 0: none
	lang       string
	expiresAt  *time.Time
	err        error
}

// dailyLimit is the share of a phone number's daily limit that a notice may use.
type dailyLimit string

const (
	noLimit   dailyLimit = ""
	fullLimit dailyLimit = "full"
	halfLimit dailyLimit = "half"
)

// OutboxMessage returns a text message without secrets. The key names the event: each
// event has one message.
func OutboxMessage(key string, m Message) Outgoing {
	o := newOutgoing(Queue, key, m)
	//mutant:drop TestSecretNeedsASealer
	if m.Secret {
		o.err = errSecret
		return o
	}
	if m.Key == NoMessage {
		o.phone = ""
		return o
	}
	o.text = o.render(m, printed(m.Args))
	if o.text != "" {
		o.wallet, o.lang = m.Balance, m.Lang
	}
	return o
}

var errSecret = errors.New("sms: a message with a secret needs a Sealer")

func newOutgoing(queue, key string, m Message) Outgoing {
	o := Outgoing{queue: queue, key: key, phone: m.Phone}
	if m.Notice {
		o.limit = fullLimit
		//mutant:drop TestIncomingNoticesUseHalfOfTheLimit
		if m.Incoming {
			o.limit = halfLimit
		}
	}
	if !m.Until.IsZero() {
		until := database.StoredTime(m.Until)
		o.expiresAt = &until
	}
	return o
}

// render returns the text of a message. One that can't be rendered is stored as failed,
// since the operation that it is about must not fail.
func (o *Outgoing) render(m Message, args map[string]string) string {
	text, err := render(m.Lang, m.Key, args)
	if err != nil {
		slog.Error("sms: text not rendered", "lang", m.Lang, "key", m.Key, "error", err)
		return ""
	}
	return text
}

// unsendable reports that the message could not be rendered.
func (o *Outgoing) unsendable() bool { return o.text == "" && o.phone != "" }

// addKind is named so that riders with messages are written after those with money.
var addKind = &database.RiderKind[Outgoing]{Name: "text message", Insert: rowsOf}

// AddRider returns a rider that adds a message together with a transfer.
func AddRider(m Outgoing) database.Rider { return addKind.Row(m) }

// Add adds messages in the caller's transaction. The error is gorm.ErrDuplicatedKey if
// there is a message with the same key, also one that was sent.
func Add(_ context.Context, tx *database.Tx, messages ...Outgoing) error {
	if len(messages) == 0 {
		return nil
	}
	rows, err := rowsOf(tx, messages)
	if err != nil {
		return err
	}
	return tx.Insert(rows)
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

// OutboxMessage returns a text message with a code or PIN. What is stored for the site
// has them masked; the text that is sent is encrypted, and can be decrypted only with
// the same key and phone number. NoMessage takes the same work as a code.
func (s *Sealer) OutboxMessage(key string, m Message) Outgoing {
	//mutant:replace CodeQueue => Queue TestCodesDoNotWaitForOtherMessages
	o, args := newOutgoing(CodeQueue, key, m), printed(m.Args)
	if m.Key == NoMessage {
		m.Key, o.phone = "sms.code", ""
	}
	//mutant:replace masked(args) => args TestList
	o.text = o.render(m, masked(args))
	if !o.unsendable() {
		o.sealed = s.ciphers.Seal([]byte(o.render(m, args)), additionalData(key, o.phone))
	}
	return o
}

// unseal returns the text of a message with a code.
func (s *Sealer) unseal(m Acquired) (string, error) {
	text, _, err := s.ciphers.Open(m.sealed, additionalData(m.Key, m.phone))
	if err != nil {
		return "", fmt.Errorf("sms: unseal: %w", err)
	}
	return string(text), nil
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
