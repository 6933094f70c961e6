package cashin

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"elsom/internal/fault"
	"elsom/internal/ratelimit"
)

// Counters counts questions; *ratelimit.Counters implements it.
type Counters interface {
	TakeN(ctx context.Context, rule ratelimit.Rule, subject string, n int) error
}

// balanceQuestions limits, for an agent and a wallet, the answers that depend on the
// wallet's balance: each reports whether a sum fits below the balance limit, so that
// enough of them find the balance. A refusal counts as refusalWeight of them, since
// few honest terminals get more than one. Whatever the questions, the answers of a day
// then distinguish at most 69 intervals of the balance limit.
var balanceQuestions = ratelimit.Rule{Name: "balance asked by cash-in", Limit: 12, Window: 24 * time.Hour}

const refusalWeight = 4

// countQuestions counts answers about a wallet's balance. Above the limit it returns
// fault.TooMany.
func (c *CashIn) countQuestions(ctx context.Context, agent Agent, wallet Wallet, n int) error {
	if c.parts.Counters == nil {
		return nil
	}
	return c.parts.Counters.TakeN(ctx, balanceQuestions, fmt.Sprintf("%s %d", agent.Code, wallet.Customer), n)
}

// countRefusal counts a refusal by the balance limit, of which counted was counted
// already. It never fails: the refusal is right whatever the count.
func (c *CashIn) countRefusal(ctx context.Context, agent Agent, wallet Wallet, counted int) {
	err := c.countQuestions(ctx, agent, wallet, refusalWeight-counted)
	if err != nil && !fault.Is(err, fault.TooMany) {
		slog.WarnContext(ctx, "cashin: a refusal by the balance limit was not counted", "agent", agent.Code, "error", err)
	}
}
