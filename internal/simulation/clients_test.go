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

// clients has the requests of clients and the answers to them. At the end they are
// compared with our books and those of the billers.
type clients struct {
	holders  []holder
	cash     []*clientCashIn
	payments []*clientPayment
	sent     []*clientTransfer
}

type holder struct {
	id    int64
	phone string
}

// status is the state of a request as known to its client.
type status int

const (
	notAsked status = iota
	isDone          // done
	isNot           // refused
	isOpen          // no answer, or an unknown outcome
)

var statusNames = [...]string{"not asked", "done", "refused", "open"}

type clientCashIn struct {
	agent   cashin.Agent
	request cashin.Request
	holder  holder
	status  status
	answer  cashin.Answer
}

type clientPayment struct {
	holder holder
	draft  payment.Draft
	status status
	ended  payment.State // as shown once
}

type clientTransfer struct {
	from, to holder
	draft    transfer.Draft
	status   status
}

func (c *clients) begin(h *template) { c.holders = h.holders }

// call calls a service in a process; answered is false if the process died before it
// answered.
func call[T any](s *simulation, p *process, what string, act func(ctx context.Context) (T, error)) (answer T, err error, answered bool) { //nolint:revive // the error is part of the answer
	type outcome struct {
		answer T
		err    error
	}
	got := &outcome{} // a dead process may still write it; it is not read then
	s.start(p, what, func() { got.answer, got.err = act(context.Background()) })
	if p.dead.Load() {
		return answer, nil, false
	}
	return got.answer, got.err, true
}

// callAs is call for an operation of a customer, who is read first.
func callAs[T any](s *simulation, p *process, what string, id int64, act func(context.Context, customer.Customer) (T, error)) (T, error, bool) { //nolint:revive // like ask
	return call(s, p, what, func(ctx context.Context) (answer T, err error) {
		c, err := p.customers.ByID(ctx, id)
		if err != nil {
			return answer, err
		}
		return act(ctx, c)
	})
}

