package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"elsom/internal/database"
	"elsom/internal/gateway"
)

type gatewayCommands struct {
	Add     gatewayAdd     `cmd:"" help:"Add a gateway. Its password is read from standard input."`
	List    gatewayList    `cmd:"" help:"List gateways."`
	Disable gatewayDisable `cmd:"" help:"Let a gateway in no more."`
}

type gatewayAdd struct {
	Code  string   `arg:"" help:"Its name at the door: small Latin letters, digits, dashes."`
	Name  string   `help:"As people know it." required:""`
	Allow []string `help:"Addresses that may call (CIDR), all when none is given."`
}

// Run adds a gateway.
func (g gatewayAdd) Run(ctx context.Context) error {
	allowed, err := gateway.ParseAllowed(g.Allow)
	if err != nil {
		return err
	}
	password, err := readPassword()
	if err != nil {
		return err
	}
	return withGateways(ctx, func(gateways *gateway.Gateways) error {
		err := gateways.Add(ctx, gateway.NewGateway{Code: g.Code, Name: g.Name, Password: password, Allowed: allowed})
		if err == nil {
			fmt.Printf("Gateway %s may call.\n", g.Code)
		}
		return err
	})
}

type gatewayList struct{}

// Run lists gateways.
func (gatewayList) Run(ctx context.Context) error {
	return withGateways(ctx, func(gateways *gateway.Gateways) error {
		list, err := gateways.List(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "CODE\tNAME\tALLOWED\tSTATE")
		for _, g := range list {
			state := "open"
			if g.Disabled {
				state = "disabled"
			}
			allowed := "any"
			if len(g.Allowed) > 0 {
				allowed = strings.Trim(fmt.Sprint(g.Allowed), "[]")
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", g.Code, g.Name, allowed, state)
		}
		return table.Flush()
	})
}

type gatewayDisable struct {
	Code string `arg:"" help:"The gateway's code."`
}

// Run disables a gateway.
func (g gatewayDisable) Run(ctx context.Context) error {
	return withGateways(ctx, func(gateways *gateway.Gateways) error { return gateways.Disable(ctx, g.Code) })
}

func withGateways(ctx context.Context, act func(*gateway.Gateways) error) error {
	return withDatabase(ctx, func(db *database.DB) error {
		gateways, err := gateway.New(db, nil, serverSecret())
		if err != nil {
			return err
		}
		return act(gateways)
	})
}
