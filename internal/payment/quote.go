package payment

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/limit"
	"elsom/internal/money"
	"elsom/internal/ratelimit"
)

// Order is what a payer typed.
type Order struct {
	Service    string // its code
	Identifier string // as typed
	Amount     string // in som, as typed
	Channel    customer.Channel
	// Address is the client's address, for rate limits.
	Address string
	// Listed orders are lines of a list, which is counted as one try and whose money is judged
	// as a whole by its caller.
	Listed bool
}

var (
	quoteCustomer = ratelimit.Rule{Name: "quote by customer", Limit: 60, Window: 10 * time.Minute}
	quoteAddress  = ratelimit.Rule{Name: "quote by address", Limit: 600, Window: 10 * time.Minute}
)

// Quote parses an order, checks it with the biller, and stores the draft that the
// check page shows. On invalid input it returns joined faults at "account" and
// "amount" and stores nothing. If the biller can't check, the draft is stored
// without a payee. On USSD only Accept checks the balance, because the PIN is asked
// for after Quote.
func (ps *Payments) Quote(ctx context.Context, c customer.Customer, order Order) (Draft, error) {
	service, err := ps.catalog.Service(ctx, order.Service)
	if err != nil {
		return Draft{}, err
	}
	draft, err := ps.read(ctx, c, service, order)
	if err != nil {
		return Draft{}, err
	}
	if !order.Listed {
		if err := ps.count(ctx, c, order); err != nil {
			return Draft{}, err
		}
	}
	if err := ps.check(ctx, &draft); err != nil {
		return Draft{}, err
	}
	return ps.store(ctx, draft)
}

// count counts a try of the customer and of the address.
func (ps *Payments) count(ctx context.Context, c customer.Customer, order Order) error {
	//mutant:drop ./web TestTooManyChecks
	if err := ps.counters.Take(ctx, quoteCustomer, strconv.FormatInt(c.ID, 10)); err != nil {
		return err
	}
	return ps.counters.Take(ctx, quoteAddress, ratelimit.Address(order.Address))
}

// Renew stores a new draft with the content of an old one and the current fee,
// without another check by the biller.
func (ps *Payments) Renew(ctx context.Context, c customer.Customer, channel customer.Channel, id int64) (Draft, error) {
	old, err := ps.Draft(ctx, c.ID, channel, id)
	if err != nil {
		return Draft{}, err
	}
	service, err := ps.catalog.Service(ctx, old.Service)
	if err != nil {
		return Draft{}, err
	}
	draft, err := ps.read(ctx, c, service, Order{
		Service: old.Service, Identifier: old.Identifier, Amount: old.Amount.Plain(), Channel: old.Channel,
	})
	if err != nil {
		return Draft{}, err
	}
	draft.Payee = old.Payee
	return ps.store(ctx, draft)
}

// Draft returns a customer's draft that was shown on a channel; fault.NotFound for
// any other.
func (ps *Payments) Draft(ctx context.Context, customerID int64, channel customer.Channel, id int64) (Draft, error) {
	draft, err := readDraft(ctx, ps.db, id)
	if err != nil {
		//mutant:drop TestForgedDraftIsRefused
		ps.drafts.Delete(id)
		return Draft{}, fault.Wrap("payment.draft", err)
	}
	if err := draft.CheckShown("payment.draft", draft.CustomerID, customerID, channel); err != nil {
		return Draft{}, err
	}
	ps.drafts.Put(id, draft)
	return draft, nil
}

// Expired reports whether a draft is too old to be accepted.
func (ps *Payments) Expired(d Draft) bool { return d.Terms.Expired(ps.db.Now()) }

// read parses an order into a draft. It returns the faults of both fields, joined.
func (ps *Payments) read(ctx context.Context, c customer.Customer, service catalog.Service, order Order) (Draft, error) {
	identifier, wrongAccount := service.Identify(order.Identifier)
	amount, wrongAmount := readAmount(service, order.Amount)
	draft := Draft{
		CustomerID: c.ID, Service: service.Code, Biller: service.Biller, Identifier: identifier, Amount: amount,
	}
	draft.Channel = order.Channel
	if wrongAmount == nil {
		draft.Fee = service.Fee.Of(amount)
		wrongAmount = ps.affordable(ctx, c, draft, order.Listed)
	}
	if err := fault.Join(wrongAccount, wrongAmount); err != nil {
		return Draft{}, err
	}
	if err := customer.CheckHold(c, ps.db.Now()); err != nil {
		return Draft{}, err
	}
	return draft, nil
}