// statusOf returns the status after an answer.
func statusOf(err error, answered bool) status {
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

// payIn sends a cash-in, or one of the earlier ones again.
func (s *simulation) payIn(p *process) {
	c := &s.clients
	var one *clientCashIn
	if len(c.cash) > 0 && s.chance(35) {
		one = pick(s, c.cash)
	} else {
		holder := pick(s, c.holders)
		one = &clientCashIn{agent: pick(s, s.template.agents), holder: holder, request: cashin.Request{
			TxnID: fmt.Sprintf("%d", 1000+len(c.cash)), TxnDate: "20261122120000", Account: holder.phone,
			Sum: money.Amount(1+s.rng.IntN(50)) * 1000,
		}}
		if s.chance(10) {
			one.request.Sum = 900_000_00
		}
		c.cash = append(c.cash, one)
	}
	if one.status != notAsked && s.chance(15) {
		s.conflictingCashIn(p, one)
		return
	}
	s.sendCashIn(p, one)
}

// conflictingCashIn sends another sum under a txn_id that was answered: it must be
// a conflict, or remain open.
func (s *simulation) conflictingCashIn(p *process, one *clientCashIn) {
	if one.status == isOpen {
		return
	}
	other := one.request
	other.Sum += 700
	answer, err, answered := call(s, p, "cash-in", func(ctx context.Context) (cashin.Answer, error) {
		return p.cashin.PayIn(ctx, one.agent, other)
	})
	s.logf("%s cash-in %s/%s with another sum: %v", p.name, one.agent.Code, other.TxnID, err)
	if now := statusOf(err, answered); now == isDone || (now == isNot && !fault.Is(err, fault.Conflict)) {
		s.failf("cash-in %s with another sum: %+v %v", other.TxnID, answer, err)
	}
}

func (s *simulation) sendCashIn(p *process, one *clientCashIn) {
	answer, err, answered := call(s, p, "cash-in", func(ctx context.Context) (cashin.Answer, error) {
		return p.cashin.PayIn(ctx, one.agent, one.request)
	})
	now := statusOf(err, answered)
	if now == isDone && answer.Result != cashin.Done {
		now = isNot
	}
	s.logf("%s cash-in %s/%s %s: %s %v", p.name, one.agent.Code, one.request.TxnID, one.request.Sum, statusNames[now], err)
	switch {
	case now == isOpen:
		if one.status == notAsked {
			one.status = isOpen
		}
	case err != nil:
		s.failf("cash-in %s: %v", one.request.TxnID, err)
	case (one.status == isDone || one.status == isNot) && answer != one.answer:
		s.failf("cash-in %s was answered %+v and now %+v", one.request.TxnID, one.answer, answer)
	default:
		one.status, one.answer = now, answer
	}
}

// quote opens the check page of a payment.
func (s *simulation) quote(p *process) {
	holder := pick(s, s.clients.holders)
	service := pick(s, billerCodes)
	identifier := "00207199610017"
	if service != "dostek" {
		identifier = "123456"
	}
	amount := money.Amount(1+s.rng.IntN(300)) * 100
	draft, err, answered := callAs(s, p, "quote", holder.id, func(ctx context.Context, c customer.Customer) (payment.Draft, error) {
		return p.payments.Quote(ctx, c, payment.Order{
			Service: service, Identifier: identifier, Amount: amount.Plain(), Channel: customer.USSD,
		})
	})
	if statusOf(err, answered) == isDone {
		one := &clientPayment{holder: holder, draft: draft}
		s.clients.payments = append(s.clients.payments, one)
		s.logf("%s shows %s the check page %d: %s to %s %s", p.name, holder.phone, len(s.clients.payments), amount, service, s.alias(draft.TxnID))
		if s.chance(60) {
			s.pressPay(p, one)
		}
	}
}

// accept presses «Оплатить» for a new draft or again for an earlier one.
func (s *simulation) accept(p *process) {
	if n := len(s.clients.payments); n > 0 {
		s.pressPay(p, s.clients.payments[max(n-1-s.rng.IntN(4), 0)])
	}
}

func (s *simulation) pressPay(p *process, one *clientPayment) {
	got, err, answered := callAs(s, p, "accept", one.holder.id, func(ctx context.Context, c customer.Customer) (payment.Accepted, error) {
		return p.payments.Accept(ctx, c, customer.USSD, one.draft.ID)
	})
	now := statusOf(err, answered)
	s.logf("%s «Оплатить» %s: %s %v %v", p.name, s.alias(one.draft.TxnID), statusNames[now], got.Payment.State, err)
	switch {
	case now == isNot && s.count("SELECT COUNT(*) FROM payments WHERE id = ?", one.draft.ID) > 0:
		s.failf("payment %s was accepted, but the client got: %v", s.alias(one.draft.TxnID), err)
	case one.status == isDone && now == isNot:
		s.failf("payment %s was accepted, but a repeat returned: %v", s.alias(one.draft.TxnID), err)
	case one.status != isDone:
		one.status = now
	}
	if now == isDone {
		s.checkReceipt(one, got.Payment)
	}
}

// checkReceipt compares a receipt with what the client was shown before.
func (s *simulation) checkReceipt(one *clientPayment, p payment.Payment) {
	if p.Amount != one.draft.Amount || p.Fee != one.draft.Fee || p.TxnID != one.draft.TxnID {
		s.failf("payment %s: the receipt differs from the check page", s.alias(one.draft.TxnID))
	}
	if one.ended != "" && p.State != one.ended {
		s.failf("payment %s was %s and is %s", s.alias(one.draft.TxnID), one.ended, p.State)
	}
	if p.State != payment.Processing {
		one.ended = p.State
	}
}

// send sends a transfer between wallets, or confirms an earlier one again.
func (s *simulation) send(p *process) {
	c := &s.clients
	if len(c.sent) > 0 && s.chance(45) {
		s.pressSend(p, pick(s, c.sent))
		return
	}
	from, to := pick(s, c.holders), pick(s, c.holders)
	if from == to {
		return
	}
	amount := money.Amount(1+s.rng.IntN(300)) * 50
	draft, err, answered := callAs(s, p, "transfer's quote", from.id, func(ctx context.Context, c customer.Customer) (transfer.Draft, error) {
		return p.transfers.Quote(ctx, c, transfer.Order{Phone: to.phone, Amount: amount.Plain(), Channel: customer.USSD})
	})
	if statusOf(err, answered) != isDone {
		return
	}
	one := &clientTransfer{from: from, to: to, draft: draft}
	c.sent = append(c.sent, one)
	if !p.dead.Load() {
		s.pressSend(p, one)
	}
}

func (s *simulation) pressSend(p *process, one *clientTransfer) {
	_, err, answered := callAs(s, p, "transfer", one.from.id, func(ctx context.Context, c customer.Customer) (transfer.Accepted, error) {
		return p.transfers.Accept(ctx, c, customer.USSD, one.draft.ID)
	})
	now := statusOf(err, answered)
	s.logf("%s sends %s from %s to %s: %s %v", p.name, one.draft.Amount, one.from.phone, one.to.phone, statusNames[now], err)
	if one.status == isDone && now == isNot {
		s.failf("transfer of %s was accepted, but a repeat returned: %v", one.draft.Amount, err)
	}
	if one.status != isDone {
		one.status = now
	}
}
