package simulation_test

import (
	"context"
	"time"

	"elsom/internal/audit"
	"elsom/internal/cashin"
	"elsom/internal/money"
	"elsom/internal/payment"
)

// bookSize is the number of rows of the books, which never decreases.
type bookSize struct{ transfers, entries int64 }

// cheapChecks are the invariants that are checked after each step; the full audit
// runs at the end.
const cheapChecks = `SELECT
	(SELECT COUNT(*) FROM transfers), (SELECT COUNT(*) FROM entries),
	(SELECT COALESCE(SUM(amount), 0) FROM entries),
	(SELECT COUNT(*) FROM (SELECT 1 FROM entries GROUP BY transfer_id HAVING SUM(amount) <> 0)),
	(SELECT COUNT(*) FROM balances WHERE floor IS NOT NULL AND balance < floor),
	(SELECT COUNT(*) FROM transfers) - (SELECT COUNT(DISTINCT request_key) FROM transfers),
	(SELECT COUNT(*) FROM balances a WHERE balance <> (SELECT COALESCE(SUM(amount), 0) FROM entries e WHERE e.account_id = a.id)),
	(SELECT COUNT(*) FROM payments WHERE state <> 'processing')
		- (SELECT COUNT(*) FROM transfers WHERE act IN ('payment.settle', 'payment.refund'))`

// check checks the invariants, if anything was committed since the last check.
func (s *simulation) check() {
	if !s.changed {
		return
	}
	s.changed = false
	var now bookSize
	var whole, unbalanced, indebted, repeated, strange, ends int64
	err := s.processes[0].db.Pool().QueryRow(cheapChecks).Scan(&now.transfers, &now.entries,
		&whole, &unbalanced, &indebted, &repeated, &strange, &ends)
	s.must(err)
	switch {
	case whole != 0 || unbalanced != 0:
		s.failf("books balance: all entries sum to %d, %d transfers don't sum to zero", whole, unbalanced)
	case indebted != 0:
		s.failf("no debt: %d accounts are below their floors", indebted)
	case repeated != 0:
		s.failf("once only: %d request keys have two transfers", repeated)
	case ends != 0:
		s.failf("once only: the ended payments are %d more than their second transfers", ends)
	case strange != 0:
		s.failf("balance is its entries: wrong for %d accounts", strange)
	case now.transfers < s.size.transfers || now.entries < s.size.entries:
		s.failf("nothing erased: %+v became %+v", s.size, now)
	}
	s.size = now
	s.checkLog()
}

// end stops the faults, advances the clock until all work is done, and compares the
// books.
func (s *simulation) end() {
	s.faulty, s.planned = false, plannedFault{}
	s.logf("the faults stop")
	for len(s.tasks) > 0 && s.failure == "" {
		s.resumeTask()
	}
	for len(s.inTransit) > 0 {
		s.deliverLate()
	}
	for restarted := true; restarted; {
		restarted = s.restartOutdated()
	}
	p := s.processes[0]
	s.retryOpen(p)
	for range 40 {
		worked := s.decide(p)
		for _, code := range billerCodes {
			worked = s.work(p, "deliveries to "+code, code) > 0 || worked
		}
		worked = s.work(p, textWork, "") > 0 || worked
		worked = s.seal(p) || worked
		if !worked && s.idle() {
			break
		}
		s.clock = s.clock.Add(7 * time.Hour)
		if s.check(); s.failure != "" {
			return
		}
	}
	s.compare()
}

// retryOpen repeats the requests with an unknown outcome.
func (s *simulation) retryOpen(p *process) {
	for _, c := range s.clients.cash {
		if c.status == isOpen {
			s.sendCashIn(p, c)
		}
	}
	for _, one := range s.clients.payments {
		if one.status == isOpen {
			s.pressPay(p, one)
		}
	}
	for _, one := range s.clients.sent {
		if one.status == isOpen {
			s.pressSend(p, one)
		}
	}
}

func (s *simulation) idle() bool {
	return s.count("SELECT (SELECT COUNT(*) FROM promises WHERE state = 'open') + (SELECT COUNT(*) FROM payments WHERE state = 'processing') + (SELECT COUNT(*) FROM messages WHERE state = 'queued')") == 0
}

func (s *simulation) count(query string, args ...any) (n int64) {
	s.must(s.processes[0].db.Pool().QueryRow(query, args...).Scan(&n))
	return n
}

// decide makes two members of staff decide each hanging payment by the answer
// of its biller, which is final from then on.
func (s *simulation) decide(p *process) bool {
	list, _, err := p.payments.Unresolved(context.Background())
	s.must(err)
	for _, h := range list {
		c := s.billers[h.Biller]
		word := payment.Decision{PaymentID: h.ID, Decision: payment.Refunded, Reason: "asked the biller"}
		if _, booked := c.booked[h.TxnID]; booked {
			word.Decision = payment.Completed
		} else {
			c.refused[h.TxnID] = true
		}
		for _, staff := range []string{"aigul", "bakyt"} {
			word.Staff = staff
			done, err, answered := call(s, p, "decision", func(ctx context.Context) (bool, error) { return p.payments.Decide(ctx, word) })
			s.logf("%s decides %s %s: %v %v", staff, s.alias(h.TxnID), word.Decision, done, err)
			if !answered {
				return true
			}
			if done {
				s.tally.decided++
			}
		}
	}
	return len(list) > 0
}

