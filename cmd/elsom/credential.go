package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"elsom/internal/credential"
)

// What the commands `agent`, `gateway`, `settle` and `catalog` share.

// requireAllowed parses --allow for a new caller. The flag is required: forgotten, it
// would let the caller in from every address.
func requireAllowed(command string, addresses []string) ([]netip.Prefix, error) {
	//mutant:replace len(addresses) == 0 => addresses == nil && command == "" TestAddRequiresAddresses
	if len(addresses) == 0 {
		return nil, usageError("missing flag --allow: give addresses or CIDRs that it may call from (--allow=192.0.2.7,198.51.100.0/24), "+
			"or --allow=any for all addresses; see `elsom %s --help`", command)
	}
	return parseAllowed(addresses)
}

func parseAllowed(addresses []string) ([]netip.Prefix, error) {
	list, err := credential.ParseAllowed(addresses)
	if err != nil {
		return nil, usageError("--allow: %s", errorText(err))
	}
	return list, nil
}

// parseChange returns the changes that the flags of set ask for; an empty text or
// slice is a flag that was not given.
func parseChange(name string, password bool, addresses []string) (c credential.Change, err error) {
	if name != "" {
		c.Name = &name
	}
	if len(addresses) > 0 {
		list, err := parseAllowed(addresses)
		if err != nil {
			return c, err
		}
		c.Allowed = &list
	}
	if password {
		word, err := readPassword()
		if err != nil {
			return c, err
		}
		c.Password = &word
	}
	return c, nil
}

// readPassword reads a password from standard input: every user of the machine
// can see a command's arguments.
func readPassword() (string, error) { return readLine("Password", "password") }

// readLine reads a line from standard input. Only a terminal is prompted.
func readLine(prompt, what string) (string, error) {
	if in, err := os.Stdin.Stat(); err == nil && in.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprint(os.Stderr, prompt+": ")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("can't read the %s: %w", what, err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", usageError("no %s on standard input", what)
	}
	return line, nil
}

// warnOpenCallers logs agents and gateways that were added before their
// addresses and scopes had to be chosen.
func (a *app) warnOpenCallers(ctx context.Context) error {
	agents, err := a.agents.ListAgents(ctx)
	if err != nil {
		return err
	}
	for _, agent := range agents {
		//mutant:replace len(agent.Allowed) == 0 && ! => TestAddRequiresAddresses
		if len(agent.Allowed) == 0 && !agent.Disabled {
			slog.WarnContext(ctx, "agent: may call from any address", "agent", agent.Code,
				"do", "elsom agent set "+agent.Code+" --allow ADDRESS, or --allow any if that is meant")
		}
	}
	gateways, err := a.gateways.List(ctx)
	if err != nil {
		return err
	}
	for _, g := range gateways {
		if len(g.Allowed) == 0 && !g.Disabled {
			slog.WarnContext(ctx, "gateway: may call from any address", "gateway", g.Code,
				"do", "elsom gateway set "+g.Code+" --allow ADDRESS, or --allow any if that is meant")
		}
		if g.Unscoped && !g.Disabled {
			slog.WarnContext(ctx, "gateway: may call every route", "gateway", g.Code,
				"do", "elsom gateway set "+g.Code+" --scope with what it needs of ussd,kannel,receipts")
		}
	}
	return nil
}
