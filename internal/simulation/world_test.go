package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"elsom/internal/biller"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
)

var billerCodes = []string{"dostek", "hoster", "aknet"}

// company is a biller's side, with books of its own.
type company struct {
	code string
	// stored: by contract a repeated txn_id is answered with its outcome. A
	// company without it may refuse what it has booked, as a duplicate, whatever it
	// had answered ("1", "90"), and may book what it had refused.
	stored bool
	away   bool // it answers nothing
	booked map[string]money.Amount
	over   map[string]bool // refused for good
}

// receive is a request's arrival.
func (c *company) receive(l *life, r biller.Request) biller.Answer {
	if sum, known := c.booked[r.TxnID]; known {
		if sum != r.Sum {
			l.wrong("%s: %s comes with %s and had %s", c.code, l.alias(r.TxnID), r.Sum, sum)
		}
		if !c.stored && l.chance(60) {
			return refused(biller.ResultOther)
		}
		return good(r)
	}
	if c.over[r.TxnID] {
		return refused(biller.ResultForbidden)
	}
	switch {
	case !l.faulty || l.chance(55):
		c.booked[r.TxnID] = r.Sum
		return good(r)
	case l.chance(40):
		if c.stored {
			c.over[r.TxnID] = true
		}
		return refused(biller.ResultInactive)
	}
	if l.chance(60) { // it books, and says that it isn't finished
		c.booked[r.TxnID] = r.Sum
	}
	return biller.Answer{Outcome: biller.Later, Result: pick(l, []int{biller.ResultTemporary, biller.ResultNotFinished})}
}

func good(r biller.Request) biller.Answer {
	return biller.Answer{Outcome: biller.Good, Result: biller.ResultDone, Name: "ОсОО «Ала-Тоо»", Reference: r.TxnID[8:]}
}

func refused(result int) biller.Answer { return biller.Answer{Outcome: biller.Refused, Result: result} }

var (
	silence = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultNone, Err: errors.New("no answer")}
	unsent  = biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone, Err: errors.New("not connected")}
	garbled = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultCannotVerify, Err: errors.New("no XML")}
)

// wire leads from a process to a company.
type wire struct {
	process *process
	to      *company
}

// Check implements biller.Biller.
func (w wire) Check(_ context.Context, r biller.Request) biller.Answer {
	w.process.mustLive()
	l := w.process.life
	switch {
	case l.faulty && (w.to.away || l.chance(10)):
		return silence
	case l.faulty && l.chance(10):
		return refused(biller.ResultNoAccount)
	}
	return good(r)
}

// Pay implements biller.Biller: a request that may be lost, late or doubled,
// and an answer that may be lost, late or garbled.
func (w wire) Pay(_ context.Context, r biller.Request) biller.Answer {
	w.process.mustLive()
	l := w.process.life
	how := w.to.code + " " + l.alias(r.TxnID)
	if l.faulty && l.chance(8) {
		l.say("  %s: not connected", how)
		return unsent
	}
	if l.faulty && l.chance(30) {
		// Its process may die before it arrives; then it may arrive all the same.
		l.underway = append(l.underway, letter{w.to, r})
		w.process.park("request to " + how)
		if !l.arrives(w.to, r) {
			l.say("  %s: it had arrived on another way, and its answer is lost", how)
			return silence
		}
	}
	if l.faulty && (w.to.away || l.chance(10)) {
		l.say("  %s: the request is lost", how)
		return silence
	}
	answer := w.to.receive(l, r)
	// A company without stored outcomes may book what it had just refused: a
	// refusal of the first of two copies would then end what the second booked.
	if l.faulty && l.chance(10) && (w.to.stored || answer.Outcome != biller.Refused) {
		l.say("  %s: the request is doubled", how)
		if second := w.to.receive(l, r); w.to.stored {
			answer = second
		}
	}
	l.say("  %s: %s %d", how, answer.Outcome, answer.Result)
	if l.faulty && l.chance(30) {
		w.process.park("answer of " + how)
	}
	switch {
	case l.faulty && l.chance(15):
		l.say("  %s: the answer is lost", how)
		return silence
	case l.faulty && l.chance(8):
		l.say("  %s: the answer is garbled", how)
		return garbled
	}
	return answer
}

// alias names a drawn number in the story, by when it was first seen: the
// digits are chance's, the story is the seed's.
func (l *life) alias(drawn string) string {
	if l.aliases[drawn] == 0 {
		l.aliases[drawn] = len(l.aliases) + 1
	}
	return fmt.Sprintf("no. %d", l.aliases[drawn])
}

// letter is a request on its way to a company.
type letter struct {
	to *company
	r  biller.Request
}

// arrives takes a letter off the road; false: it was there before.
func (l *life) arrives(to *company, r biller.Request) bool {
	for i, one := range l.underway {
		if one.to == to && one.r.TxnID == r.TxnID {
			l.underway = append(l.underway[:i], l.underway[i+1:]...)
			return true
		}
	}
	return false
}

// gateway takes a process's messages.
type gateway struct{ process *process }

// phoneBook is what became of messages, by their ids.
type phoneBook struct {
	taken    map[string]bool
	at       map[string]time.Time // when it was last taken
	excused  map[string]bool      // it may come again: its answer isn't written down
	home     []home               // answered well, in a task that goes on
	receipts []receipt            // that may come
	received map[string]bool      // they came
}

type receipt struct{ id, token string }

// receiptWait is how long a receipt is waited for, less the clock's ticks.
const receiptWait = 2*time.Minute - time.Second

type home struct {
	process *process
	id      string
}

// Send implements sms.Gateway.
func (g gateway) Send(_ context.Context, r sms.Rendered) error {
	g.process.mustLive()
	l := g.process.life
	if l.faulty && l.chance(15) {
		l.say("  sms %s: the gateway is away", l.alias(r.ID))
		return fault.New(fault.Unavailable, "sms.send", "")
	}
	if l.texts.taken[r.ID] && (l.texts.received[r.ID] || !l.texts.excused[r.ID]) {
		l.wrong("sms %s is sent again, though it was known that the gateway has it", l.alias(r.ID))
	}
	if before := l.texts.at[r.ID]; l.texts.taken[r.ID] && l.clock.Sub(before) < receiptWait {
		l.wrong("sms %s is sent again after %s, and its receipt could still have come", l.alias(r.ID), l.clock.Sub(before))
	}
	l.texts.taken[r.ID], l.texts.at[r.ID] = true, l.clock
	l.texts.receipts = append(l.texts.receipts, receipt{r.ID, r.Token})
	// Until the answer is home and written down it may come again.
	l.texts.excused[r.ID] = true
	if l.faulty && l.chance(20) {
		g.process.park("answer to sms " + l.alias(r.ID))
	}
	if l.faulty && l.chance(15) {
		l.say("  sms %s: the answer is lost", l.alias(r.ID))
		return errors.New("no answer")
	}
	l.texts.home = append(l.texts.home, home{g.process, r.ID})
	return nil
}

// settled is called when a task of the SMS lane has ended in a process that
// lives: what the gateway took is written down, and has no excuse left.
func (b *phoneBook) settled(p *process) {
	for _, h := range b.home {
		if h.process == p {
			delete(b.excused, h.id)
		}
	}
	b.home = nil
}
