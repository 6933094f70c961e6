package customer

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"elsom/internal/fault"
	"elsom/internal/ratelimit"
)

// Budget limits the number of SMS codes a day for requests from unfamiliar browsers
// and addresses, because each code costs the operator money.
type Budget struct {
	// Overall is the limit for all requests, Network the one for each network.
	Overall, Network int
}

// DefaultBudget suffices for some thousand sign-ups and resets a day.
var DefaultBudget = BudgetOf(5000)

// BudgetOf returns a budget of codes SMS codes a day, at most a fifth of them for
// one network.
func BudgetOf(codes int) Budget { return Budget{Overall: codes, Network: codes / 5} }

// Reasons for which an SMS code was not sent, as labels of a metric.
const (
	byNumber  = "number"
	byNetwork = "network"
	overall   = "overall"
)

// budget holds the rules of a Budget and counts the codes that this process refused.
type budget struct {
	overall, network ratelimit.Rule
	refused          [3]atomic.Int64 // as reasons
	mu               sync.Mutex
	warned           map[string]time.Time // reason and network → time until which refusals are not logged again
}

var reasons = [3]string{byNumber, byNetwork, overall}

func newBudget(b Budget) *budget {
	return &budget{
		overall: ratelimit.Rule{Name: "codes for strangers", Limit: b.Overall, Window: 24 * time.Hour},
		network: ratelimit.Rule{Name: "codes for strangers by network", Limit: b.Network, Window: 24 * time.Hour},
		warned:  map[string]time.Time{},
	}
}

// takeBudget counts a code against the budget.
func (cs *Customers) takeBudget(ctx context.Context, from Origin) error {
	network := ratelimit.Network(from.Address)
	if err := cs.o.Counters.Take(ctx, cs.budget.network, network); err != nil {
		return cs.refused(ctx, byNetwork, network, err)
	}
	return cs.refused(ctx, overall, "", cs.o.Counters.Take(ctx, cs.budget.overall, ""))
}

// refused counts and logs a code that is not sent because of err, and returns the
// error. If the budget is exhausted, its reason differs from that of too many
// attempts by one person.
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
		slog.WarnContext(ctx, "customer: daily budget of SMS codes for unfamiliar origins exhausted", "of", reason, "network", network,
			"for_seconds", int(after.Seconds()))
	}
	return ratelimit.TooManyWith("customer.code", "customer.code_budget", after).Because(err)
}

// firstOf reports whether a refusal is the first one of its window. It deletes
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

// RefusedCodes returns how many SMS codes this process did not send, by reason.
func (cs *Customers) RefusedCodes() map[string]int64 {
	counts := make(map[string]int64, len(reasons))
	for i, reason := range reasons {
		counts[reason] = cs.budget.refused[i].Load()
	}
	return counts
}
