// Package email is the port to the mail server. An e-mail is an outbox message,
// added in the transaction of the operation it is about and sent after its
// commit.
//
// An e-mail has a text and an HTML part with the same content, in the recipient's
// language. What is typed by people or comes from billers is escaped, and no line of a
// header contains a line break. A code is stored encrypted, and confirms nothing but the
// address that it is sent to; no e-mail contains a password or a login link.
package email

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/keyedhash"
	"elsom/internal/outbox"
)

// Queue is the outbox queue of e-mails.
const Queue = "email"

// Message is an e-mail to be rendered.
type Message struct {
	To string
	// Lang is the recipient's language: ky, ru or en.
	Lang string
	// Subject and Text are message keys.
	Subject, Text string
	// Args are the values of placeholders, formatted with fmt.Sprint.
	Args map[string]any
	// Until is when a message that has not been sent is dropped; zero: never.
	Until time.Time
}

// Letter is an e-mail as it is composed.
type Letter struct {
	To, Lang, Subject string
	Paragraphs        []string
	// Code is shown large: it is one of the paragraphs.
	Code string
	// Facts are labels with their values, after the first paragraph.
	Facts []Fact
	Files []File
}

// Fact is a label with its value.
type Fact struct{ Label, Value string }

// File is an attached file.
type File struct {
	Name, Type string
	Content    []byte
}

// text returns the content as plain text.
func (l Letter) text() string {
	var b strings.Builder
	for i, paragraph := range l.Paragraphs {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(paragraph)
		if i == 0 && len(l.Facts) > 0 {
			b.WriteString("\n")
			for _, f := range l.Facts {
				b.WriteString("\n" + f.Label + ": " + f.Value)
			}
		}
	}
	return b.String()
}

// Rendered is an e-mail as the adapter sends it.
type Rendered struct {
	To, Subject, Text string
	// HTML is an optional alternative with the same content.
	HTML  string
	Files []File
	// ID is the same in all attempts to send one message.
	ID string
}

// Gateway is an adapter that sends e-mails. A fault.Invalid error is final; after
// any other the message is sent again later.
type Gateway interface {
	Send(ctx context.Context, r Rendered) error
}

type payload struct {
	To      string            `json:"to"`
	Lang    string            `json:"lang"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	Args    map[string]string `json:"args,omitempty"`
	// Sealed has further Args, encrypted.
	Sealed []byte     `json:"sealed,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	// Receipt is the payment whose receipt is sent, with its customer; other fields are
	// then empty.
	Receipt  int64 `json:"receipt,omitempty"`
	Customer int64 `json:"customer,omitempty"`
}

func (m Message) payload() payload {
	p := payload{To: m.To, Lang: m.Lang, Subject: m.Subject, Text: m.Text, Args: map[string]string{}}
	for name, value := range m.Args {
		p.Args[name] = fmt.Sprint(value)
	}
	if !m.Until.IsZero() {
		p.Until = &m.Until
	}
	return p
}

// OutboxMessage returns the outbox message of an e-mail. The key names the event: each
// event has one e-mail.
func OutboxMessage(key string, m Message) outbox.Message {
	return outbox.Message{Queue: Queue, Key: key, Payload: m.payload()}
}

// ReceiptMessage returns the outbox message that sends the receipt of a customer's
// payment. Address, language and content are those of the time at which it is sent.
func ReceiptMessage(key string, customer, payment int64) outbox.Message {
	return outbox.Message{Queue: Queue, Key: key, Payload: payload{Receipt: payment, Customer: customer}}
}

// Sealer encrypts codes, with keys derived from the server's secret.
type Sealer struct{ ciphers keyedhash.Ciphers }

// NewSealer returns a sealer that uses the server's secret, and accepts what was made
// with previous ones.
func NewSealer(secret []byte, previous ...[]byte) (*Sealer, error) {
	keys, err := keyedhash.DeriveAll("elsom email", secret, previous...)
	if err != nil {
		return nil, fmt.Errorf("email: %w", err)
	}
	ciphers, err := keys.Ciphers()
	if err != nil {
		return nil, fmt.Errorf("email: %w", err)
	}
	return &Sealer{ciphers}, nil
}

