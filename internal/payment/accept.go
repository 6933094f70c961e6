package payment

import (
	"context"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/draft"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/limit"
)

// Queue returns the name of the queue of deliveries to a biller. Its messages are the
// processing payments themselves.
func Queue(biller string) string { return "biller:" + biller }

// FeeChanged is the reason of a refusal of Accept when the service's fee or biller
// is no longer the draft's: Renew makes a new draft.
const FeeChanged fault.Reason = "payment.fee_changed"

// Unconfirmed is the reason of a refusal of Accept when the draft must be confirmed
// first; see draft.Terms.CheckConfirmed.
const Unconfirmed = draft.Unconfirmed

// Accepted is the result of Accept.
type Accepted struct {
	Payment Payment
	// AlreadyAccepted reports that an earlier request accepted the draft, and
	// nothing was paid now.
	AlreadyAccepted bool
}

// acceptOp is the operation of Accept, stored with the payment's first transfer.
const acceptOp = "payment.accept"

// Accept pays a draft: the total goes from the wallet into transit, and the
// payment is due for its delivery, in one commit. It never waits for the biller. channel is the
// request's; a draft is accepted only on the channel that showed it, because each
// channel asks for the PIN in its own way.
//
// A draft that this process has made or shown is accepted without reading it: its terms
// never change, and the request key shows whether it was accepted before.
//
// A draft is accepted once, however often Accept is called. A refusal leaves the
// draft as it is: fault.Insufficient (its Args have Balance), Limit (its Args have
// Left), Forbidden (hold, block, customer.PINOwed, or draft.Unconfirmed: Confirm it
// first), Conflict (FeeChanged, draft.Expired), Unavailable (the draft is not as it was
// signed). After Unknown the payment may have been accepted: call again.
func (ps *Payments) Accept(ctx context.Context, c customer.Customer, channel customer.Channel, id int64) (accepted Accepted, err error) {
	// An earlier request of the same draft may still be committing: then Unavailable
	// does not mean that nothing was paid.
	defer func() { err = ps.db.UnknownIfPending(err) }()
	if draft, ok := ps.drafts.Take(id); ok {
		accepted, err := ps.accept(ctx, c, channel, draft)
		//mutant:replace err == nil || fault.Is(err, fault.Unknown) => true TestRememberedDraft
		if err == nil || fault.Is(err, fault.Unknown) {
			return accepted, err
		}
		// Another process may have accepted or confirmed the draft: as it is stored, it
		// decides about a refusal.
	}
	found, err := ps.accepting.Do(ctx, id)
	if err != nil {
		return Accepted{}, fault.Wrap("payment.draft", err)
	}
	if found == nil || found.Accepted { // the payment of a draft has its id, also after the draft was purged
		before, err := ps.ByID(ctx, c.ID, id)
		return Accepted{Payment: before, AlreadyAccepted: err == nil}, err
	}
	draft := found.Draft
	//mutant:drop TestForgedDraftIsRefused
	if err := draft.Verify(ctx, ps.db, draft.Record()); err != nil {
		return Accepted{}, fault.Wrap("payment.draft", err)
	}
	return ps.accept(ctx, c, channel, draft)
}

// accept is Accept for a draft that was verified.
func (ps *Payments) accept(ctx context.Context, c customer.Customer, channel customer.Channel, draft Draft) (Accepted, error) {
	if err := draft.CheckShown("payment.draft", draft.CustomerID, c.ID, channel); err != nil {
		return Accepted{}, err
	}
	level, err := ps.checkTerms(ctx, c, draft)
	if err != nil {
		return Accepted{}, err
	}
	//mutant:drop TestAcceptRequiresConfirmation
	if err := ps.checkConfirmed(c, draft, level); err != nil {
		return Accepted{}, err
	}
	return ps.post(ctx, c, draft, level)
}

