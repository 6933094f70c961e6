package cashin

import (
	"context"

	"elsom/internal/credential"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// The agents of development, by the instruction: KICB's desks and terminals,
// Мобильник, QIWI. Their passwords are public, so production refuses to start
// with them.
var demo = []NewAgent{
	{Code: "kicb", Name: "KICB"},
	{Code: "mobilnik", Name: "Мобильник"},
	{Code: "qiwi", Name: "QIWI (Киви)"},
}

// demoCeiling is ten billion som: development shouldn't run into it.
const demoCeiling money.Amount = 1_000_000_000_000

func developmentPassword(code string) string { return "dev-" + code }

// DevelopmentAgents gives code and password of each demo agent, for the
// terminal in the browser.
func DevelopmentAgents() []NewAgent {
	agents := make([]NewAgent, len(demo))
	for i, a := range demo {
		a.Password, a.Ceiling, a.Allowed = developmentPassword(a.Code), demoCeiling, credential.Anywhere()
		agents[i] = a
	}
	return agents
}

// SeedDevelopment adds the demo agents that aren't there yet. Several
// processes may do it at the same moment.
func (as *Agents) SeedDevelopment(ctx context.Context) error {
	for _, a := range DevelopmentAgents() {
		_, known, err := readAgent(ctx, as.db, a.Code)
		if err != nil {
			return fault.Wrap("cashin.seed", err)
		}
		if known {
			continue
		}
		if _, err := as.add(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// HasDevelopmentCredentials tells whether a demo agent with its public
// password can still get in.
func (as *Agents) HasDevelopmentCredentials(ctx context.Context) (bool, error) {
	for _, a := range DevelopmentAgents() {
		r, known, err := readAgent(ctx, as.db, a.Code)
		if err != nil {
			return false, fault.Wrap("cashin.development", err)
		}
		if !known || r.Disabled {
			continue
		}
		right, _, err := as.keychain.Match(ctx, a.Password, r.PasswordHash)
		if err != nil || right {
			return right, err
		}
	}
	return false, nil
}