// OutboxMessage returns the outbox message of an e-mail with a code, which is Code in the
// text. The stored message has the code encrypted; it can be decrypted only with the same
// key and address.
func (s *Sealer) OutboxMessage(key string, m Message, code string) outbox.Message {
	p := m.payload()
	//mutant:replace s.ciphers.Seal([]byte(code), additionalData(key, m.To)) => []byte(code) TestCodesAreStoredEncrypted
	p.Sealed = s.ciphers.Seal([]byte(code), additionalData(key, m.To))
	return outbox.Message{Queue: Queue, Key: key, Payload: p}
}

func additionalData(key, to string) []byte { return []byte(key + "\n" + to) }

// Options configure the worker.
type Options struct {
	// Sealer decrypts codes.
	Sealer *Sealer
	// HTML returns a letter as HTML; nil: e-mails are sent without.
	HTML func(ctx context.Context, l Letter) (string, error)
	// Receipt composes the receipt of a customer's payment. It returns ErrDropped if the
	// customer has no confirmed address any more.
	Receipt func(ctx context.Context, customer, payment int64) (Letter, error)
}

// ErrDropped reports that an e-mail must not be sent, now or later.
var ErrDropped = errors.New("email: dropped")

// NewWorker returns the worker that sends the e-mails of the queue.
func NewWorker(db *database.DB, g Gateway, o Options) outbox.Worker {
	return outbox.NewSender(db, outbox.SenderOptions{Queue: Queue, Send: func(ctx context.Context, m outbox.LeasedMessage) error {
		letter, err := o.compose(ctx, m, db.Now())
		if errors.Is(err, ErrDropped) {
			return nil
		}
		if err != nil {
			return err
		}
		r := Rendered{To: letter.To, Subject: oneLine(letter.Subject), Text: letter.text(), Files: letter.Files, ID: m.Key}
		if o.HTML != nil {
			if r.HTML, err = o.HTML(ctx, letter); err != nil {
				return invalid(err)
			}
		}
		return g.Send(ctx, r)
	}})
}

func invalid(err error) error { return fault.New(fault.Invalid, "email.render", "").Because(err) }

func (o Options) compose(ctx context.Context, m outbox.LeasedMessage, now time.Time) (Letter, error) {
	var p payload
	if err := m.Read(&p); err != nil {
		return Letter{}, invalid(err)
	}
	//mutant:drop TestLateCodesAreDropped
	if p.Until != nil && now.After(*p.Until) {
		return Letter{}, ErrDropped
	}
	if p.Receipt != 0 {
		if o.Receipt == nil {
			return Letter{}, invalid(errors.New("email: this worker composes no receipts"))
		}
		return o.Receipt(ctx, p.Customer, p.Receipt)
	}
	l := Letter{To: p.To, Lang: p.Lang}
	if p.Sealed != nil {
		code, err := o.unseal(m.Key, p)
		if err != nil {
			return Letter{}, invalid(err)
		}
		l.Code = code
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args["Code"] = code
	}
	subject, err := i18n.Render(p.Lang, p.Subject, p.Args)
	if err != nil {
		return Letter{}, invalid(err)
	}
	text, err := i18n.Render(p.Lang, p.Text, p.Args)
	if err != nil {
		return Letter{}, invalid(err)
	}
	l.Subject, l.Paragraphs = subject, strings.Split(text, "\n\n")
	return l, nil
}

// errCode leaves out the message, which has the address.
var errCode = errors.New("email: the code can't be decrypted")

func (o Options) unseal(key string, p payload) (string, error) {
	if o.Sealer == nil {
		return "", errCode
	}
	code, _, err := o.Sealer.ciphers.Open(p.Sealed, additionalData(key, p.To))
	if err != nil {
		return "", errCode
	}
	return string(code), nil
}

// oneLine returns a header's text without line breaks and other control characters.
func oneLine(text string) string {
	//mutant:replace unicode.IsControl(r) => false TestHeadersHaveOneLine
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}
