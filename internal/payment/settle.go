package payment

import (
	"context"
	"slices"
	"strconv"
	"time"

	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/ledger"
	"elsom/internal/notice"
	"elsom/internal/notify/email"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
)

// ending is what the second transfer changes in the payment's row.
type ending struct {
	payment   Payment
	state     State
	ground    ground // of a refund
	result    int
	reference string
	// lease is that of the delivery whose answer ends the payment; 0 for a decision by
	// staff.
	lease int64
	// holder is the customer to notify; nil: not read yet.
	holder *customer.Customer
}

// answeredCall is a call with its answer.
type answeredCall struct {
	call   call
	answer biller.Answer
}

var endingRider = &database.RiderKind[ending]{
	Name: "payment ended",
	Write: func(tx *database.Tx, rows []ending) error {
		return updateEnded(tx, rows)
	},
}

var answeredCallRider = &database.RiderKind[answeredCall]{
	Name:  "payment attempted",
	Write: writeOutcomes,
}

// warnOfForeign logs the calls whose outcomes something else has stored.
func warnOfForeign(ctx context.Context, foreign []answeredCall) {
	for _, r := range foreign {
		logOf(r.call.payment).ErrorContext(ctx, "payment: an outcome was not stored", "attempt", r.call.attempt.Number,
			"outcome", r.answer.Outcome.String(), "error", errForeignOutcome)
	}
}

// endByAnswer ends a payment by a biller's answer. If the ledger is unavailable, it
// retries for 1.5 seconds before the answer is lost and the call must be repeated.
func (ps *Payments) endByAnswer(ctx context.Context, c call, answer biller.Answer, state State) error {
	const tries = 4
	var receipt ledger.Receipt
	var err error
	var riders []database.Rider
	if state == Completed { // a refusal is stored before
		riders = append(riders, answeredCallRider.Row(answeredCall{c, answer}))
	}
	for try := range tries {
		if try > 0 {
			time.Sleep(time.Duration(try) * 250 * time.Millisecond)
		}
		receipt, err = ps.postEnd(ctx, ending{
			payment: c.payment, state: state, ground: refundGround(c.biller.AnswersStoredOutcome), result: answer.Result,
			reference: truncated(answer.Reference, biller.ReferenceLength), lease: c.lease, holder: c.holder,
		}, riders...)
		if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Unknown) {
			break
		}
	}
	switch {
	case fault.Is(err, fault.Conflict):
		return ps.recordConflict(ctx, c, answer, state)
	case err == nil && receipt.Replayed:
		return ps.recordLate(ctx, c, answer, false)
	}
	return err
}

// postEnd posts a payment's second transfer: from transit to the biller and the
// fees, or back to the wallet. Limits and blocks never stop a refund.
func (ps *Payments) postEnd(ctx context.Context, e ending, riders ...database.Rider) (ledger.Receipt, error) {
	p := e.payment
	transit, err := ps.ledger.Account(ctx, ledger.Transit, p.Biller)
	if err != nil {
		return ledger.Receipt{}, err
	}
	//mutant:replace (p.ID), Op: => (p.ID) + "!", Op: TestGoodAfterRefundIsAClaim
	posting := ledger.Posting{Key: EndKey(p.ID), Op: "payment.refund", Subject: subject(p.ID), Entries: []ledger.Entry{
		{Account: transit, Amount: -p.Total()},
		//mutant:replace , LimitUse: &ledger.LimitUse{Returns: p.postedAt()} => TestRefundRestoresLimits
		{Account: p.CustomerID, Amount: p.Total(), LimitUse: &ledger.LimitUse{Returns: p.postedAt()}},
	}}
	if e.state == Completed {
		if posting, err = ps.settlement(ctx, p, transit); err != nil {
			return ledger.Receipt{}, err
		}
	}
	holder, err := ps.holderOf(ctx, e)
	if err != nil {
		return ledger.Receipt{}, err
	}
	notice, err := ps.notice(ctx, p, holder, e.state)
	if err != nil {
		return ledger.Receipt{}, err
	}
	posting.Riders = append(slices.Clone(riders), endingRider.Row(e))
	posting.Riders = append(posting.Riders, ps.notices.Riders(ctx, holder, notice)...)
	receipt, err := ps.ledger.Post(ctx, posting)
	if err == nil {
		ps.db.MarkDurable(confirmKey(p.ID, e.state))
		ps.watch.notify(p.ID)
		ps.notices.Wake(ps.notifier)
	}
	return receipt, err
}

