package simulation_test

import (
	"context"
	"time"

	"elsom/internal/audit"
	"elsom/internal/cashin"
	"elsom/internal/money"
	"elsom/internal/payment"
)

// seen is how much the books held: it never gets less.
type seen struct{ transfers, entries int64 }

// What holds after each step, cheap enough for that; the whole audit comes at
// the end.
const cheapChecks = `SELECT
	(SELECT COUNT(*) FROM transfers), (SELECT COUNT(*) FROM entries),
	(SELECT COALESCE(SUM(amount), 0) FROM entries),
	(SELECT COUNT(*) FROM (SELECT 1 FROM entries GROUP BY transfer_id HAVING SUM(amount) <> 0)),
	(SELECT COUNT(*) FROM balances WHERE floor IS NOT NULL AND balance < floor),
	(SELECT COUNT(*) FROM transfers) - (SELECT COUNT(DISTINCT request_key) FROM transfers),
	(SELECT COUNT(*) FROM balances a WHERE balance <> (SELECT COALESCE(SUM(amount), 0) FROM entries e WHERE e.account_id = a.id)),
	(SELECT COUNT(*) FROM payments WHERE state <> 'processing')
		- (SELECT COUNT(*) FROM transfers WHERE act IN ('payment.settle', 'payment.refund'))`

// check holds the named invariants against the books, where anything was
// committed since.
func (l *life) check() {
	if !l.changed {
		return
	}
	l.changed = false
	var now seen
	var whole, unbalanced, indebted, repeated, strange, ends int64
	err := l.processes[0].db.Pool().QueryRow(cheapChecks).Scan(&now.transfers, &now.entries,
		&whole, &unbalanced, &indebted, &repeated, &strange, &ends)
	l.must(err)
	switch {
	case whole != 0 || unbalanced != 0:
		l.wrong("books balance: the whole is %d, %d transfers don't sum to zero", whole, unbalanced)
	case indebted != 0:
		l.wrong("no debt: %d accounts are below their floors", indebted)
	case repeated != 0:
		l.wrong("once only: %d request keys come twice", repeated)
	case ends != 0:
		l.wrong("once only: the ended payments are %d more than their second transfers", ends)
	case strange != 0:
		l.wrong("balance is its entries: not for %d accounts", strange)
	case now.transfers < l.seen.transfers || now.entries < l.seen.entries:
		l.wrong("nothing erased: %+v became %+v", l.seen, now)
	}
	l.seen = now
}

// end lets the faults stop and the time run on, and compares the books.
func (l *life) end() {
	l.faulty, l.fuse = false, fuse{}
	l.say("the faults stop")
	for len(l.tasks) > 0 && l.failure == "" {
		l.goOn()
	}
	for len(l.underway) > 0 {
		l.stray()
	}
	p := l.processes[0]
	l.askAgain(p)
	for range 40 {
		worked := l.decide(p)
		for _, code := range billerCodes {
			worked = l.work(p, "deliveries to "+code, code) > 0 || worked
		}
		worked = l.work(p, textWork, "") > 0 || worked
		if !worked && l.idle() {
			break
		}
		l.clock = l.clock.Add(7 * time.Hour)
		if l.check(); l.failure != "" {
			return
		}
	}
	l.compare()
}

// askAgain asks for all that was left open, until it isn't.
func (l *life) askAgain(p *process) {
	for _, c := range l.clients.cash {
		if c.told == isOpen {
			l.repeatCash(p, c)
		}
	}
	for _, one := range l.clients.payments {
		if one.told == isOpen {
			l.press(p, one)
		}
	}
	for _, one := range l.clients.sent {
		if one.told == isOpen {
			l.pressSend(p, one)
		}
	}
}

func (l *life) idle() bool {
	return l.count("SELECT COUNT(*) FROM promises WHERE state = 'open'") == 0
}

func (l *life) count(query string, args ...any) (n int64) {
	l.must(l.processes[0].db.Pool().QueryRow(query, args...).Scan(&n))
	return n
}

// decide is what two people do who see a hanging payment: they ask the
// company, which from then on sticks to what it told them.
func (l *life) decide(p *process) bool {
	list, _, err := p.payments.Unresolved(context.Background())
	l.must(err)
	for _, h := range list {
		c := l.billers[h.Biller]
		word := payment.Decision{PaymentID: h.ID, Decision: payment.Refunded, Reason: "asked the company"}
		if _, booked := c.booked[h.TxnID]; booked {
			word.Decision = payment.Completed
		} else {
			c.over[h.TxnID] = true
		}
		for _, staff := range []string{"aigul", "bakyt"} {
			word.Staff = staff
			done, err, answered := ask(l, p, "decision", func(ctx context.Context) (bool, error) { return p.payments.Decide(ctx, word) })
			l.say("%s decides %s %s: %v %v", staff, l.alias(h.TxnID), word.Decision, done, err)
			if !answered {
				return true
			}
			if done {
				l.tally.decided++
			}
		}
	}
	return len(list) > 0
}

