package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"elsom/internal/cashin"
	"elsom/internal/database"
	"elsom/internal/money"
)

type agentCommands struct {
	Add     agentAdd     `cmd:"" help:"Add an agent. Its password is read from standard input."`
	List    agentList    `cmd:"" help:"List agents."`
	Disable agentDisable `cmd:"" help:"Let an agent in no more."`
}

type agentAdd struct {
	Code    string   `arg:"" help:"Its name at the door: small Latin letters, digits, dashes."`
	Name    string   `help:"As people know it." required:""`
	Ceiling string   `help:"The most it may owe, in som." required:""`
	Allow   []string `help:"Addresses that may call (CIDR), all when none is given."`
}

// Run adds an agent with its till.
func (a agentAdd) Run(ctx context.Context) error {
	ceiling, err := money.Parse(a.Ceiling)
	if err != nil {
		return fmt.Errorf("--ceiling %q: %w", a.Ceiling, err)
	}
	allowed, err := cashin.ParseAllowed(a.Allow)
	if err != nil {
		return err
	}
	password, err := readPassword()
	if err != nil {
		return err
	}
	return withAgents(ctx, func(agents *cashin.Agents) error {
		err := agents.AddAgent(ctx, cashin.NewAgent{
			Code: a.Code, Name: a.Name, Password: password, Ceiling: ceiling, Allowed: allowed,
		})
		if err == nil {
			fmt.Printf("Agent %s may take cash up to %s som.\n", a.Code, ceiling)
		}
		return err
	})
}

// readPassword takes it from standard input: in the arguments every user of
// the machine could see it.
func readPassword() (string, error) {
	fmt.Fprint(os.Stderr, "Password: ")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(errors.New("no password on standard input"), err)
	}
	return line, nil
}

type agentList struct{}

// Run lists agents.
func (agentList) Run(ctx context.Context) error {
	return withAgents(ctx, func(agents *cashin.Agents) error {
		list, err := agents.ListAgents(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tNAME\tCEILING, SOM\tALLOWED\tSTATE")
		for _, a := range list {
			state := "open"
			if a.Disabled {
				state = "disabled"
			}
			allowed := "any"
			if len(a.Allowed) > 0 {
				allowed = strings.Trim(fmt.Sprint(a.Allowed), "[]")
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", a.Code, a.Name, a.Ceiling, allowed, state)
		}
		return table.Flush()
	})
}

type agentDisable struct {
	Code string `arg:"" help:"The agent's code."`
}

// Run disables an agent.
func (a agentDisable) Run(ctx context.Context) error {
	return withAgents(ctx, func(agents *cashin.Agents) error { return agents.DisableAgent(ctx, a.Code) })
}

func withAgents(ctx context.Context, act func(*cashin.Agents) error) error {
	return withDatabase(ctx, func(db *database.DB) error {
		agents, err := cashin.NewAgents(db, nil, serverSecret())
		if err != nil {
			return err
		}
		return act(agents)
	})
}
