package cashin

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/notice"
	"elsom/internal/notify/email"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
)

// PayIn credits the wallet at most once for each txn_id of the agent, and returns
// the first answer to every repeat. An Answer is final and committed.
//
// Errors: Invalid (malformed; not stored), Conflict (the txn_id was used for
// another account or sum; nothing changed), Unknown (the wallet may have been
// credited; the terminal may repeat the request). Any other error means that nothing
// was done.
func (c *CashIn) PayIn(ctx context.Context, agent Agent, r Request) (Answer, error) {
	if err := r.check(true); err != nil {
		return Answer{}, err
	}
	number, account := r.account()
	want := row{Agent: agent.Code, TxnID: r.TxnID, TxnDate: r.TxnDate, Account: account, Sum: r.Sum}
	if answer, known, err := c.stored(ctx, want); known || err != nil {
		return c.durable(ctx, answer, err)
	}
	found, err := c.find(ctx, number)
	if err != nil {
		return Answer{}, err
	}
	want.Result = found.result
	switch {
	case found.result != Done:
	case r.Sum == 0:
		want.Result = TooSmall
	case found.tooLarge(r.Sum):
		want.Result = TooLarge
	default:
		return c.credit(ctx, agent, number, found, want)
	}
	return c.refuse(ctx, want)
}

// credit moves the sum from the till to the wallet, and stores the row and the SMS
// in the same commit.
func (c *CashIn) credit(ctx context.Context, agent Agent, number phone.Number, found target, want row) (Answer, error) {
	want.ID, want.CustomerID = c.parts.DB.NewID(), found.wallet.Customer
	_, err := c.parts.Books.Post(ctx, ledger.Posting{
		Key:     fmt.Sprintf("cashin:%s:%s", want.Agent, want.TxnID),
		Hash:    want.Account + " " + strconv.FormatInt(int64(want.Sum), 10),
		Op:      "cashin.pay_in",
		Subject: ledger.Subject{Type: ledger.CashIn, ID: want.ID},
		//mutant:replace , Ceiling: found.level.Balance => TestConcurrentPaymentsReachTheBalanceLimit
		Entries: []ledger.Entry{
			{Account: agent.Till, Amount: -want.Sum},
			{Account: found.wallet.Customer, Amount: want.Sum, Ceiling: found.level.Balance},
		},
		Riders: append([]database.Rider{cashIns.Row(want)}, c.parts.Notices.Riders(ctx, found.wallet.Holder, toppedUp(number, found.wallet, want))...),
	})
	var aboveCeiling *ledger.AboveCeiling
	var belowFloor *ledger.BelowFloor
	var closed *ledger.Closed
	switch {
	case err == nil:
		c.parts.Notices.Wake(c.parts.Notifier)
		return c.mustStored(ctx, want)
	case fault.Is(err, fault.Conflict):
		// The first request, in this process or another, has stored the answer.
		answer, err := c.mustStored(ctx, want)
		return c.durable(ctx, answer, err)
	case errors.As(err, &closed):
		want.Result = NoWallet // closed since it was found
	case errors.As(err, &aboveCeiling):
		want.Result = TooLarge
		//mutant:drop TestRefusedPaymentsCountAsQuestions
		c.countRefusal(ctx, agent, found.wallet, 0)
	case errors.As(err, &belowFloor) && belowFloor.Account == agent.Till:
		c.ceilingRefused(ctx, agent)
		want.Result = Refused
	default:
		return Answer{}, err
	}
	want.CustomerID = 0
	return c.refuse(ctx, want)
}

// toppedUp returns what the holder is told.
func toppedUp(number phone.Number, to Wallet, want row) notice.Event {
	key, args := fmt.Sprintf("cashin:%d", want.ID), map[string]any{"Amount": want.Sum}
	return notice.Event{
		Kind: customer.ToppedUp, Key: key,
		//mutant:replace Incoming: true, => TestResultsAreFinal
		SMS: sms.OutboxMessage(key, sms.Message{
			Phone: number, Lang: to.Lang, Key: "sms.topped_up", Notice: true, Incoming: true, Balance: to.Customer, Args: args,
		}),
		Push: push.Message{Title: "push.topped_up", Text: "push.amount", Href: "/cabinet", Args: args},
		Mail: email.OutboxMessage(key, email.Message{
			To: to.Holder.Email, Lang: to.Lang, Subject: "email.topped_up.subject", Text: "email.topped_up.text", Args: args,
		}),
	}
}

// refuse commits a refusal. If another answer for the txn_id was stored meanwhile,
// it returns that answer.
func (c *CashIn) refuse(ctx context.Context, want row) (Answer, error) {
	want.ID = c.parts.DB.NewID()
	if err := writeRefusal(ctx, c.parts.DB, want); err != nil {
		return Answer{}, fault.Wrap("cashin.refuse", err)
	}
	answer, err := c.mustStored(ctx, want)
	return c.durable(ctx, answer, err)
}

// durable returns its arguments once no failover can lose the row of the answer. err
// is nil, a Conflict with the stored answer, or an error that is returned at once.
func (c *CashIn) durable(ctx context.Context, answer Answer, err error) (Answer, error) {
	if err != nil && !fault.Is(err, fault.Conflict) {
		return answer, err
	}
	//mutant:drop TestNoAnswerIsFinalWithoutTheStandby
	if lost := c.parts.DB.WaitDurable(ctx, "cashin:"+strconv.FormatInt(answer.Reference, 10)); lost != nil {
		return Answer{}, lost
	}
	return answer, err
}

// stored returns the stored answer for a txn_id, if there is one.
func (c *CashIn) stored(ctx context.Context, want row) (answer Answer, known bool, err error) {
	was, known, err := readRow(ctx, c.parts.DB, want.Agent, want.TxnID)
	switch {
	case err != nil:
		return Answer{}, false, fault.Wrap("cashin.find", err)
	case !known:
		return Answer{}, false, nil
	}
	// A terminal acts on the answer for good, so a stored one that was not written by
	// this program is not returned: the terminal repeats the request until it is put
	// right.
	//mutant:drop TestForgedAnswerIsNotReturned
	if err := c.parts.DB.Verify(ctx, was.record(), was.MAC, was.KeyID); err != nil {
		return Answer{}, false, fault.Wrap("cashin.find", err)
	}
	switch {
	//mutant:drop TestOtherAccountOrSumConflicts
	case was.Account != want.Account || was.Sum != want.Sum:
		return Answer{Reference: was.ID}, true, fault.New(fault.Conflict, "cashin.pay_in", "")
	}
	return Answer{Result: was.Result, Reference: was.ID, Sum: was.Sum}, true, nil
}

// mustStored returns the answer of a row that was committed, or fault.Unknown if it
// can't be read.
func (c *CashIn) mustStored(ctx context.Context, want row) (Answer, error) {
	answer, known, err := c.stored(ctx, want)
	if !known {
		return Answer{}, fault.New(fault.Unknown, "cashin.pay_in", "").Because(err)
	}
	return answer, err
}

// errDecided means that the txn_id has a row already.
var errDecided = fault.New(fault.Conflict, "cashin.pay_in", "")
