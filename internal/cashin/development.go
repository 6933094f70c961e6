package cashin

import (
	"context"

	"elsom/internal/credential"
	"elsom/internal/money"
)

// demo are the agents for development. Their passwords are public, so production
// refuses to start with them.
var demo = []NewAgent{
	{Code: "kicb", Name: "KICB"},
	{Code: "mobilnik", Name: "Мобильник"},
	{Code: "qiwi", Name: "QIWI (Киви)"},
}

// demoCeiling is ten billion som, out of reach in development.
const demoCeiling money.Amount = 1_000_000_000_000

func developmentPassword(code string) string { return "dev-" + code }

// DevelopmentAgents returns the demo agents with their passwords, for the terminal
// in the browser.
func DevelopmentAgents() []NewAgent {
	agents := make([]NewAgent, len(demo))
	for i, a := range demo {
		a.Password, a.Ceiling, a.Allowed = developmentPassword(a.Code), demoCeiling, credential.Anywhere()
		agents[i] = a
	}
	return agents
}

// SeedDevelopment adds the demo agents whose codes are not taken. Several processes
// may do so at once.
func (as *Agents) SeedDevelopment(ctx context.Context) error {
	for _, a := range DevelopmentAgents() {
		entry, openTill := as.entry(a)
		if err := as.register.Seed(ctx, entry, openTill); err != nil {
			return err
		}
	}
	return nil
}

// HasDevelopmentCredentials reports whether a demo agent is accepted with its
// public password.
func (as *Agents) HasDevelopmentCredentials(ctx context.Context) (bool, error) {
	for _, a := range demo {
		if accepted, err := as.register.AcceptsDemoPassword(ctx, a.Code); err != nil || accepted {
			return accepted, err
		}
	}
	return false, nil
}
