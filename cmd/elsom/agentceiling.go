package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"elsom/internal/cashin"
)

// ceilingMonitor reports how close agents are to their ceilings, as metrics and in the
// log: an agent that has reached its ceiling can take no cash.
type ceilingMonitor struct {
	agents  *cashin.Agents
	books   cashin.Balances
	refused *prometheus.CounterVec
}

func newCeilingMonitor(agents *cashin.Agents, books cashin.Balances) *ceilingMonitor {
	return &ceilingMonitor{agents, books, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "elsom_agent_ceiling_refusals_total", Help: "Payments and checks refused by an agent's ceiling.",
	}, []string{"agent"})}
}

func (c *ceilingMonitor) countRefusal(agent string) { c.refused.WithLabelValues(agent).Inc() }

var ceilingUsed = prometheus.NewDesc("elsom_agent_ceiling_used_ratio", "What an agent owes, as a fraction of its ceiling.", []string{"agent"}, nil)

// Describe implements prometheus.Collector.
func (c *ceilingMonitor) Describe(out chan<- *prometheus.Desc) {
	c.refused.Describe(out)
	out <- ceilingUsed
}

// Collect implements prometheus.Collector.
func (c *ceilingMonitor) Collect(out chan<- prometheus.Metric) {
	c.refused.Collect(out)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	debts, err := c.agents.Debts(ctx, c.books)
	if err != nil {
		slog.WarnContext(ctx, "metrics: reading agents' debts failed", "error", err)
		return
	}
	for _, d := range debts {
		out <- prometheus.MustNewConstMetric(ceilingUsed, prometheus.GaugeValue, usedRatio(d), d.Code)
	}
}

func usedRatio(d cashin.Debt) float64 { return float64(d.Owed) / float64(d.Ceiling) }

const (
	// nearCeiling is the fraction of the ceiling at which a warning is logged.
	nearCeiling = 0.8
	// ceilingCheckInterval is the interval between two checks.
	ceilingCheckInterval = 15 * time.Second
)

// watch logs a warning when an agent's debt rises above nearCeiling, once until it
// has fallen below again.
func (c *ceilingMonitor) watch(ctx context.Context) {
	near := map[string]bool{}
	for {
		debts, err := c.agents.Debts(ctx, c.books)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "agent: reading debts failed", "error", err)
		}
		for _, d := range debts {
			isNear := usedRatio(d) >= nearCeiling && !d.Disabled
			if isNear && !near[d.Code] {
				slog.WarnContext(ctx, "agent: close to its ceiling, above which payments are refused", "agent", d.Code,
					"used", fmt.Sprintf("%.0f%%", 100*usedRatio(d)), "do", "elsom settle agent "+d.Code+", or elsom agent set "+d.Code+" --ceiling")
			}
			near[d.Code] = isNear
		}
		select {
		case <-time.After(ceilingCheckInterval):
		case <-ctx.Done():
			return
		}
	}
}
