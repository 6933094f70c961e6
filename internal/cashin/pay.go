package cashin

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// PayIn credits the wallet, once for the agent's txn_id, and answers each
// repeat as the first time. An Answer is final and committed.
//
// Failures: Invalid (malformed, not remembered), Conflict (the txn_id stands
// for another account or sum; nothing changed), Unknown (it may
// have been done, ask again); any other says nothing final: what it needs could
// not be read, and nothing was done.
func (c *CashIn) PayIn(ctx context.Context, agent Agent, r Request) (Answer, error) {
	if err := r.check(true); err != nil {
		return Answer{}, err
	}
	number, account := r.account()
	want := row{Agent: agent.Code, TxnID: r.TxnID, TxnDate: r.TxnDate, Account: account, Sum: r.Sum}
	if answer, known, err := c.remembered(ctx, want); known || err != nil {
		return c.confirmed(ctx, answer, err)
	}
	found, err := c.judge(ctx, number)
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

// credit moves the money: till to wallet, the row and the SMS in one commit.
func (c *CashIn) credit(ctx context.Context, agent Agent, number phone.Number, found finding, want row) (Answer, error) {
	want.ID, want.CustomerID = c.DB.NewID(), found.wallet.Customer
	_, err := c.Books.Post(ctx, ledger.Posting{
		Key:     fmt.Sprintf("cashin:%s:%s", want.Agent, want.TxnID),
		Hash:    want.Account + " " + strconv.FormatInt(int64(want.Sum), 10),
		Op:      "cashin.pay_in",
		Subject: ledger.Subject{Type: ledger.CashIn, ID: want.ID},
		//mutant:replace , Ceiling: found.level.Balance => TestBalanceLimitReachedByTwoAtOnce
		Entries: []ledger.Entry{
			{Account: agent.Till, Amount: -want.Sum},
			{Account: found.wallet.Customer, Amount: want.Sum, Ceiling: found.level.Balance},
		},
		//mutant:replace Incoming: true, => TestResultsAreFinal
		Riders: []database.Rider{
			cashIns.Row(want),
			outbox.AddRider(sms.OutboxMessage(fmt.Sprintf("cashin:%d", want.ID), sms.Message{
				Phone: number, Lang: found.wallet.Lang, Key: "sms.topped_up", Notice: true, Incoming: true, Args: map[string]any{"Amount": want.Sum},
			})),
		},
	})
	var aboveMost *ledger.AboveCeiling
	var belowFloor *ledger.BelowFloor
	var closed *ledger.Closed
	switch {
	case err == nil:
		if c.Bell != nil {
			c.Bell.Notify(sms.Queue)
		}
		return c.decided(ctx, want)
	case fault.Is(err, fault.Conflict):
		// The first request, of this process or another, left a row to answer by.
		answer, err := c.decided(ctx, want)
		return c.confirmed(ctx, answer, err)
	case errors.As(err, &closed):
		want.Result = NoWallet // at this moment: its number is nobody's now
	case errors.As(err, &aboveMost):
		want.Result = TooLarge
	case errors.As(err, &belowFloor) && belowFloor.Account == agent.Till:
		c.ceilingRefused(ctx, agent)
		want.Result = Refused
	default:
		return Answer{}, err
	}
	want.CustomerID = 0
	return c.refuse(ctx, want)
}

// refuse commits a refusal, unless the txn_id was decided meanwhile; then
// that is the answer.
func (c *CashIn) refuse(ctx context.Context, want row) (Answer, error) {
	want.ID = c.DB.NewID()
	if err := writeRefusal(ctx, c.DB, want); err != nil {
		return Answer{}, fault.Wrap("cashin.refuse", err)
	}
	answer, err := c.decided(ctx, want)
	return c.confirmed(ctx, answer, err)
}

// confirmed returns an answer that rests on an existing row, or the conflict with
// it, only once no failover can lose that row.
func (c *CashIn) confirmed(ctx context.Context, answer Answer, err error) (Answer, error) {
	if err != nil && !fault.Is(err, fault.Conflict) {
		return answer, err
	}
	//mutant:drop TestNothingIsFinalWithoutTheStandby
	if lost := c.DB.WaitDurable(ctx, "cashin:"+strconv.FormatInt(answer.Reference, 10)); lost != nil {
		return Answer{}, lost
	}
	return answer, err
}

// remembered gives the stored answer to a txn_id that was decided before.
func (c *CashIn) remembered(ctx context.Context, want row) (answer Answer, known bool, err error) {
	was, known, err := readRow(ctx, c.DB, want.Agent, want.TxnID)
	switch {
	case err != nil:
		return Answer{}, false, fault.Wrap("cashin.judge", err)
	case !known:
		return Answer{}, false, nil
	//mutant:drop TestAnotherAccountOrSumUnderOneID
	case was.Account != want.Account || was.Sum != want.Sum:
		return Answer{Reference: was.ID}, true, fault.New(fault.Conflict, "cashin.pay_in", "")
	}
	return Answer{Result: was.Result, Reference: was.ID, Sum: was.Sum}, true, nil
}

// decided answers by the row that must be there. Where it can't be read, the
// outcome can't be told, though it is fixed.
func (c *CashIn) decided(ctx context.Context, want row) (Answer, error) {
	answer, known, err := c.remembered(ctx, want)
	if !known {
		return Answer{}, fault.New(fault.Unknown, "cashin.pay_in", "").Because(err)
	}
	return answer, err
}

// errDecided is the judge's word that a txn_id has its row already.
var errDecided = fault.New(fault.Conflict, "cashin.pay_in", "")
