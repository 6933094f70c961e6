package transfer

import (
	"context"
	"errors"
	"strconv"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/draft"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/limit"
	"elsom/internal/notice"
	"elsom/internal/notify/email"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
)

const opTransfer = "wallet.transfer"

// ReceiverFull is the reason of a refusal because the receiver's wallet would
// exceed the balance limit of its level.
const ReceiverFull fault.Reason = "wallet.receiver_full"

// Unconfirmed is the reason of a refusal of Accept when the draft must be confirmed
// first; see draft.Terms.CheckConfirmed.
const Unconfirmed = draft.Unconfirmed

// Accepted is the result of Accept.
type Accepted struct {
	Transfer
	// AlreadyAccepted reports that an earlier request accepted the draft, and nothing was
	// sent now.
	AlreadyAccepted bool
}

// Accept sends a draft's money from wallet to wallet and queues an SMS to both, in
// one commit. channel is the request's; a draft is accepted only on the channel
// that showed it, because each channel asks for the PIN in its own way.
//
// A draft that this process has made or shown is accepted without reading it: its terms
// never change, and the request key shows whether it was accepted before.
//
// A draft is accepted once, however often Accept is called. A refusal leaves the
// draft as it is: Insufficient with the argument Balance; Limit with the argument
// Left (the sender's limits) or with the reason ReceiverFull; Forbidden (hold,
// customer.PINOwed, draft.Unconfirmed, the sender or the receiver is blocked, the
// receiver's wallet is closed); Conflict (draft.Expired); Unavailable (the draft is not
// as it was signed). After Unknown the money may have been sent: call again.
func (ts *Transfers) Accept(ctx context.Context, c customer.Customer, channel customer.Channel, id int64) (accepted Accepted, err error) {
	defer func() { err = ts.db.UnknownIfPending(err) }()
	if draft, ok := ts.drafts.Take(id); ok {
		accepted, err := ts.accept(ctx, c, channel, draft)
		//mutant:replace err == nil || fault.Is(err, fault.Unknown) => true TestRememberedDraft
		if err == nil || fault.Is(err, fault.Unknown) {
			return accepted, err
		}
		// Another process may have accepted or confirmed the draft: as it is stored, it
		// decides about a refusal.
	}
	before, err := ts.sent(ctx, c, id)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return Accepted{before, err == nil}, err
	}
	draft, err := readDraft(ctx, ts.db, id)
	if err != nil {
		return Accepted{}, fault.Wrap("transfer.draft", err)
	}
	return ts.accept(ctx, c, channel, draft)
}

// accept is Accept for a draft that was verified.
func (ts *Transfers) accept(ctx context.Context, c customer.Customer, channel customer.Channel, draft Draft) (Accepted, error) {
	//mutant:drop TestAcceptRefuses
	if err := draft.CheckShown("transfer.draft", draft.SenderID, c.ID, channel); err != nil {
		return Accepted{}, err
	}
	receiver, level, err := ts.checkAcceptable(ctx, c, draft)
	if err != nil {
		return Accepted{}, err
	}
	return ts.post(ctx, c, receiver, draft, level)
}

// sent returns a transfer that c sent; fault.NotFound for one that c received.
func (ts *Transfers) sent(ctx context.Context, c customer.Customer, id int64) (Transfer, error) {
	t, err := ts.ByID(ctx, c.ID, id)
	//mutant:drop TestAcceptOnce
	if err == nil && t.SenderID != c.ID {
		return Transfer{}, fault.New(fault.NotFound, opTransfer, "")
	}
	return t, err
}

// checkAcceptable returns the receiver as stored now and the sender's level, or an
// error if the draft can't be accepted for a reason other than the balance and the
// limits.
func (ts *Transfers) checkAcceptable(ctx context.Context, c customer.Customer, draft Draft) (
	receiver customer.Customer, level catalog.Level, err error,
) {
	err = draft.CheckAcceptable(opTransfer, c, ts.db.Now(), func() error {
		if receiver, err = ts.customers.ByID(ctx, draft.ReceiverID); err != nil {
			return err
		}
		return checkReceiver(receiver, opTransfer)
	})
	if err != nil {
		return customer.Customer{}, catalog.Level{}, err
	}
	if level, err = limit.LevelOf(ctx, ts.db, ts.catalog, c); err != nil {
		return customer.Customer{}, catalog.Level{}, err
	}
	//mutant:replace ts.checkConfirmed(c, draft, level) => nil TestAcceptRequiresConfirmation
	return receiver, level, ts.checkConfirmed(c, draft, level)
}

// checkConfirmed returns fault.Forbidden if the draft must be confirmed first.
func (ts *Transfers) checkConfirmed(c customer.Customer, d Draft, level catalog.Level) error {
	return d.CheckConfirmed(opTransfer, c.Browser, d.Total(), level.ConfirmAbove, func() bool {
		return ts.customers.IsConfirmed(d.ConfirmedBy, c, operation(d))
	})
}

