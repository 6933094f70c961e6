package transfer

import (
	"context"
	"errors"
	"strconv"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/limit"
	"elsom/internal/money"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// A quote reveals whether a number has a wallet, and the customer's masked name.
// The limits are above normal use but prevent collecting the names of thousands of
// numbers. The limit per address is high, because a carrier's phones share
// addresses.
var (
	receiversHour    = ratelimit.Rule{Name: "receiver by customer", Limit: 30, Window: time.Hour}
	receiversDay     = ratelimit.Rule{Name: "receiver by customer a day", Limit: 100, Window: 24 * time.Hour}
	receiversAddress = ratelimit.Rule{Name: "receiver by address", Limit: 300, Window: time.Hour}
)

// MinTransfer is the smallest transfer: each costs two SMS.
const MinTransfer money.Amount = 1_00

const opQuote = "transfer.quote"

// Quote parses an order, looks the receiver up, and stores the draft that the
// sender is shown. On invalid input it returns joined faults at "phone" and
// "amount" and stores nothing. The balance limit of the receiver's wallet is
// checked by Accept only: answers here, which cost nothing, would reveal the
// balance.
func (ts *Transfers) Quote(ctx context.Context, c customer.Customer, order Order) (Draft, error) {
	number, wrongPhone := parseReceiver(c, order.Phone)
	amount, wrongAmount := limit.ReadAmount(opQuote, order.Amount)
	//mutant:drop ./web TestAmountsBelowMinimumAreRefused
	if wrongAmount == nil && amount < MinTransfer {
		wrongAmount = fault.New(fault.Limit, opQuote, "wallet.below_minimum").With("Amount", MinTransfer).At("amount")
	}
	if wrongAmount == nil {
		wrongAmount = ts.affordable(ctx, c, order.Channel, amount)
	}
	if err := fault.Join(wrongPhone, wrongAmount); err != nil {
		return Draft{}, err
	}
	if err := customer.CheckHold(c, ts.db.Now()); err != nil {
		return Draft{}, err
	}
	receiver, err := ts.receiver(ctx, c, number, order.Address)
	if err != nil {
		return Draft{}, err
	}
	draft := Draft{
		SenderID: c.ID, ReceiverID: receiver.ID, Phone: receiver.Phone, Receiver: maskedName(receiver),
		Amount: amount,
	}
	draft.Channel = order.Channel
	err = ts.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		draft.Begin(tx, ts.life)
		//mutant:replace draft.Sign(tx, draft.Record()) => draft.KeyID = "" TestDraftsAreSigned
		draft.Sign(tx, draft.Record())
		return insertDraft(tx, draft)
	})
	if err != nil {
		return draft, fault.Wrap(opQuote, err)
	}
	ts.drafts.Put(draft.ID, draft)
	return draft, nil
}

// affordable checks the limits, and the balance except on USSD, where only Accept
// checks it, after the PIN.
func (ts *Transfers) affordable(ctx context.Context, c customer.Customer, channel customer.Channel, amount money.Amount) error {
	//mutant:drop ./web/ussd TestBalanceNeedsPIN
	if channel == customer.USSD {
		return ts.limits.CheckLimits(ctx, opQuote, c, amount)
	}
	return ts.limits.Check(ctx, opQuote, c, amount)
}

// parseReceiver parses the receiver's number.
func parseReceiver(c customer.Customer, text string) (phone.Number, error) {
	number, err := phone.Parse(text)
	var message fault.Reason
	switch {
	case errors.Is(err, phone.ErrEmpty):
		message = "wallet.receiver_empty"
	case errors.Is(err, phone.ErrForeign):
		message = "wallet.receiver_foreign"
	case errors.Is(err, phone.ErrLandline):
		message = "wallet.receiver_landline"
	case err != nil:
		message = "wallet.receiver_format"
	//mutant:replace number == c.Phone: => number == "": TestQuoteRefusesBadInput
	case number == c.Phone:
		message = "wallet.receiver_self"
	default:
		return number, nil
	}
	return "", fault.New(fault.Invalid, opQuote, message).At("phone")
}

// receiver applies the rate limits and finds the customer of a number.
func (ts *Transfers) receiver(ctx context.Context, c customer.Customer, number phone.Number, address string) (customer.Customer, error) {
	id := strconv.FormatInt(c.ID, 10)
	for _, rule := range []ratelimit.Rule{receiversHour, receiversDay} {
		//mutant:drop TestReceiverLookupsAreLimited
		if err := ts.counters.Take(ctx, rule, id); err != nil {
			return customer.Customer{}, err
		}
	}
	if address != "" {
		if err := ts.counters.Take(ctx, receiversAddress, ratelimit.Address(address)); err != nil {
			return customer.Customer{}, err
		}
	}
	receiver, err := ts.customers.ByPhone(ctx, number)
	if fault.Is(err, fault.NotFound) {
		return customer.Customer{}, fault.New(fault.Invalid, opQuote, "wallet.receiver_unknown").At("phone")
	}
	if err != nil {
		return customer.Customer{}, err
	}
	return receiver, checkReceiver(receiver, opQuote)
}

func checkReceiver(receiver customer.Customer, op string) error {
	if receiver.Closed {
		return fault.New(fault.Forbidden, op, "wallet.receiver_closed").At("phone")
	}
	//mutant:drop TestAcceptRefuses
	if receiver.Blocked {
		return fault.New(fault.Forbidden, op, "wallet.receiver_blocked").At("phone")
	}
	return nil
}
