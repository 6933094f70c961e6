package customer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// Notice is a kind of message about money.
type Notice int

// The kinds. Their values are stored.
const (
	ToppedUp         Notice = 0
	PaymentCompleted Notice = 1
	PaymentRefunded  Notice = 2
	TransferSent     Notice = 3
	TransferReceived Notice = 4
)

// Way is how a message reaches its customer.
type Way int

// The ways. Their values are stored.
const (
	BySMS   Way = 0
	ByPush  Way = 1
	ByEmail Way = 2

	ways = 3
)

// AllNotices and AllWays are in the order in which they are shown.
var (
	AllNotices = []Notice{ToppedUp, PaymentCompleted, PaymentRefunded, TransferSent, TransferReceived}
	AllWays    = []Way{BySMS, ByPush, ByEmail}
)

// offByDefault has the messages that are sent only to those who have chosen them.
const offByDefault Notices = 1<<(int(ToppedUp)*ways+int(ByPush)) | 1<<(int(ToppedUp)*ways+int(ByEmail)) |
	1<<(int(PaymentCompleted)*ways+int(ByEmail)) | 1<<(int(PaymentRefunded)*ways+int(ByEmail)) |
	1<<(int(TransferSent)*ways+int(ByPush)) | 1<<(int(TransferSent)*ways+int(ByEmail)) |
	1<<(int(TransferReceived)*ways+int(ByPush)) | 1<<(int(TransferReceived)*ways+int(ByEmail))

// Notices are a customer's choices: a bit for each kind and way, set where it differs from
// what is sent by default. Codes and notices of security are not among them: they are
// always sent.
type Notices int64

// On reports whether a customer has chosen a kind of message by a way.
func (n Notices) On(kind Notice, way Way) bool { return (n^offByDefault)&bit(kind, way) == 0 }

// With returns the choices with one of them changed.
func (n Notices) With(kind Notice, way Way, on bool) Notices {
	if n.On(kind, way) != on {
		n ^= bit(kind, way)
	}
	return n
}

func bit(kind Notice, way Way) Notices { return 1 << (int(kind)*ways + int(way)) }

// silences reports whether an SMS that was sent before is sent no more.
func (n Notices) silences(before Notices) bool {
	for _, kind := range AllNotices {
		if before.On(kind, BySMS) && !n.On(kind, BySMS) {
			return true
		}
	}
	return false
}

// Gets reports whether the customer is told of a kind of event by a way.
func (c Customer) Gets(kind Notice, way Way) bool {
	//mutant:replace way == ByEmail && => false && TestNoticesByEmailNeedAConfirmedAddress
	if way == ByEmail && !c.EmailConfirmed {
		return false
	}
	return c.Notices.On(kind, way)
}

// noticeChange limits changes of the choices: each sends an SMS.
var noticeChange = ratelimit.Rule{Name: "notices changed", Limit: 10, Window: 24 * time.Hour, Always: true}

// SetNotices changes a customer's choices. Switching SMS off takes the password, since a
// thief would do it first. An SMS reports every change.
//
// Errors: Invalid at password; TooMany; Conflict "customer.notices_elsewhere" if they were
// changed meanwhile.
func (cs *Customers) SetNotices(ctx context.Context, c Customer, to Notices, password string) error {
	const op = "customer.notices"
	if to == c.Notices {
		return nil
	}
	//mutant:drop ./web TestSwitchingSMSOffNeedsThePassword
	if to.silences(c.Notices) {
		if err := cs.ProvePassword(ctx, c.ID, password); err != nil {
			return err
		}
	}
	if err := cs.o.Counters.Take(ctx, noticeChange, strconv.FormatInt(c.ID, 10)); err != nil {
		return err
	}
	return fault.Wrap(op, cs.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		changed, err := storeNotices(tx, c.ID, c.Notices, to)
		if err != nil {
			return err
		}
		if !changed {
			return fault.New(fault.Conflict, op, "customer.notices_elsewhere")
		}
		message := sms.OutboxMessage(fmt.Sprintf("customer:notices:%d", tx.NewID()), sms.Message{Phone: c.Phone, Lang: c.Lang, Key: "sms.notices_changed"})
		//mutant:replace sms.Add(ctx, tx, message) => func(any) error { return nil }(message) ./web TestSwitchingSMSOffNeedsThePassword
		return sms.Add(ctx, tx, message)
	}))
}

// securityMail has the message keys of an e-mail about security.
type securityMail struct{ subject, text string }

var (
	newBrowserMail = securityMail{"email.new_browser.subject", "email.new_browser.text"}
	passwordMail   = securityMail{"email.password_changed.subject", "email.password_changed.text"}
	pinMail        = securityMail{"email.pin_changed.subject", "email.pin_changed.text"}
)

// addSecurityMail adds the e-mail about an event of security beside its SMS, for a holder
// with a confirmed address. It can't be switched off.
func (cs *Customers) addSecurityMail(ctx context.Context, tx *database.Tx, holder *Record, what securityMail) error {
	if cs.o.Email == nil || holder.EmailConfirmedAt == nil {
		return nil
	}
	return outbox.Add(ctx, tx, email.OutboxMessage(fmt.Sprintf("customer:security:%d", tx.NewID()), email.Message{
		To: holder.Email, Lang: holder.Lang, Subject: what.subject, Text: what.text,
		Args: map[string]any{"Phone": phone.Number(holder.Phone).Masked(), "At": formatTime(cs.o.Now())},
	}))
}