func (ts *Transfers) post(ctx context.Context, c, receiver customer.Customer, draft Draft, senderLevel catalog.Level) (Accepted, error) {
	receiverLevel, err := limit.LevelOf(ctx, ts.db, ts.catalog, receiver)
	if err != nil {
		return Accepted{}, err
	}
	t := Transfer{
		ID: draft.ID, SenderID: c.ID, ReceiverID: receiver.ID, SenderPhone: c.Phone, ReceiverPhone: draft.Phone,
		Sender: maskedName(c), Receiver: draft.Receiver, Amount: draft.Amount, Channel: draft.Channel,
		AcceptedAt: ts.db.Now(),
	}
	receipt, err := ts.ledger.Post(ctx, posting(c, t, senderLevel, receiverLevel,
		append(ts.notices.Riders(ctx, c, eventOfSender(t, c)), ts.notices.Riders(ctx, receiver, eventOfReceiver(t, receiver))...)))
	if err != nil {
		return Accepted{}, refusal(t, err)
	}
	if receipt.Replayed {
		before, err := ts.sent(ctx, c, draft.ID)
		return Accepted{before, err == nil}, err
	}
	t.AcceptedAt = receipt.PostedAt
	ts.db.MarkDurable(Key(t.ID))
	ts.notices.Wake(ts.notifier)
	return Accepted{Transfer: t}, nil
}

func posting(c customer.Customer, t Transfer, senderLevel, receiverLevel catalog.Level, messages []database.Rider) ledger.Posting {
	return ledger.Posting{
		//mutant:replace ID => ID + t.AcceptedAt.UnixNano() TestAcceptOnce
		Key: Key(t.ID), Op: opTransfer, Subject: ledger.Subject{Type: ledger.WalletTransfer, ID: t.ID},
		//mutant:replace , Ceiling: receiverLevel.Balance => TestTransferRejectsFullReceiver
		Entries: []ledger.Entry{
			//mutant:replace , LimitUse: limit.Use(c, senderLevel, t.AcceptedAt) => TestLimitsAreShared
			{Account: t.SenderID, Amount: -t.Amount, LimitUse: limit.Use(c, senderLevel, t.AcceptedAt)},
			{Account: t.ReceiverID, Amount: t.Amount, Ceiling: receiverLevel.Balance},
		},
		//mutant:replace , limit.Rider(c, t.Amount, senderLevel) => TestAcceptRefuses
		Riders: append([]database.Rider{transferRider.Row(t), limit.Rider(c, t.Amount, senderLevel)}, messages...),
	}
}

// refusal translates an error of the ledger for the sender, without revealing the
// receiver's balance.
func refusal(t Transfer, err error) error {
	var above *ledger.AboveCeiling
	if errors.As(err, &above) && above.Account == t.ReceiverID {
		//mutant:replace ("amount") => ("amount").Because(err) TestTransferRejectsFullReceiver
		return fault.New(fault.Limit, opTransfer, ReceiverFull).At("amount")
	}
	var closed *ledger.Closed
	if errors.As(err, &closed) && closed.Account == t.ReceiverID {
		return checkReceiver(customer.Customer{Closed: true}, opTransfer)
	}
	return limit.ExplainRefusal(opTransfer, t.SenderID, t.Amount, err)
}

// eventOfSender returns what the sender is told.
func eventOfSender(t Transfer, to customer.Customer) notice.Event {
	m := sms.Message{Phone: to.Phone, Lang: to.Lang, Key: "sms.transfer_sent", Notice: true, Args: map[string]any{
		"Amount": t.Amount, "Phone": t.ReceiverPhone.Pretty(),
	}}
	if t.Receiver != "" {
		m.Key, m.Args["Name"] = "sms.transfer_sent_named", t.Receiver
	}
	return event(t, to, customer.TransferSent, messageKey(t, "sent"), m, [3]string{"push.transfer_sent", "email.transfer_sent.subject", "email.transfer_sent.text"})
}

// eventOfReceiver returns what the receiver is told.
func eventOfReceiver(t Transfer, to customer.Customer) notice.Event {
	//mutant:replace Incoming: true, => TestTransfer
	m := sms.Message{Phone: to.Phone, Lang: to.Lang, Key: "sms.transfer_got", Notice: true, Incoming: true, Args: map[string]any{
		"Amount": t.Amount, "Phone": t.SenderPhone.Pretty(),
	}}
	if t.Sender != "" {
		m.Key, m.Args["Name"] = "sms.transfer_got_named", t.Sender
	}
	return event(t, to, customer.TransferReceived, messageKey(t, "got"), m, [3]string{"push.transfer_got", "email.transfer_got.subject", "email.transfer_got.text"})
}

// event returns an event whose SMS is m; texts are the message keys of the push
// notification's title, and of the e-mail's subject and text. The notification has
// no names, because a locked screen may show it.
func event(t Transfer, to customer.Customer, kind customer.Notice, key string, m sms.Message, texts [3]string) notice.Event {
	return notice.Event{
		Kind: kind, Key: key, SMS: sms.OutboxMessage(key, m), ByUSSD: kind == customer.TransferSent && t.Channel == customer.USSD,
		Push: push.Message{Title: texts[0], Text: "push.amount", Href: "/transfer/done/" + strconv.FormatInt(t.ID, 10), Args: map[string]any{"Amount": t.Amount}},
		Mail: email.OutboxMessage(key, email.Message{To: to.Email, Lang: to.Lang, Subject: texts[1], Text: texts[2], Args: m.Args}),
	}
}

func messageKey(t Transfer, side string) string {
	return "transfer:" + strconv.FormatInt(t.ID, 10) + ":" + side
}
