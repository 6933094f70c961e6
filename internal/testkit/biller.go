package testkit

import (
	"context"
	"sync"

	"elsom/internal/biller"
	"elsom/internal/money"
)

// Answers of a biller.
var (
	Good       = biller.Answer{Outcome: biller.Good, Result: 0, Name: "ОсОО «Ала-Тоо»", Reference: "77"}
	NoAnswer   = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultNone}
	Temporary  = biller.Answer{Outcome: biller.Later, Result: biller.ResultTemporary}
	Unfinished = biller.Answer{Outcome: biller.Later, Result: biller.ResultNotFinished}
	Undecided  = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultCannotVerify}
	Unsent     = biller.Answer{Outcome: biller.Unsent, Result: biller.ResultNone}
)

// Refused returns a biller's refusal by an OSMP result.
func Refused(result int) biller.Answer {
	return biller.Answer{Outcome: biller.Refused, Result: result}
}

// Biller is a fake biller. It answers the n-th pay of a txn_id with the n-th
// answer of its script, and with the last one from then on.
type Biller struct {
	mu     sync.Mutex
	script []biller.Answer
	check  biller.Answer
	checks int
	calls  map[string]int
	booked map[string]money.Amount
	sums   []money.Amount // of all calls, in their order
	busy   int
	peak   int // the largest number of concurrent pay calls
	gate   chan struct{}
}

// NewBiller returns a biller that answers by script; without one all is good.
func NewBiller(script ...biller.Answer) *Biller {
	if len(script) == 0 {
		script = []biller.Answer{Good}
	}
	return &Biller{script: script, check: Good, calls: map[string]int{}, booked: map[string]money.Amount{}}
}

// Check implements biller.Biller.
func (b *Biller) Check(context.Context, biller.Request) biller.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.checks++
	return b.check
}

// Pay implements biller.Biller.
func (b *Biller) Pay(_ context.Context, r biller.Request) biller.Answer {
	b.mu.Lock()
	b.busy++
	b.peak = max(b.peak, b.busy)
	n := b.calls[r.TxnID]
	b.calls[r.TxnID]++
	answer := b.script[min(n, len(b.script)-1)]
	if answer.Outcome == biller.Good {
		b.booked[r.TxnID] = r.Sum
	}
	b.sums = append(b.sums, r.Sum)
	gate := b.gate
	b.mu.Unlock()
	if gate != nil {
		<-gate
	}
	b.mu.Lock()
	b.busy--
	b.mu.Unlock()
	return answer
}

// SetScript replaces the answers to pay.
func (b *Biller) SetScript(script ...biller.Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.script = script
}

// SetCheck replaces the answer to check.
func (b *Biller) SetCheck(answer biller.Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.check = answer
}

// Block makes every pay wait until Unblock.
func (b *Biller) Block() *Biller {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gate = make(chan struct{})
	return b
}

// Unblock ends Block. It may be called again.
func (b *Biller) Unblock() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gate != nil {
		close(b.gate)
		b.gate = nil
	}
}

// Checks returns the number of checks.
func (b *Biller) Checks() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.checks
}

// Calls returns how often a txn_id was paid.
func (b *Biller) Calls(txnID string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[txnID]
}

// Booked returns the sums that were answered with Good, by txn_id.
func (b *Biller) Booked() map[string]money.Amount {
	b.mu.Lock()
	defer b.mu.Unlock()
	booked := make(map[string]money.Amount, len(b.booked))
	for id, sum := range b.booked {
		booked[id] = sum
	}
	return booked
}

// Sums returns the sums of all pay calls in their order.
func (b *Biller) Sums() []money.Amount {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]money.Amount(nil), b.sums...)
}

// MaxConcurrency returns the largest number of pay calls at one time.
func (b *Biller) MaxConcurrency() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peak
}
