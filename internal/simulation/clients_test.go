package simulation_test

import (
	"context"
	"fmt"

	"elsom/internal/cashin"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/internal/transfer"
)

// clients is the first book: what was asked, and what was told.
type clients struct {
	holders  []holder
	cash     []*cash
	payments []*paid
	sent     []*sending
}

type holder struct {
	id    int64
	phone string
}

// told is what a client knows of the thing it asked for.
type told int

const (
	notAsked told = iota
	isDone        // done, for good
	isNot         // refused
	isOpen        // no answer, or one that leaves it open
)

var toldNames = [...]string{"not asked", "done", "refused", "open"}

type cash struct {
	agent   cashin.Agent
	request cashin.Request
	holder  holder
	told    told
	answer  cashin.Answer
}

type paid struct {
	holder holder
	draft  payment.Draft
	told   told
	ended  payment.State // as it was once shown
}

type sending struct {
	from, to holder
	draft    transfer.Draft
	told     told
}

func (c *clients) begin(h *house) { c.holders = h.holders }

// ask runs an act in a process; answered is false where the process died
// before it could answer.
func ask[T any](l *life, p *process, what string, act func(ctx context.Context) (T, error)) (answer T, err error, answered bool) { //nolint:revive // the error is part of the answer
	type outcome struct {
		answer T
		err    error
	}
	got := &outcome{} // a dead process may still write it, and nobody reads it
	l.begin(p, what, func() { got.answer, got.err = act(context.Background()) })
	if p.dead.Load() {
		return answer, nil, false
	}
	return got.answer, got.err, true
}

// asHolder is ask for an act of a holder's, who is found first.
func asHolder[T any](l *life, p *process, what string, id int64, act func(context.Context, customer.Customer) (T, error)) (T, error, bool) { //nolint:revive // like ask
	return ask(l, p, what, func(ctx context.Context) (answer T, err error) {
		c, err := p.customers.ByID(ctx, id)
		if err != nil {
			return answer, err
		}
		return act(ctx, c)
	})
}

// learn gives what a client knows after an answer.
func learn(err error, answered bool) told {
	switch {
	case !answered:
		return isOpen
	case err == nil:
		return isDone
	}
	switch fault.As(err).Kind {
	case fault.Unknown, fault.Internal, fault.Unavailable:
		return isOpen
	}
	return isNot
}

// payIn brings cash, or repeats what was brought.
func (l *life) payIn(p *process) {
	c := &l.clients
	var one *cash
	if len(c.cash) > 0 && l.chance(35) {
		one = pick(l, c.cash)
	} else {
		who := pick(l, c.holders)
		one = &cash{agent: pick(l, l.house.agents), holder: who, request: cashin.Request{
			TxnID: fmt.Sprintf("%d", 1000+len(c.cash)), TxnDate: "20261122120000", Account: who.phone,
			Sum: money.Amount(1+l.rng.IntN(50)) * 1000,
		}}
		if l.chance(10) {
			one.request.Sum = 900_000_00
		}
		c.cash = append(c.cash, one)
	}
	if one.told != notAsked && l.chance(15) {
		l.forgedCash(p, one)
		return
	}
	l.repeatCash(p, one)
}

// forgedCash asks for another sum under a txn_id that has its answer: it may
// only be a conflict, or open.
func (l *life) forgedCash(p *process, one *cash) {
	if one.told == isOpen {
		return
	}
	other := one.request
	other.Sum += 700
	answer, err, answered := ask(l, p, "cash-in", func(ctx context.Context) (cashin.Answer, error) {
		return p.cashin.PayIn(ctx, one.agent, other)
	})
	l.say("%s cash-in %s/%s with another sum: %v", p.name, one.agent.Code, other.TxnID, err)
	if now := learn(err, answered); now == isDone || (now == isNot && !fault.Is(err, fault.Conflict)) {
		l.wrong("cash-in %s with another sum: %+v %v", other.TxnID, answer, err)
	}
}

func (l *life) repeatCash(p *process, one *cash) {
	answer, err, answered := ask(l, p, "cash-in", func(ctx context.Context) (cashin.Answer, error) {
		return p.cashin.PayIn(ctx, one.agent, one.request)
	})
	now := learn(err, answered)
	if now == isDone && answer.Result != cashin.Done {
		now = isNot
	}
	l.say("%s cash-in %s/%s %s: %s %v", p.name, one.agent.Code, one.request.TxnID, one.request.Sum, toldNames[now], err)
	switch {
	case now == isOpen:
		if one.told == notAsked {
			one.told = isOpen
		}
	case err != nil:
		l.wrong("cash-in %s: %v", one.request.TxnID, err)
	case (one.told == isDone || one.told == isNot) && answer != one.answer:
		l.wrong("cash-in %s was answered %+v and now %+v", one.request.TxnID, one.answer, answer)
	default:
		one.told, one.answer = now, answer
	}
}

