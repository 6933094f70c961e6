// Package notice tells customers that money has moved: by SMS, push notification and
// e-mail, as each has chosen.
//
// It returns riders, which commit with the transfer that they are about, and decides
// nothing but who gets which of them. What it can't prepare besides an SMS is only logged:
// no operation fails because of a notification.
package notice

import (
	"context"
	"log/slog"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/notify/email"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
)

// Sender has the ways besides SMS.
type Sender struct {
	// Push sends notifications to browsers; nil: none.
	Push *push.Subscriptions
	// Email reports whether e-mails can be sent.
	Email bool
}

// Event has the messages about one movement of money: SMS, push notification, e-mail.
type Event struct {
	Kind customer.Notice
	// Key names the event.
	Key  string
	SMS  sms.Outgoing
	Push push.Message
	Mail outbox.Message
	// ByUSSD is set for an operation by *900#: its SMS is its only receipt, and is
	// always sent.
	ByUSSD bool
}

// Riders returns the messages to a customer that commit with the event.
func (s Sender) Riders(ctx context.Context, to customer.Customer, e Event) (riders []database.Rider) {
	//mutant:replace e.ByUSSD || => TestOperationsByUSSDAlwaysSendSMS
	if e.ByUSSD || to.Gets(e.Kind, customer.BySMS) {
		riders = append(riders, sms.AddRider(e.SMS))
	}
	if s.Email && to.Gets(e.Kind, customer.ByEmail) {
		riders = append(riders, outbox.AddRider(e.Mail))
	}
	if s.Push == nil || !to.Gets(e.Kind, customer.ByPush) {
		return riders
	}
	holder := push.Holder{ID: to.ID, Epoch: to.SessionEpoch, Lang: to.Lang}
	messages, err := s.Push.OutboxMessages(ctx, holder, e.Key, e.Push)
	if err != nil {
		slog.WarnContext(ctx, "notice: preparing push notifications failed", "error", err)
	}
	for _, m := range messages {
		riders = append(riders, outbox.AddRider(m))
	}
	return riders
}

// Wake wakes the workers that send the messages.
func (s Sender) Wake(n *outbox.Notifier) {
	if n == nil {
		return
	}
	n.Notify(sms.Queue)
	if s.Push != nil {
		n.Notify(push.Queue)
	}
	if s.Email {
		n.Notify(email.Queue)
	}
}
