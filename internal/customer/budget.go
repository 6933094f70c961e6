package customer

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"elsom/internal/attempt"
	"elsom/internal/fault"
)

// Budget bounds the SMS codes a day that requests may cause from where the
// number's holder was never seen: each costs the operator money.
type Budget struct {
	// Overall and Network are for all requests and for those of one network.
	Overall, Network int
}

// DefaultBudget is for some thousand sign-ups and resets a day.
var DefaultBudget = Budget{Overall: 5000, Network: 1000}

// Why an SMS code was not sent, for an operator's figures.
const (
	byNumber  = "number"
	byNetwork = "network"
	overall   = "overall"
)

// budget keeps what was refused by this process.
type budget struct {
	overall, network attempt.Rule
	refused          [3]atomic.Int64 // as reasons
	mu               sync.Mutex
	warned           map[string]time.Time // until when a refusal isn't logged again
}

var reasons = [3]string{byNumber, byNetwork, overall}

func newBudget(b Budget) *budget {
	return &budget{
		overall: attempt.Rule{Name: "codes for strangers", Limit: b.Overall, Window: 24 * time.Hour},
		network: attempt.Rule{Name: "codes for strangers by network", Limit: b.Network, Window: 24 * time.Hour},
		warned:  map[string]time.Time{},
	}
}

// takeBudget counts a code against what strangers may cause in a day.
func (cs *Customers) takeBudget(ctx context.Context, from Origin) error {
	network := attempt.Network(from.Address)
	if err := cs.o.Attempts.Take(ctx, cs.budget.network, network); err != nil {
		return cs.refused(ctx, byNetwork, network, err)
	}
	return cs.refused(ctx, overall, "", cs.o.Attempts.Take(ctx, cs.budget.overall, ""))
}

// refused counts and logs a code that is not sent. Where the budget is used up,
// the person is not told that they tried too often.
func (cs *Customers) refused(ctx context.Context, reason, network string, err error) error {
	if !fault.Is(err, fault.TooMany) {
		return err
	}
	for i := range reasons {
		if reasons[i] == reason {
			cs.budget.refused[i].Add(1)
		}
	}
	if reason == byNumber {
		return err
	}
	after := fault.As(err).RetryAfter
	if cs.budget.firstOf(reason+network, cs.o.Now(), after) {
		slog.WarnContext(ctx, "customer: budget of SMS codes for strangers used up", "of", reason, "network", network,
			"for_seconds", int(after.Seconds()))
	}
	return attempt.Later("customer.code", "customer.code_budget", after).Because(err)
}

// firstOf reports whether a refusal is the first one of its window. It forgets
// windows that have ended.
func (b *budget) firstOf(what string, now time.Time, window time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for what, until := range b.warned {
		if !now.Before(until) {
			delete(b.warned, what)
		}
	}
	if _, warned := b.warned[what]; warned {
		return false
	}
	b.warned[what] = now.Add(window)
	return true
}

// RefusedCodes returns how many SMS codes this process did not send, by the limit
// that was reached: of a number, of a network, or of all strangers together.
func (cs *Customers) RefusedCodes() map[string]int64 {
	counts := make(map[string]int64, len(reasons))
	for i, reason := range reasons {
		counts[reason] = cs.budget.refused[i].Load()
	}
	return counts
}
