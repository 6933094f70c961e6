package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"elsom/internal/cashin"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

type agentCommands struct {
	Add     agentAdd     `cmd:"" help:"Add an agent. Its password is read from standard input."`
	Set     agentSet     `cmd:"" help:"Change an agent's name, ceiling, addresses or password."`
	List    agentList    `cmd:"" help:"List agents with what they owe."`
	Disable agentDisable `cmd:"" help:"Disable an agent, within a second. What it owes stays in the books."`
	Enable  agentEnable  `cmd:"" help:"Enable a disabled agent again; its till stays the same."`
}

type agentAdd struct {
	Code    string   `arg:"" help:"The name that it logs in with: lower-case Latin letters, digits, dashes."`
	Name    string   `help:"Its display name (default: the code)."`
	Ceiling som      `help:"The maximum that it may owe, in som." required:"" placeholder:"SOM"`
	Allow   []string `help:"Addresses and CIDRs that it may call from, or any." placeholder:"ADDRESS"`
	ActorFlags
}

// Help implements kong.HelpProvider.
func (agentAdd) Help() string {
	return `Example: printf '%s\n' "$PASSWORD" | elsom agent add qiwi --name QIWI --ceiling 500000 --allow 192.0.2.7,198.51.100.0/24

An agent whose password, addresses or ceiling change stays the same agent: use
"elsom agent set". Under a second code a payment that its terminal repeats would
be credited again.`
}

// Run adds an agent with its till.
func (a agentAdd) Run(ctx context.Context) error {
	allow, err := requireAllowed("agent add", a.Allow)
	if err != nil {
		return err
	}
	password, err := readPassword()
	if err != nil {
		return err
	}
	return operate(ctx, "agent add", a.named(), func(ctx context.Context) error {
		return withAgents(ctx, func(agents *cashin.Agents) error {
			err := agents.AddAgent(ctx, cashin.NewAgent{
				Code: a.Code, Name: cmp.Or(a.Name, a.Code), Password: password, Ceiling: money.Amount(a.Ceiling), Allowed: allow,
			})
			if err == nil {
				fmt.Printf("Agent %s may take cash up to %s som, calling from: %s.\n", a.Code, money.Amount(a.Ceiling), formatAllowed(allow))
			}
			return err
		})
	})
}

type agentSet struct {
	Code     string   `arg:"" help:"The agent's code."`
	Name     string   `help:"Its display name."`
	Ceiling  *som     `help:"The maximum that it may owe, in som; not less than it owes now." placeholder:"SOM"`
	Allow    []string `help:"Addresses and CIDRs that it may call from, or any. They replace the previous ones." placeholder:"ADDRESS"`
	Password bool     `help:"Read a new password from standard input. The old one stops working within a second."`
	ActorFlags
}

// Help implements kong.HelpProvider.
func (agentSet) Help() string {
	return `Settings without a flag stay as they are. A change takes effect within a second.`
}

// Run changes an agent.
func (a agentSet) Run(ctx context.Context) error {
	shared, err := parseChange(a.Name, a.Password, a.Allow)
	if err != nil {
		return err
	}
	if shared.Empty() && a.Ceiling == nil {
		return usageError("nothing to change: give --ceiling, --allow, --password or --name")
	}
	return operate(ctx, "agent set", a.named(), func(ctx context.Context) error {
		return withAgents(ctx, func(agents *cashin.Agents) error {
			err := agents.ChangeAgent(ctx, a.Code, cashin.AgentChange{Change: shared, Ceiling: (*money.Amount)(a.Ceiling)})
			if err == nil {
				fmt.Printf("Agent %s is changed.\n", a.Code)
			}
			return err
		})
	})
}

type agentList struct{}

// Run lists agents.
func (agentList) Run(ctx context.Context) error {
	return withDatabase(ctx, func(db *database.DB) error {
		agents, err := cashin.NewAgents(db, nil, serverSecret())
		if err != nil {
			return err
		}
		books := ledger.New(db, ledger.Options{})
		defer books.Close()
		list, err := agents.Debts(ctx, books)
		if err != nil {
			return err
		}
		wrong, err := agents.Unverified(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return printLine("There are no agents; `elsom agent add` adds one.")
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tNAME\tOWES, SOM\tCEILING, SOM\tALLOWED\tSTATE")
		for _, a := range list {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Code, a.Name, a.Owed, a.Ceiling, formatAllowed(a.Allowed), stateName(a.Disabled)+mark(wrong[a.Code]))
		}
		return table.Flush()
	})
}

type agentDisable struct {
	Code string `arg:"" help:"The agent's code."`
	ActorFlags
}

// Run disables an agent.
func (a agentDisable) Run(ctx context.Context) error {
	return operate(ctx, "agent disable", a.named(), func(ctx context.Context) error {
		return withAgents(ctx, func(agents *cashin.Agents) error {
			err := agents.DisableAgent(ctx, a.Code)
			if err == nil {
				fmt.Printf("Agent %s is disabled.\n", a.Code)
			}
			return err
		})
	})
}

type agentEnable struct {
	Code string `arg:"" help:"The agent's code."`
	ActorFlags
}

// Run enables an agent.
func (a agentEnable) Run(ctx context.Context) error {
	return operate(ctx, "agent enable", a.named(), func(ctx context.Context) error {
		return withAgents(ctx, func(agents *cashin.Agents) error {
			err := agents.EnableAgent(ctx, a.Code)
			if err == nil {
				fmt.Printf("Agent %s may take cash again.\n", a.Code)
			}
			return err
		})
	})
}

func withAgents(ctx context.Context, do func(*cashin.Agents) error) error {
	return withBooks(ctx, func(db *database.DB) error {
		agents, err := cashin.NewAgents(db, nil, serverSecret())
		if err != nil {
			return err
		}
		return do(agents)
	})
}
