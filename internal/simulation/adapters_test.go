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

// fakeBiller is a biller that stores the payments it has booked.
type fakeBiller struct {
	code string
	// stored: by contract a repeated txn_id is answered with its stored outcome. A
	// biller without it may refuse as a duplicate what it has booked, whatever it
	// had answered ("1", "90"), and may book what it had refused.
	stored  bool
	silent  bool // it does not answer
	booked  map[string]money.Amount
	refused map[string]bool // refused for good
}

// receive handles a request that arrives.
func (c *fakeBiller) receive(s *simulation, r biller.Request) biller.Answer {
	if sum, known := c.booked[r.TxnID]; known {
		if sum != r.Sum {
			s.failf("%s: %s has the sum %s, before %s", c.code, s.alias(r.TxnID), r.Sum, sum)
		}
		if !c.stored && s.chance(60) {
			return refused(biller.ResultOther)
		}
		return good(r)
	}
	if c.refused[r.TxnID] {
		return refused(biller.ResultForbidden)
	}
	switch {
	case !s.faulty || s.chance(55):
		c.booked[r.TxnID] = r.Sum
		return good(r)
	case s.chance(40):
		if c.stored {
			c.refused[r.TxnID] = true
		}
		return refused(biller.ResultInactive)
	}
	if s.chance(60) { // it books, and answers that it has not finished
		c.booked[r.TxnID] = r.Sum
	}
	return biller.Answer{Outcome: biller.Later, Result: pick(s, []int{biller.ResultTemporary, biller.ResultNotFinished})}
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

// billerClient is the connection of a process to a biller.
type billerClient struct {
	process *process
	to      *fakeBiller
}

// Check implements biller.Biller.
func (w billerClient) Check(_ context.Context, r biller.Request) biller.Answer {
	w.process.exitIfDead()
	s := w.process.simulation
	switch {
	case s.faulty && (w.to.silent || s.chance(10)):
		return silence
	case s.faulty && s.chance(10):
		return refused(biller.ResultNoAccount)
	}
	return good(r)
}

// Pay implements biller.Biller. The request may be lost, delayed or duplicated, the
// answer lost, delayed or garbled.
func (w billerClient) Pay(_ context.Context, r biller.Request) biller.Answer {
	w.process.exitIfDead()
	s := w.process.simulation
	how := w.to.code + " " + s.alias(r.TxnID)
	if s.faulty && s.chance(8) {
		s.logf("  %s: not connected", how)
		return unsent
	}
	if s.faulty && s.chance(30) {
		// Its process may die before the request arrives, which it still may.
		s.inTransit = append(s.inTransit, requestInTransit{w.to, r})
		w.process.park("request to " + how)
		if !s.takeRequest(w.to, r) {
			s.logf("  %s: it had arrived already, and its answer is lost", how)
			return silence
		}
	}
	if s.faulty && (w.to.silent || s.chance(10)) {
		s.logf("  %s: the request is lost", how)
		return silence
	}
	answer := w.to.receive(s, r)
	// A biller without stored outcomes may book what it had just refused: a refusal
	// of the first copy would then end a payment that the second one booked.
	if s.faulty && s.chance(10) && (w.to.stored || answer.Outcome != biller.Refused) {
		s.logf("  %s: the request is duplicated", how)
		if second := w.to.receive(s, r); w.to.stored {
			answer = second
		}
	}
	s.logf("  %s: %s %d", how, answer.Outcome, answer.Result)
	if s.faulty && s.chance(30) {
		w.process.park("answer of " + how)
	}
	switch {
	case s.faulty && s.chance(15):
		s.logf("  %s: the answer is lost", how)
		return silence
	case s.faulty && s.chance(8):
		s.logf("  %s: the answer is garbled", how)
		return garbled
	}
	return answer
}

// alias numbers an id or code in the trace by its first occurrence: its digits do
// not depend on the seed, the trace must.
func (s *simulation) alias(id string) string {
	if s.aliases[id] == 0 {
		s.aliases[id] = len(s.aliases) + 1
	}
	return fmt.Sprintf("no. %d", s.aliases[id])
}

// requestInTransit is a request on its way to a biller.
type requestInTransit struct {
	to *fakeBiller
	r  biller.Request
}

// takeRequest removes a request from those in transit; false: it has arrived before.
func (s *simulation) takeRequest(to *fakeBiller, r biller.Request) bool {
	for i, one := range s.inTransit {
		if one.to == to && one.r.TxnID == r.TxnID {
			s.inTransit = append(s.inTransit[:i], s.inTransit[i+1:]...)
			return true
		}
	}
	return false
}

// gateway is the SMS gateway as a process sees it.
type gateway struct{ process *process }

// smsState is the state of SMS messages at the gateway, by their ids.
type smsState struct {
	taken     map[string]bool
	at        map[string]time.Time // when it was last accepted
	mayRepeat map[string]bool      // it may be sent again: its answer is not stored yet
	answered  []answeredSMS        // accepted, by a task that has not ended
	receipts  []receipt            // that may arrive
	received  map[string]bool      // they have arrived
}

type receipt struct{ id, token string }

// receiptWait is how long the sender waits for a receipt, less the clock's ticks.
const receiptWait = 2*time.Minute - time.Second

type answeredSMS struct {
	process *process
	id      string
}

// Send implements sms.Gateway.
func (g gateway) Send(_ context.Context, r sms.Rendered) error {
	g.process.exitIfDead()
	s := g.process.simulation
	if s.faulty && s.chance(15) {
		s.logf("  sms %s: the gateway is unreachable", s.alias(r.ID))
		return fault.New(fault.Unavailable, "sms.send", "")
	}
	if s.texts.taken[r.ID] && (s.texts.received[r.ID] || !s.texts.mayRepeat[r.ID]) {
		s.failf("sms %s is sent again, though the gateway was known to have it", s.alias(r.ID))
	}
	if before := s.texts.at[r.ID]; s.texts.taken[r.ID] && s.clock.Sub(before) < receiptWait {
		s.failf("sms %s is sent again after %s, and its receipt could still have come", s.alias(r.ID), s.clock.Sub(before))
	}
	s.texts.taken[r.ID], s.texts.at[r.ID] = true, s.clock
	s.texts.receipts = append(s.texts.receipts, receipt{r.ID, r.Token})
	// Until the answer is stored, the message may be sent again.
	s.texts.mayRepeat[r.ID] = true
	if s.faulty && s.chance(20) {
		g.process.park("answer to sms " + s.alias(r.ID))
	}
	if s.faulty && s.chance(15) {
		s.logf("  sms %s: the answer is lost", s.alias(r.ID))
		return errors.New("no answer")
	}
	s.texts.answered = append(s.texts.answered, answeredSMS{g.process, r.ID})
	return nil
}

// stored is called when a task of the SMS queue has ended in a running process: the
// answers are stored, and the messages must not be sent again.
func (b *smsState) stored(p *process) {
	for _, h := range b.answered {
		if h.process == p {
			delete(b.mayRepeat, h.id)
		}
	}
	b.answered = nil
}