// compare compares the books of the clients, of the billers and our own.
func (s *simulation) compare() {
	if !s.idle() {
		s.failf("messages of the outbox are still open at the end")
	}
	balances := map[int64]money.Amount{}
	messages := s.compareCash(balances)
	messages += s.comparePayments(balances)
	messages += s.compareSent(balances)
	for _, h := range s.clients.holders {
		if have := money.Amount(s.count("SELECT balance FROM balances WHERE id = ?", h.id)); have != balances[h.id] {
			s.failf("the wallet of %s has %s, by the answers to its clients %s", h.phone, have, balances[h.id])
		}
	}
	s.compareTexts(messages)
	s.tally.messages += int(messages)
	audit, err := audit.Run(context.Background(), s.sandbox.auditor, audit.Outside{Keys: newestCheckpointKeys})
	s.must(err)
	if audit.Log.Unsealed > 0 || audit.Log.Head == nil || audit.Log.Size == 0 {
		s.failf("the log is not whole: %+v", audit.Log)
	}
	if !audit.OK() {
		s.failf("the audit: %v", audit.Violations)
	}
	s.compareHeads()
}

func (s *simulation) compareCash(balances map[int64]money.Amount) (messages int64) {
	for _, c := range s.clients.cash {
		credited := s.count("SELECT COUNT(*) FROM cash_ins WHERE agent = ? AND txn_id = ? AND result = 0", c.agent.Code, c.request.TxnID)
		if c.status == isOpen || (c.status == isDone) != (credited == 1) || (c.status == isDone) != (c.answer.Result == cashin.Done && c.answer.Reference != 0) {
			s.failf("cash-in %s was answered %s, but is credited %d times", c.request.TxnID, statusNames[c.status], credited)
		}
		if credited > 0 {
			balances[c.holder.id] += c.request.Sum
			messages++
			s.tally.cashIns++
		}
	}
	return messages
}

func (s *simulation) comparePayments(balances map[int64]money.Amount) (messages int64) {
	booked := map[string]int{}
	for _, one := range s.clients.payments {
		d := one.draft
		state := payment.State("")
		p, err := s.processes[0].payments.ByID(context.Background(), d.CustomerID, d.ID)
		if err == nil {
			state = p.State
			s.checkReceipt(one, p)
			messages++
		}
		_, has := s.billers[d.Biller].booked[d.TxnID]
		if has {
			booked[d.Biller]++
		}
		switch {
		case one.status == isOpen || (one.status == isDone) != (state != ""):
			s.failf("payment %s was answered %s, but its state is %q", s.alias(d.TxnID), statusNames[one.status], state)
		case state == payment.Processing:
			s.failf("payment %s did not end", s.alias(d.TxnID))
		case state == payment.Refunded && has:
			s.failf("payment %s is refunded, but %s has booked it", s.alias(d.TxnID), d.Biller)
		case state == payment.Completed && !has:
			s.failf("payment %s is completed, but %s has not booked it", s.alias(d.TxnID), d.Biller)
		case state == "" && has:
			s.failf("payment %s was never accepted, but %s has booked it", s.alias(d.TxnID), d.Biller)
		case state == payment.Completed:
			s.tally.completed++
			balances[d.CustomerID] -= d.Total()
		case state == payment.Refunded:
			s.tally.refunded++
		}
	}
	for code, c := range s.billers {
		if len(c.booked) != booked[code] {
			s.failf("%s has booked %d payments, %d of them are ours", code, len(c.booked), booked[code])
		}
	}
	if n := s.count("SELECT COUNT(*) FROM payment_claims"); n != 0 {
		s.failf("%d claims on billers", n)
	}
	return messages
}

func (s *simulation) compareSent(balances map[int64]money.Amount) (messages int64) {
	for _, one := range s.clients.sent {
		there := s.count("SELECT COUNT(*) FROM wallet_transfers WHERE id = ?", one.draft.ID)
		if one.status == isOpen || (one.status == isDone) != (there == 1) {
			s.failf("a transfer of %s was answered %s, but exists %d times", one.draft.Amount, statusNames[one.status], there)
		}
		if there == 1 {
			balances[one.from.id] -= one.draft.Amount
			balances[one.to.id] += one.draft.Amount
			s.tally.transfers++
			messages += 2
		}
	}
	return messages
}

func (s *simulation) compareTexts(messages int64) {
	if n := s.count("SELECT COUNT(*) FROM messages WHERE state IN ('sent', 'delivered')"); n != messages || len(s.texts.taken) != int(n) {
		s.failf("%d messages were due, %d are done, the gateway has %d", messages, n, len(s.texts.taken))
	}
}