// affordable checks the limits, and the balance except on USSD, where only Accept
// checks it, after the PIN, and for the lines of a list.
func (ps *Payments) affordable(ctx context.Context, c customer.Customer, draft Draft, listed bool) error {
	//mutant:drop ./web/ussd TestBalanceNeedsPIN
	if draft.Channel == customer.USSD || listed {
		return ps.limits.CheckLimits(ctx, "payment.quote", c, draft.Total())
	}
	return ps.limits.Check(ctx, "payment.quote", c, draft.Total())
}

func readAmount(service catalog.Service, text string) (money.Amount, error) {
	amount, err := limit.ReadAmount("payment.quote", text)
	if err != nil {
		return 0, err
	}
	return amount, service.Accepts(amount)
}

// check sets the draft's txn_id and, by the biller's answer to a check, its payee.
// It is called with no transaction open.
func (ps *Payments) check(ctx context.Context, draft *Draft) error {
	draft.TxnID = newTxnID(ps.db.Now())
	b, err := ps.catalog.Biller(ctx, draft.Biller)
	if err != nil || !b.Connected() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ps.timing.Check)
	defer cancel()
	slot, ok := ps.slots.AcquireForCheck(ctx, b.Code, 2*ps.timing.Check)
	if !ok {
		return nil // too many calls at once: go on without a name
	}
	defer func() {
		if err := ps.slots.Release(context.WithoutCancel(ctx), slot); err != nil { // its lease expires
			slog.WarnContext(ctx, "payment: releasing a slot failed", "biller", b.Code, "error", err)
		}
	}()
	answer := ps.client(b).Check(ctx, biller.Request{TxnID: draft.TxnID, Account: draft.Identifier, Sum: draft.Amount})
	if answer.Outcome == biller.Good {
		draft.Payee = answer.Name
		return nil
	}
	return checkRefusal(answer)
}

// checkRefusal returns the error for a biller's answer to a check; nil if the
// payment may proceed.
func checkRefusal(answer biller.Answer) error {
	refuse := func(reason fault.Reason, field string) error {
		return fault.New(fault.Invalid, "payment.check", reason).At(field)
	}
	switch answer.Result {
	case biller.ResultBadAccount, biller.ResultNoAccount:
		return refuse("payment.account_unknown", "account")
	case biller.ResultInactive:
		return refuse("payment.account_inactive", "account")
	case biller.ResultTooSmall:
		return refuse("payment.biller_too_small", "amount")
	case biller.ResultTooLarge:
		return refuse("payment.biller_too_large", "amount")
	case biller.ResultForbidden, biller.ResultTechnical:
		return refuse("payment.biller_refuses", "")
	}
	return nil
}

// store inserts a draft, with another txn_id if the first one is taken.
func (ps *Payments) store(ctx context.Context, draft Draft) (Draft, error) {
	var err error
	for range 3 {
		if draft.TxnID == "" {
			draft.TxnID = newTxnID(ps.db.Now())
		}
		err = ps.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			draft.Begin(tx, ps.timing.Draft)
			//mutant:replace draft.Sign(tx, draft.Record()) => draft.KeyID = "" TestDraftsAreSigned
			draft.Sign(tx, draft.Record())
			return insertDraft(tx, draft)
		})
		if !database.IsUniqueViolation(err) {
			break
		}
		draft.TxnID = ""
	}
	if err != nil {
		return draft, fault.Wrap("payment.quote", err)
	}
	ps.drafts.Put(draft.ID, draft)
	return draft, nil
}

// RefusalKey returns the message key for a biller's refusal by its result; empty
// if there is no message for it.
func RefusalKey(result int) string {
	err := checkRefusal(biller.Answer{Result: result})
	if err == nil {
		return ""
	}
	return string(fault.As(err).Reason)
}