// quote asks for a payment's check page.
func (l *life) quote(p *process) {
	who := pick(l, l.clients.holders)
	service := pick(l, billerCodes)
	identifier := "00207199610017"
	if service != "dostek" {
		identifier = "123456"
	}
	amount := money.Amount(1+l.rng.IntN(300)) * 100
	draft, err, answered := asHolder(l, p, "quote", who.id, func(ctx context.Context, c customer.Customer) (payment.Draft, error) {
		return p.payments.Quote(ctx, c, payment.Order{
			Service: service, Identifier: identifier, Amount: amount.Plain(), Channel: customer.USSD,
		})
	})
	if learn(err, answered) == isDone {
		one := &paid{holder: who, draft: draft}
		l.clients.payments = append(l.clients.payments, one)
		l.say("%s shows %s the check page %d: %s to %s %s", p.name, who.phone, len(l.clients.payments), amount, service, l.alias(draft.TxnID))
		if l.chance(60) {
			l.press(p, one)
		}
	}
}

// accept presses «Оплатить», perhaps not for the first time.
func (l *life) accept(p *process) {
	if n := len(l.clients.payments); n > 0 {
		l.press(p, l.clients.payments[max(n-1-l.rng.IntN(4), 0)])
	}
}

func (l *life) press(p *process, one *paid) {
	got, err, answered := asHolder(l, p, "accept", one.holder.id, func(ctx context.Context, c customer.Customer) (payment.Accepted, error) {
		return p.payments.Accept(ctx, c, customer.USSD, one.draft.ID)
	})
	now := learn(err, answered)
	l.say("%s «Оплатить» %s: %s %v %v", p.name, l.alias(one.draft.TxnID), toldNames[now], got.Payment.State, err)
	switch {
	case now == isNot && l.count("SELECT COUNT(*) FROM payments WHERE id = ?", one.draft.ID) > 0:
		l.wrong("payment %s is accepted, and its holder was told: %v", l.alias(one.draft.TxnID), err)
	case one.told == isDone && now == isNot:
		l.wrong("payment %s was accepted, and now: %v", l.alias(one.draft.TxnID), err)
	case one.told != isDone:
		one.told = now
	}
	if now == isDone {
		l.shown(one, got.Payment)
	}
}

// shown compares a receipt with what the client was shown before.
func (l *life) shown(one *paid, p payment.Payment) {
	if p.Amount != one.draft.Amount || p.Fee != one.draft.Fee || p.TxnID != one.draft.TxnID {
		l.wrong("payment %s: the receipt differs from the check page", l.alias(one.draft.TxnID))
	}
	if one.ended != "" && p.State != one.ended {
		l.wrong("payment %s was %s and is %s", l.alias(one.draft.TxnID), one.ended, p.State)
	}
	if p.State != payment.Processing {
		one.ended = p.State
	}
}

// send moves money between wallets, or presses again.
func (l *life) send(p *process) {
	c := &l.clients
	if len(c.sent) > 0 && l.chance(45) {
		l.pressSend(p, pick(l, c.sent))
		return
	}
	from, to := pick(l, c.holders), pick(l, c.holders)
	if from == to {
		return
	}
	amount := money.Amount(1+l.rng.IntN(300)) * 50
	draft, err, answered := asHolder(l, p, "transfer's quote", from.id, func(ctx context.Context, c customer.Customer) (transfer.Draft, error) {
		return p.transfers.Quote(ctx, c, transfer.Order{Phone: to.phone, Amount: amount.Plain(), Channel: customer.USSD})
	})
	if learn(err, answered) != isDone {
		return
	}
	one := &sending{from: from, to: to, draft: draft}
	c.sent = append(c.sent, one)
	if !p.dead.Load() {
		l.pressSend(p, one)
	}
}

func (l *life) pressSend(p *process, one *sending) {
	_, err, answered := asHolder(l, p, "transfer", one.from.id, func(ctx context.Context, c customer.Customer) (transfer.Transfer, error) {
		return p.transfers.Accept(ctx, c, customer.USSD, one.draft.ID)
	})
	now := learn(err, answered)
	l.say("%s sends %s from %s to %s: %s %v", p.name, one.draft.Amount, one.from.phone, one.to.phone, toldNames[now], err)
	if one.told == isDone && now == isNot {
		l.wrong("transfer of %s was done, and now: %v", one.draft.Amount, err)
	}
	if one.told != isDone {
		one.told = now
	}
}
