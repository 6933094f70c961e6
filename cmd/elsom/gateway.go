package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"elsom/internal/credential"
	"elsom/internal/database"
)

type gatewayCommands struct {
	Add     gatewayAdd     `cmd:"" help:"Add a gateway. Its password is read from standard input."`
	Set     gatewaySet     `cmd:"" help:"Change a gateway's name, scopes, inputs, addresses or password."`
	List    gatewayList    `cmd:"" help:"List gateways."`
	Disable gatewayDisable `cmd:"" help:"Disable a gateway, within a second everywhere."`
	Enable  gatewayEnable  `cmd:"" help:"Enable a gateway again."`
}

const gatewayHelp = `Scopes, the routes that it may call:
  ussd      POST /ussd: *900# from a carrier's HTTP gateway, for any number
  kannel    POST /ussd/kannel: *900# through Kannel, for any number
  receipts  GET /sms/dlr: delivery receipts of SMS
Use a separate gateway for receipts: its password is sent along with every SMS.

Inputs, how a gateway with the scope ussd sends what was typed:
  all   every input of the session, joined by * (the default)
  last  the last input only; such a gateway must not repeat its requests, since
        a repeated "3" can't be told from a second one`

type gatewayAdd struct {
	Code   string   `arg:"" help:"The name that it logs in with: lower-case Latin letters, digits, dashes."`
	Name   string   `help:"Its display name (default: the code)."`
	Scope  []string `help:"What it may call: ussd, kannel, receipts." required:"" enum:"ussd,kannel,receipts"`
	Inputs string   `help:"What the field text has: all inputs of the session or the last one." default:"all" enum:"all,last" placeholder:"all|last"`
	Allow  []string `help:"Addresses and CIDRs that it may call from, or any." placeholder:"ADDRESS"`
	ActorFlags
}

// Help implements kong.HelpProvider.
func (gatewayAdd) Help() string {
	return `Example: printf '%s\n' "$PASSWORD" | elsom gateway add megacom --scope ussd --allow 192.0.2.7

` + gatewayHelp
}

// Run adds a gateway.
func (g gatewayAdd) Run(ctx context.Context) error {
	allow, err := requireAllowed("gateway add", g.Allow)
	if err != nil {
		return err
	}
	password, err := readPassword()
	if err != nil {
		return err
	}
	return operate(ctx, "gateway add", g.named(), func(ctx context.Context) error {
		return withGateways(ctx, func(gateways *credential.Gateways) error {
			err := gateways.Add(ctx, credential.NewGateway{
				Code: g.Code, Name: cmp.Or(g.Name, g.Code), Password: password, Allowed: allow,
				Scopes: scopes(g.Scope), Inputs: credential.Inputs(g.Inputs),
			})
			if err == nil {
				fmt.Printf("Gateway %s may call %s, from: %s.\n", g.Code, strings.Join(g.Scope, ", "), formatAllowed(allow))
			}
			return err
		})
	})
}

func scopes(texts []string) []credential.Scope {
	list := make([]credential.Scope, len(texts))
	for i, text := range texts {
		list[i] = credential.Scope(text)
	}
	return list
}

type gatewaySet struct {
	Code     string   `arg:"" help:"The gateway's code."`
	Name     string   `help:"Its display name."`
	Scope    []string `help:"What it may call: ussd, kannel, receipts. They replace the previous ones." enum:"ussd,kannel,receipts"`
	Inputs   string   `help:"What the field text has: all inputs of the session or the last one." default:"" enum:",all,last" placeholder:"all|last"`
	Allow    []string `help:"Addresses and CIDRs that it may call from, or any. They replace the previous ones." placeholder:"ADDRESS"`
	Password bool     `help:"Read a new password from standard input. The old one stops working within a second."`
	requiredActor
}

// Help implements kong.HelpProvider.
func (gatewaySet) Help() string {
	return "Settings without a flag stay as they are. A change takes effect within a second.\n\n" + gatewayHelp
}

// Run changes a gateway.
func (g gatewaySet) Run(ctx context.Context) error {
	shared, err := parseChange(g.Name, g.Password, g.Allow)
	if err != nil {
		return err
	}
	if shared.Empty() && len(g.Scope) == 0 && g.Inputs == "" {
		return usageError("nothing to change: give --scope, --inputs, --allow, --password or --name")
	}
	return operate(ctx, "gateway set", g.flags(), func(ctx context.Context) error {
		return withGateways(ctx, func(gateways *credential.Gateways) error {
			err := gateways.Change(ctx, g.Code, credential.GatewayChange{Change: shared, Scopes: scopes(g.Scope), Inputs: credential.Inputs(g.Inputs)})
			if err == nil {
				fmt.Printf("Gateway %s is changed.\n", g.Code)
			}
			return err
		})
	})
}

type gatewayList struct{}

// Run lists gateways.
func (gatewayList) Run(ctx context.Context) error {
	return withGateways(ctx, func(gateways *credential.Gateways) error {
		list, err := gateways.List(ctx)
		if err != nil {
			return err
		}
		wrong, err := gateways.Unverified(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return printLine("There are no gateways; `elsom gateway add` adds one.")
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tNAME\tSCOPES\tINPUTS\tALLOWED\tSTATE")
		for _, g := range list {
			may := strings.Trim(fmt.Sprint(g.Scopes), "[]")
			if g.Unscoped {
				may = "all (not chosen)"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", g.Code, g.Name, may, g.Inputs, formatAllowed(g.Allowed), stateName(g.Disabled)+mark(wrong[g.Code]))
		}
		return table.Flush()
	})
}

type gatewayDisable struct {
	Code string `arg:"" help:"The gateway's code."`
	ActorFlags
}

// Run disables a gateway.
func (g gatewayDisable) Run(ctx context.Context) error {
	return operate(ctx, "gateway disable", g.named(), func(ctx context.Context) error {
		return withGateways(ctx, func(gateways *credential.Gateways) error {
			err := gateways.Disable(ctx, g.Code)
			if err == nil {
				fmt.Printf("Gateway %s is disabled.\n", g.Code)
			}
			return err
		})
	})
}

type gatewayEnable struct {
	Code string `arg:"" help:"The gateway's code."`
	requiredActor
}

// Run enables a gateway.
func (g gatewayEnable) Run(ctx context.Context) error {
	return operate(ctx, "gateway enable", g.flags(), func(ctx context.Context) error {
		return withGateways(ctx, func(gateways *credential.Gateways) error {
			err := gateways.Enable(ctx, g.Code)
			if err == nil {
				fmt.Printf("Gateway %s may call again.\n", g.Code)
			}
			return err
		})
	})
}

func withGateways(ctx context.Context, do func(*credential.Gateways) error) error {
	return withBooks(ctx, func(db *database.DB) error {
		gateways, err := credential.NewGateways(db, nil, serverSecret())
		if err != nil {
			return err
		}
		return do(gateways)
	})
}
