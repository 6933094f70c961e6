package cashin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"elsom/internal/attempt"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keychain"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// Agent is who takes cash for us and owes us what was taken.
type Agent struct {
	// Code is its name at the door: small Latin letters, digits, dashes.
	Code string
	Name string
	// Ceiling is the most it may owe, above zero.
	Ceiling money.Amount
	// Allowed are the addresses it may call from; none: any.
	Allowed  []netip.Prefix
	Disabled bool
	// Till is its account in the books; what it owes is a negative balance.
	Till      int64
	CreatedAt time.Time
}

// NewAgent is an agent to be added.
type NewAgent struct {
	Code     string
	Name     string
	Password string // 8–128 characters; kept hashed
	Ceiling  money.Amount
	Allowed  []netip.Prefix
}

// Tries counts what may be tried only so often; *attempt.Counters does.
type Tries = keychain.Tries

// rules are how often agents' passwords may be tried.
var rules = keychain.Rules{
	Code:     attempt.Rule{Name: "cashin.agent", Limit: 20, Window: 10 * time.Minute},
	Place:    attempt.Rule{Name: "cashin.address", Limit: 60, Window: 10 * time.Minute},
	Anywhere: attempt.Rule{Name: "cashin.agent anywhere", Limit: 300, Window: time.Hour},
}

// Agents is the register of agents.
type Agents struct {
	db       *database.DB
	keychain *keychain.Keychain
}

// NewAgents makes the register on db. Passwords that have to be tried are
// counted by tries, where there is one (commands need none). Passwords found
// right are recognized by a key derived from the server's secret; nil: not after
// a restart.
func NewAgents(db *database.DB, tries Tries, secret []byte) (*Agents, error) {
	k, err := keychain.New(tries, rules, secret)
	if err != nil {
		return nil, fmt.Errorf("cashin: %w", err)
	}
	return &Agents{db: db, keychain: k}, nil
}

func (a NewAgent) check() error {
	wrong := keychain.Judge(a.Code, a.Name, a.Password, a.Allowed)
	if a.Ceiling <= 0 || a.Ceiling > money.Max {
		wrong = append(wrong, "the ceiling: an amount above zero")
	}
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "cashin.add_agent", "").Because(errors.New(strings.Join(wrong, "; ")))
	}
	return nil
}

// AddAgent enters an agent and opens its till. Failures: Invalid (the cause
// says what, for the operator), Conflict (the code is taken).
func (as *Agents) AddAgent(ctx context.Context, a NewAgent) error {
	if err := a.check(); err != nil {
		return err
	}
	if a.Password == developmentPassword(a.Code) {
		return fault.New(fault.Invalid, "cashin.add_agent", "").Because(errors.New("the password is the demo agent's"))
	}
	added, err := as.add(ctx, a)
	if err == nil && !added {
		return fault.New(fault.Conflict, "cashin.add_agent", "").Because(fmt.Errorf("the agent %s exists", a.Code))
	}
	return err
}

func (as *Agents) add(ctx context.Context, a NewAgent) (added bool, err error) {
	hash, err := as.keychain.Hash(ctx, a.Password)
	if err != nil {
		return false, err
	}
	err = as.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		till := tx.NewID()
		if added, err = insertAgent(tx, a, hash, as.keychain.MAC(a.Code, hash, a.Password), till); err != nil || !added {
			return err
		}
		floor := -a.Ceiling
		return ledger.Open(ctx, tx, &ledger.Account{ID: till, Kind: ledger.Till, Subject: a.Code, Floor: &floor})
	})
	return added, fault.Wrap("cashin.add_agent", err)
}

// ListAgents gives all agents by code, disabled ones too.
func (as *Agents) ListAgents(ctx context.Context) ([]Agent, error) {
	rows, err := readAgents(ctx, as.db)
	if err != nil {
		return nil, fault.Wrap("cashin.list_agents", err)
	}
	agents := make([]Agent, len(rows))
	for i, r := range rows {
		agents[i] = r.agent()
	}
	return agents, nil
}

// DisableAgent shuts the door to an agent, from its next request on;
// fault.NotFound for an unknown one. What it owes stays in the books.
func (as *Agents) DisableAgent(ctx context.Context, code string) error {
	found, err := disableAgent(ctx, as.db, code)
	if err == nil && !found {
		return fault.New(fault.NotFound, "cashin.disable_agent", "").Because(fmt.Errorf("there is no agent %s", code))
	}
	return fault.Wrap("cashin.disable_agent", err)
}

// Authenticate tells which agent calls. Whatever is wrong (code, password,
// address, disabled) is the same fault.Forbidden after the same time; TooMany
// when too much was tried; Unavailable when nothing can be told now.
func (as *Agents) Authenticate(ctx context.Context, code, password string, from netip.Addr) (Agent, error) {
	const act = "cashin.authenticate"
	r, _, err := readAgent(ctx, as.db, code)
	if err != nil {
		return Agent{}, fault.New(fault.Unavailable, act, "").Because(err)
	}
	agent := r.agent()
	lock := keychain.Lock{Hash: r.PasswordHash, MAC: r.PasswordMAC, Allowed: agent.Allowed, Disabled: agent.Disabled}
	lock.Keep = func(ctx context.Context, mac string) error {
		return keepAgentMAC(ctx, as.db, code, r.PasswordHash, mac)
	}
	right, err := as.keychain.Open(ctx, lock, code, password, from)
	if err != nil {
		return Agent{}, err
	}
	if !right {
		return Agent{}, fault.New(fault.Forbidden, act, "")
	}
	return agent, nil
}

// ParseAllowed reads addresses and CIDRs as an operator writes them.
func ParseAllowed(texts []string) ([]netip.Prefix, error) {
	return keychain.ParseAllowed("cashin.add_agent", texts)
}