// requiredLease returns the lease that the payment must have, or 0. A refund by an answer
// fails if the payment was leased again: another worker may have called since, and the
// biller may have booked the payment. A settlement and a decision by staff don't depend on
// the lease.
func (e ending) requiredLease() int64 {
	//mutant:drop TestLateRefusalDoesNotRefund
	if e.state == Refunded {
		return e.lease
	}
	return 0
}

func (ps *Payments) settlement(ctx context.Context, p Payment, transit int64) (ledger.Posting, error) {
	payable, err := ps.ledger.Account(ctx, ledger.Payable, p.Biller)
	if err != nil {
		return ledger.Posting{}, err
	}
	//mutant:replace (p.ID), Op: => (p.ID) + ":settle", Op: TestGoodAfterRefundIsAClaim
	//mutant:replace (p.ID), Op: => (p.ID) + ":" + strconv.FormatInt(ps.db.NewID(), 10), Op: ./internal/simulation TestSimulation
	posting := ledger.Posting{Key: EndKey(p.ID), Op: "payment.settle", Subject: subject(p.ID), Entries: []ledger.Entry{
		{Account: transit, Amount: -p.Total()}, {Account: payable, Amount: p.Amount},
	}}
	if p.Fee > 0 {
		fees, err := ps.ledger.Account(ctx, ledger.Fees, p.Biller)
		if err != nil {
			return ledger.Posting{}, err
		}
		posting.Entries = append(posting.Entries, ledger.Entry{Account: fees, Amount: p.Fee})
	}
	return posting, nil
}

// notice returns the messages about a payment's end, in the customer's current language.
// The push notification has no identifier, because a locked screen may show it; the e-mail
// is the receipt.
func (ps *Payments) notice(ctx context.Context, p Payment, holder customer.Customer, state State) (notice.Event, error) {
	service, err := ps.catalog.ServiceOfRecord(ctx, p.Service)
	if err != nil {
		return notice.Event{}, err
	}
	id := strconv.FormatInt(p.ID, 10)
	e := notice.Event{
		Kind: customer.PaymentCompleted, Key: "payment:" + id + ":" + string(state), ByUSSD: p.Channel == customer.USSD,
		Push: push.Message{
			Title: "push.payment_completed", Text: "push.payment_text", Href: "/receipt/" + id,
			Args: map[string]any{"Service": service.Name.In(holder.Lang), "Amount": p.Total()},
		},
	}
	message := sms.Message{Phone: holder.Phone, Lang: holder.Lang, Key: "sms.payment_completed", Notice: true, Balance: holder.ID, Args: map[string]any{
		"Code": p.Code, "Service": service.Name.In(holder.Lang), "Account": maskIdentifier(service, p.Identifier), "Amount": p.Total(),
	}}
	if state == Refunded {
		message.Key, e.Push.Title, e.Kind = "sms.payment_refunded", "push.payment_refunded", customer.PaymentRefunded
	}
	e.SMS, e.Mail = sms.OutboxMessage(e.Key, message), email.ReceiptMessage(e.Key, holder.ID, p.ID)
	return e, nil
}

// maskIdentifier returns an identifier with all but the last characters hidden.
func maskIdentifier(service catalog.Service, identifier string) string {
	if service.Identifier == catalog.KindINN {
		return inn.INN(identifier).Masked()
	}
	if runes := []rune(identifier); len(runes) > 4 {
		return "••••\u00a0" + string(runes[len(runes)-4:])
	}
	return identifier
}

// recordConflict handles an answer to a payment that has ended in another state. A
// good answer after a refund means that the biller booked a payment whose money was
// returned: a claim is stored, and no money moves.
func (ps *Payments) recordConflict(ctx context.Context, c call, answer biller.Answer, state State) error {
	logOf(c.payment).WarnContext(ctx, "payment: answer contradicts the payment's end", "answered", string(state))
	return ps.recordLate(ctx, c, answer, state == Completed)
}

// recordLate records a call whose payment has ended, and a claim.
func (ps *Payments) recordLate(ctx context.Context, c call, answer biller.Answer, claim bool) error {
	return ps.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if claim {
			if err := insertClaim(tx, c.payment.ID, answer.Reference); err != nil {
				return err
			}
		}
		foreign, err := storeOutcomesOnce(ctx, tx, []answeredCall{{c, answer}})
		if err != nil {
			return err
		}
		warnOfForeign(ctx, foreign)
		return nil
	})
}
