// Package gateway is the register of gateways that may call the machine doors:
// USSD gateways and Kannel.
//
// It promises that whatever is wrong with a caller is the same refusal after
// the same time, and that a gateway which was shut out is outside within a
// second, in every process. What a gateway asks for is none of its business.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ratelimit"
)

// Gateway is a machine that brings us what phones say.
type Gateway struct {
	// Code is its name at the door: small Latin letters, digits, dashes.
	Code string
	Name string
	// Allowed are the addresses it may call from; none: any.
	Allowed []netip.Prefix
	// Scopes are the routes that it may call. Unscoped reports that none were
	// chosen, and that it may call all of them.
	Scopes   []Scope
	Unscoped bool
	Inputs   Inputs
	Disabled bool
	// Unreadable reports that its list of addresses is malformed; it is then disabled.
	Unreadable bool
	CreatedAt  time.Time
}

// NewGateway is a gateway to be added.
type NewGateway struct {
	Code     string
	Name     string
	Password string // 8–128 characters; kept hashed
	Allowed  []netip.Prefix
	Scopes   []Scope // at least one
	Inputs   Inputs  // empty: AllInputs
}

// The gateway of development; its password is public, so production refuses to
// start with it.
const (
	DevelopmentCode     = "ussd"
	DevelopmentPassword = "dev-ussd" //nolint:gosec // public; production refuses to start with it
)

// rules are how often gateways' passwords may be tried.
var rules = credential.Rules{
	Code:     ratelimit.Rule{Name: "gateway", Limit: 20, Window: 10 * time.Minute},
	Place:    ratelimit.Rule{Name: "gateway by address", Limit: 60, Window: 10 * time.Minute},
	Anywhere: ratelimit.Rule{Name: "gateway anywhere", Limit: 300, Window: time.Hour},
}

// Gateways is the register of gateways.
type Gateways struct {
	db       *database.DB
	keychain *credential.Keychain
	recent   sync.Map // known gateways by code, as they were read
}

// freshness is how old a known gateway may be: each phone's key is a request.
const freshness = time.Second

// known is a gateway as it was read.
type known struct {
	Gateway
	hash, mac string
	read      time.Time
}

// New makes the register on db. Passwords that have to be tried are counted by
// tries, where there is one (commands need none). Passwords found right are
// recognized by a key derived from the server's secret; nil: not after a restart.
func New(db *database.DB, tries credential.Tries, secret []byte) (*Gateways, error) {
	k, err := credential.New(tries, rules, secret)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	return &Gateways{db: db, keychain: k}, nil
}

// Add enters a gateway. Failures: Invalid (the cause says what, for the
// operator), Conflict (the code is taken).
func (gs *Gateways) Add(ctx context.Context, g NewGateway) error {
	const act = "gateway.add"
	wrong := append(credential.Judge(g.Code, g.Name, g.Password, g.Allowed), judgeRoutes(g.Scopes, g.Inputs)...)
	if len(g.Scopes) == 0 {
		wrong = append(wrong, "the scopes: one at least of ussd, kannel, receipts")
	}
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, act, "").Because(errors.New(strings.Join(wrong, "; ")))
	}
	if g.Password == DevelopmentPassword {
		return fault.New(fault.Invalid, act, "").Because(errors.New("the password is the demo gateway's"))
	}
	added, err := gs.add(ctx, g)
	if err == nil && !added {
		return fault.New(fault.Conflict, act, "").Because(fmt.Errorf("the gateway %s exists", g.Code))
	}
	return err
}

func (gs *Gateways) add(ctx context.Context, g NewGateway) (added bool, err error) {
	hash, err := gs.keychain.Hash(ctx, g.Password)
	if err != nil {
		return false, err
	}
	g.Inputs = cmp.Or(g.Inputs, AllInputs)
	added, err = insert(ctx, gs.db, g, hash, gs.keychain.MAC(g.Code, hash, g.Password))
	return added, fault.Wrap("gateway.add", err)
}

// List gives all gateways by code, disabled ones too.
func (gs *Gateways) List(ctx context.Context) ([]Gateway, error) {
	rows, err := readAll(ctx, gs.db)
	if err != nil {
		return nil, fault.Wrap("gateway.list", err)
	}
	gateways := make([]Gateway, len(rows))
	for i, r := range rows {
		gateways[i] = r.gateway()
	}
	return gateways, nil
}

// Authenticate tells which gateway calls. Whatever is wrong (code, password,
// address, disabled) is the same fault.Forbidden after the same time; TooMany
// when too much was tried; Unavailable when nothing can be told now.
func (gs *Gateways) Authenticate(ctx context.Context, code, password string, from netip.Addr) (Gateway, error) {
	const act = "gateway.authenticate"
	g, err := gs.find(ctx, code)
	if err != nil {
		return Gateway{}, fault.New(fault.Unavailable, act, "").Because(err)
	}
	lock := credential.Lock{Hash: g.hash, MAC: g.mac, Allowed: g.Allowed, Disabled: g.Disabled}
	lock.Keep = func(ctx context.Context, mac string) error { return keepMAC(ctx, gs.db, code, g.hash, mac) }
	right, err := gs.keychain.Open(ctx, lock, code, password, from)
	if err != nil {
		return Gateway{}, err
	}
	if !right {
		return Gateway{}, fault.New(fault.Forbidden, act, "")
	}
	return g.Gateway, nil
}

// find gives nobody for an unknown code.
func (gs *Gateways) find(ctx context.Context, code string) (known, error) {
	now := gs.db.Now()
	if found, ok := gs.recent.Load(code); ok {
		//mutant:replace && age < freshness => TestShutOutElsewhere
		if age := now.Sub(found.(known).read); age >= 0 && age < freshness {
			return found.(known), nil
		}
	}
	r, err := gs.read(ctx, code)
	if err != nil || r.Code == "" {
		gs.recent.Delete(code)
		return known{}, err
	}
	found := known{r.gateway(), r.PasswordHash, r.PasswordMAC, now}
	gs.recent.Store(code, found)
	return found, nil
}

// read gives the zero row for an unknown code.
func (gs *Gateways) read(ctx context.Context, code string) (row, error) {
	if !credential.IsCode(code) {
		return row{}, nil
	}
	return readRow(ctx, gs.db, code)
}

// SeedDevelopment adds the demo gateway unless it is there. Several processes
// may do it at the same moment.
func (gs *Gateways) SeedDevelopment(ctx context.Context) error {
	r, err := gs.read(ctx, DevelopmentCode)
	if err != nil || r.Code != "" {
		return fault.Wrap("gateway.seed", err)
	}
	_, err = gs.add(ctx, NewGateway{
		Code: DevelopmentCode, Name: "USSD", Password: DevelopmentPassword, Allowed: credential.Anywhere(), Scopes: Scopes(),
	})
	return err
}

// HasDevelopmentCredentials tells whether the demo gateway with its public
// password can still get in.
func (gs *Gateways) HasDevelopmentCredentials(ctx context.Context) (bool, error) {
	r, err := gs.read(ctx, DevelopmentCode)
	if err != nil || r.Code == "" || r.Disabled {
		return false, fault.Wrap("gateway.development", err)
	}
	right, _, err := gs.keychain.Match(ctx, DevelopmentPassword, r.PasswordHash)
	return right, err
}

// ParseAllowed reads addresses and CIDRs as an operator writes them; "any" alone
// is all addresses.
func ParseAllowed(texts []string) ([]netip.Prefix, error) {
	return credential.ParseAllowed("gateway.add", texts)
}