// compare holds the three books against each other.
func (l *life) compare() {
	if !l.idle() {
		l.wrong("promises are still open when all time has passed")
	}
	balances := map[int64]money.Amount{}
	messages := l.compareCash(balances)
	messages += l.comparePayments(balances)
	messages += l.compareSent(balances)
	for _, h := range l.clients.holders {
		if have := money.Amount(l.count("SELECT balance FROM balances WHERE id = ?", h.id)); have != balances[h.id] {
			l.wrong("the wallet of %s holds %s, by what was told it is %s", h.phone, have, balances[h.id])
		}
	}
	l.compareTexts(messages)
	l.tally.messages += int(messages)
	audit, err := audit.Run(context.Background(), l.place.auditor)
	l.must(err)
	if !audit.OK() {
		l.wrong("the audit: %v", audit.Violations)
	}
}

func (l *life) compareCash(balances map[int64]money.Amount) (messages int64) {
	for _, c := range l.clients.cash {
		credited := l.count("SELECT COUNT(*) FROM cash_ins WHERE agent = ? AND txn_id = ? AND result = 0", c.agent.Code, c.request.TxnID)
		if c.told == isOpen || (c.told == isDone) != (credited == 1) || (c.told == isDone) != (c.answer.Result == cashin.Done && c.answer.Reference != 0) {
			l.wrong("cash-in %s was told %s, and is credited %d times", c.request.TxnID, toldNames[c.told], credited)
		}
		if credited > 0 {
			balances[c.holder.id] += c.request.Sum
			messages++
			l.tally.cashIns++
		}
	}
	return messages
}

func (l *life) comparePayments(balances map[int64]money.Amount) (messages int64) {
	booked := map[string]int{}
	for _, one := range l.clients.payments {
		d := one.draft
		state := payment.State("")
		p, err := l.processes[0].payments.ByID(context.Background(), d.CustomerID, d.ID)
		if err == nil {
			state = p.State
			l.shown(one, p)
			messages++
		}
		_, has := l.billers[d.Biller].booked[d.TxnID]
		if has {
			booked[d.Biller]++
		}
		switch {
		case one.told == isOpen || (one.told == isDone) != (state != ""):
			l.wrong("payment %s was told %s, and is %q", l.alias(d.TxnID), toldNames[one.told], state)
		case state == payment.Processing:
			l.wrong("payment %s never ends", l.alias(d.TxnID))
		case state == payment.Refunded && has:
			l.wrong("payment %s is refunded, and %s has it", l.alias(d.TxnID), d.Biller)
		case state == payment.Completed && !has:
			l.wrong("payment %s is completed, and %s has nothing", l.alias(d.TxnID), d.Biller)
		case state == "" && has:
			l.wrong("payment %s was never accepted, and %s has it", l.alias(d.TxnID), d.Biller)
		case state == payment.Completed:
			l.tally.completed++
			balances[d.CustomerID] -= d.Total()
		case state == payment.Refunded:
			l.tally.refunded++
		}
	}
	for code, c := range l.billers {
		if len(c.booked) != booked[code] {
			l.wrong("%s has %d payments, %d of them are known", code, len(c.booked), booked[code])
		}
	}
	if n := l.count("SELECT COUNT(*) FROM payment_claims"); n != 0 {
		l.wrong("%d claims on companies", n)
	}
	return messages
}

func (l *life) compareSent(balances map[int64]money.Amount) (messages int64) {
	for _, one := range l.clients.sent {
		there := l.count("SELECT COUNT(*) FROM wallet_transfers WHERE id = ?", one.draft.ID)
		if one.told == isOpen || (one.told == isDone) != (there == 1) {
			l.wrong("a transfer of %s was told %s, and is there %d times", one.draft.Amount, toldNames[one.told], there)
		}
		if there == 1 {
			balances[one.from.id] -= one.draft.Amount
			balances[one.to.id] += one.draft.Amount
			l.tally.transfers++
			messages += 2
		}
	}
	return messages
}

func (l *life) compareTexts(messages int64) {
	if n := l.count("SELECT COUNT(*) FROM promises WHERE lane = 'sms' AND state = 'kept'"); n != messages || len(l.texts.taken) != int(n) {
		l.wrong("%d messages were due, %d are kept, the gateway has %d", messages, n, len(l.texts.taken))
	}
}
