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
	"elsom/internal/fault"
	"elsom/internal/money"
)

// What the commands `agent`, `gateway`, `settle` and `catalog` share.

// Exit codes of operators' commands, besides 0.
const (
	exitRefused  = 1  // refused, with the reason on standard error
	exitNotTried = 2  // not tried, such as without a database, or the outcome is unknown
	exitUsage    = 80 // the command line is wrong; kong ends with it too
)

// coded is an error with an exit code of its own.
type coded struct {
	error
	code int
}

func (c coded) ExitCode() int { return c.code }
func (c coded) Unwrap() error { return c.error }

func usage(format string, args ...any) error { return coded{fmt.Errorf(format, args...), exitUsage} }

// refusals are the kinds of faults by which an operation is refused. Any other error
// means that it could not be tried, or that its outcome is unknown.
var refusals = map[fault.Kind]bool{
	fault.Invalid: true, fault.NotFound: true, fault.Forbidden: true, fault.Conflict: true, fault.Insufficient: true, fault.Limit: true,
}

// withExitCode returns the error with the exit code that the command ends with.
func withExitCode(err error) error {
	var already coded
	switch {
	case err == nil || errors.As(err, &already):
		return err
	case refusals[fault.KindOf(err)]:
		return coded{err, exitRefused}
	}
	return coded{err, exitNotTried}
}

// som is an amount on the command line.
type som money.Amount

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *som) UnmarshalText(text []byte) error {
	amount, err := money.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%q is not an amount in som, as 250 or 250.50", text)
	}
	*s = som(amount)
	return nil
}

// allowed parses --allow for a new caller. The flag is required: forgotten, it
// would let the caller in from every address.
func allowed(command string, addresses []string) ([]netip.Prefix, error) {
	//mutant:replace len(addresses) == 0 => addresses == nil && command == "" TestAddWantsAddresses
	if len(addresses) == 0 {
		return nil, usage("missing flag --allow: give addresses or CIDRs that it may call from (--allow=192.0.2.7,198.51.100.0/24), "+
			"or --allow=any for all addresses; see `elsom %s --help`", command)
	}
	return parsed(addresses)
}

func parsed(addresses []string) ([]netip.Prefix, error) {
	list, err := credential.ParseAllowed(addresses)
	if err != nil {
		return nil, usage("--allow: %s", plain(err))
	}
	return list, nil
}

// changes returns the changes that the flags of set ask for; an empty text or
// slice is a flag that was not given.
func changes(name string, password bool, addresses []string) (c credential.Change, err error) {
	if name != "" {
		c.Name = &name
	}
	if len(addresses) > 0 {
		list, err := parsed(addresses)
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
// can see a command's arguments. Only a terminal is prompted.
func readPassword() (string, error) {
	if in, err := os.Stdin.Stat(); err == nil && in.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprint(os.Stderr, "Password: ")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("can't read the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", usage("no password on standard input")
	}
	return line, nil
}

// places formats the addresses that a caller may call from.
func places(allowed []netip.Prefix) string {
	switch {
	case len(allowed) == 0:
		return "any (not chosen)"
	case credential.IsAnywhere(allowed):
		return credential.AnyAddress
	}
	texts := make([]string, len(allowed))
	for i, prefix := range allowed {
		texts[i] = prefix.String()
		if prefix.IsSingleIP() {
			texts[i] = prefix.Addr().String()
		}
	}
	return strings.Join(texts, " ")
}

func stateOf(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "open"
}

// warnOpenCallers logs agents and gateways that were added before their
// addresses and scopes had to be chosen.
func (h *house) warnOpenCallers(ctx context.Context) error {
	agents, err := h.agents.ListAgents(ctx)
	if err != nil {
		return err
	}
	for _, a := range agents {
		//mutant:replace len(a.Allowed) == 0 && ! => TestAddWantsAddresses
		if len(a.Allowed) == 0 && !a.Disabled {
			slog.WarnContext(ctx, "agent: may call from any address", "agent", a.Code,
				"do", "elsom agent set "+a.Code+" --allow ADDRESS, or --allow any if that is meant")
		}
	}
	gateways, err := h.gateways.List(ctx)
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