// checkTerms returns the catalog's level of the customer, which has the limits, or an error
// if the draft can't be accepted for a reason other than the balance, the limits and that it
// isn't confirmed.
func (ps *Payments) checkTerms(ctx context.Context, c customer.Customer, draft Draft) (catalog.Level, error) {
	const op = acceptOp
	err := draft.CheckAcceptable(op, c, ps.db.Now(), func() error {
		service, err := ps.catalog.Service(ctx, draft.Service)
		if err != nil {
			return err
		}
		if err := service.Accepts(draft.Amount); err != nil {
			return err
		}
		//mutant:drop TestAcceptRefuses
		if service.Fee.Of(draft.Amount) != draft.Fee || service.Biller != draft.Biller {
			return fault.New(fault.Conflict, op, FeeChanged)
		}
		return nil
	})
	if err != nil {
		return catalog.Level{}, err
	}
	return limit.LevelOf(ctx, ps.db, ps.catalog, c)
}

// checkConfirmed returns fault.Forbidden if the draft must be confirmed first.
func (ps *Payments) checkConfirmed(c customer.Customer, d Draft, level catalog.Level) error {
	return d.CheckConfirmed(acceptOp, c.Browser, d.Total(), level.ConfirmAbove, func() bool {
		return ps.customers.IsConfirmed(d.ConfirmedBy, c, operation(d))
	})
}

// post moves the money and stores the payment. The riders commit with the posting or
// not at all: the payment's row, which is due for its delivery, and the check of the limits.
func (ps *Payments) post(ctx context.Context, c customer.Customer, draft Draft, level catalog.Level) (Accepted, error) {
	transit, err := ps.ledger.Account(ctx, ledger.Transit, draft.Biller)
	if err != nil {
		return Accepted{}, err
	}
	var payment Payment
	var receipt ledger.Receipt
	for range 3 { // a unique violation: usually another payment has the random code
		payment = ps.newPayment(draft)
		receipt, err = ps.ledger.Post(ctx, ledger.Posting{
			//mutant:replace AcceptKey(draft.ID) => AcceptKey(ps.db.NewID()) TestAcceptedOnce
			Key: AcceptKey(draft.ID), Op: acceptOp, Subject: subject(draft.ID),
			Entries: []ledger.Entry{
				//mutant:replace , LimitUse: limit.Use(c, level, ps.db.Now()) => TestLimits
				{Account: draft.CustomerID, Amount: -draft.Total(), LimitUse: limit.Use(c, level, ps.db.Now())},
				{Account: transit, Amount: draft.Total()},
			},
			Riders: []database.Rider{
				AcceptedRider.Row(payment),
				limit.Rider(c, draft.Total(), level),
			},
		})
		if !database.IsUniqueViolation(err) {
			break
		}
	}
	if err != nil {
		return Accepted{}, limit.ExplainRefusal(acceptOp, c.ID, draft.Total(), err)
	}
	if receipt.Replayed {
		before, err := ps.ByID(ctx, c.ID, draft.ID)
		return Accepted{Payment: before, AlreadyAccepted: err == nil}, err
	}
	payment.AcceptedAt = receipt.PostedAt
	ps.db.MarkDurable(confirmKey(payment.ID, Processing))
	ps.notifier.Notify(Queue(draft.Biller))
	return Accepted{Payment: payment}, nil
}

func (ps *Payments) newPayment(draft Draft) Payment {
	return Payment{
		ID: draft.ID, CustomerID: draft.CustomerID, Service: draft.Service, Biller: draft.Biller,
		Identifier: draft.Identifier, Payee: draft.Payee, Amount: draft.Amount, Fee: draft.Fee,
		TxnID: draft.TxnID, Code: newCode(), Channel: draft.Channel, State: Processing, AcceptedAt: ps.db.Now(),
	}
}

// AcceptedRider inserts the payment's row together with the transfer from the wallet
// into transit. It is exported for benchmarks, which write the same rows as Accept.
var AcceptedRider = &database.RiderKind[Payment]{
	Name:   "payment accepted",
	Insert: rowsOf,
}
