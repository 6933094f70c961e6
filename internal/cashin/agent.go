package cashin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/ratelimit"
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
	// Unreadable reports that its list of addresses is malformed; it is then disabled.
	Unreadable bool
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
type Tries = credential.Tries

// rules are how often agents' passwords may be tried.
var rules = credential.Rules{
	Code:     ratelimit.Rule{Name: "cashin.agent", Limit: 20, Window: 10 * time.Minute},
	Place:    ratelimit.Rule{Name: "cashin.address", Limit: 60, Window: 10 * time.Minute},
	Anywhere: ratelimit.Rule{Name: "cashin.agent anywhere", Limit: 300, Window: time.Hour},
}

// Agents is the register of agents.
type Agents struct {
	db       *database.DB
	keychain *credential.Keychain
}

// NewAgents makes the register on db. Passwords that have to be tried are
// counted by tries, where there is one (commands need none). Passwords found
// right are recognized by a key derived from the server's secret; nil: not after
// a restart.
func NewAgents(db *database.DB, tries Tries, secret []byte) (*Agents, error) {
	k, err := credential.New(tries, rules, secret)
	if err != nil {
		return nil, fmt.Errorf("cashin: %w", err)
	}
	return &Agents{db: db, keychain: k}, nil
}

func (a NewAgent) check() error {
	wrong := credential.Judge(a.Code, a.Name, a.Password, a.Allowed)
	if a.Ceiling <= 0 || a.Ceiling > money.Max {
		wrong = append(wrong, wrongCeiling)
	}
	if a.Password == developmentPassword(a.Code) {
		wrong = append(wrong, wrongDemoPassword)
	}
	return invalid("cashin.add_agent", wrong)
}

const (
	wrongCeiling      = "the ceiling: an amount above zero"
	wrongDemoPassword = "the password is the demo agent's"
)

// invalid returns fault.Invalid with the list of problems; nil if there are none.
func invalid(act string, wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, act, "").Because(errors.New(strings.Join(wrong, "; ")))
}

// AddAgent enters an agent and opens its till. Failures: Invalid (the cause
// says what, for the operator), Conflict (the code is taken, or another agent
// has the name: under a second code a payment that its terminal repeats would
// be credited again).
func (as *Agents) AddAgent(ctx context.Context, a NewAgent) error {
	const act = "cashin.add_agent"
	if err := a.check(); err != nil {
		return err
	}
	other, err := codeOfName(ctx, as.db, a.Name)
	if err != nil {
		return fault.Wrap(act, err)
	}
	//mutant:drop TestAddAgent
	if other != "" && other != a.Code {
		return fault.New(fault.Conflict, act, "").Because(fmt.Errorf(
			"%[1]s is already an agent of this name. Under a second code a payment that its terminal repeats would be credited "+
				"again: `elsom agent set %[1]s` changes it, `elsom agent enable %[1]s` enables it again. "+
				"If this is really another agent, give it another --name", other))
	}
	added, err := as.add(ctx, a)
	if err == nil && !added {
		return fault.New(fault.Conflict, act, "").Because(fmt.Errorf(
			"the agent %[1]s exists; `elsom agent set %[1]s` changes it, `elsom agent enable %[1]s` enables it again", a.Code))
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
		//mutant:replace a.Ceiling => money.Max TestCeilingReachedByTwoAtOnce
		floor := -a.Ceiling
		return ledger.Open(ctx, tx, &ledger.Account{ID: till, Type: ledger.Till, Subject: a.Code, Floor: &floor})
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

// DisableAgent disables an agent from its next request on; what it owes stays in
// the books. It returns fault.NotFound for an unknown one.
func (as *Agents) DisableAgent(ctx context.Context, code string) error {
	found, err := setAgentDisabled(ctx, as.db, code, true)
	return agentChanged("cashin.disable_agent", code, found, err)
}

// EnableAgent reverses DisableAgent. The agent keeps its till, and its earlier
// payments are answered as before. Errors: NotFound; Invalid (its list of
// addresses is malformed).
func (as *Agents) EnableAgent(ctx context.Context, code string) error {
	const act = "cashin.enable_agent"
	r, _, err := readAgent(ctx, as.db, code)
	if err != nil {
		return fault.Wrap(act, err)
	}
	if r.agent().Unreadable {
		return fault.New(fault.Invalid, act, "").Because(fmt.Errorf("the addresses of %s can't be read: give it new ones with --allow first", code))
	}
	found, err := setAgentDisabled(ctx, as.db, code, false)
	return agentChanged(act, code, found, err)
}

// AgentChange is a change of an agent; nil fields stay as they are. The code never
// changes, since payments are identified by it.
type AgentChange struct {
	credential.Change
	Ceiling *money.Amount
}

// ChangeAgent changes an agent from its next request on. Failures: Invalid (the
// cause says what, for the operator), NotFound, Conflict (the agent owes more
// than the new ceiling).
func (as *Agents) ChangeAgent(ctx context.Context, code string, c AgentChange) error {
	const act = "cashin.change_agent"
	wrong := c.Judge()
	if c.Empty() && c.Ceiling == nil {
		wrong = append(wrong, "nothing to change")
	}
	if c.Ceiling != nil && (*c.Ceiling <= 0 || *c.Ceiling > money.Max) {
		wrong = append(wrong, wrongCeiling)
	}
	if c.Password != nil && *c.Password == developmentPassword(code) {
		wrong = append(wrong, wrongDemoPassword)
	}
	if err := invalid(act, wrong); err != nil {
		return err
	}
	hash, mac := "", ""
	if c.Password != nil {
		var err error
		if hash, err = as.keychain.Hash(ctx, *c.Password); err != nil {
			return err
		}
		mac = as.keychain.MAC(code, hash, *c.Password)
	}
	found := false
	err := as.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		var till int64
		if till, found, err = updateAgent(tx, code, c, hash, mac); err != nil || !found || c.Ceiling == nil {
			return err
		}
		return ledger.SetFloor(ctx, tx, till, -*c.Ceiling)
	})
	if below := (*ledger.BelowFloor)(nil); errors.As(err, &below) {
		return fault.New(fault.Conflict, act, "").Because(fmt.Errorf(
			"%s owes %s som already: give it a ceiling above that, or settle first (`elsom settle agent`)", code, -below.Balance))
	}
	return agentChanged(act, code, found, err)
}

func agentChanged(act, code string, found bool, err error) error {
	if err == nil && !found {
		return fault.New(fault.NotFound, act, "").Because(fmt.Errorf("there is no agent %s", code))
	}
	return fault.Wrap(act, err)
}

// Debt is what an agent owes.
type Debt struct {
	Agent
	Owed money.Amount
}

// Balances reads balances of the books.
type Balances interface {
	Balance(ctx context.Context, account int64) (money.Amount, error)
}

// Debts returns what each agent owes, disabled ones too.
func (as *Agents) Debts(ctx context.Context, books Balances) ([]Debt, error) {
	agents, err := as.ListAgents(ctx)
	if err != nil {
		return nil, err
	}
	debts := make([]Debt, len(agents))
	for i, a := range agents {
		balance, err := books.Balance(ctx, a.Till)
		if err != nil {
			return nil, fault.Wrap("cashin.debts", err)
		}
		debts[i] = Debt{a, -balance}
	}
	return debts, nil
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
	lock := credential.Lock{Hash: r.PasswordHash, MAC: r.PasswordMAC, Allowed: agent.Allowed, Disabled: agent.Disabled}
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

// ParseAllowed reads addresses and CIDRs as an operator writes them; "any" alone
// is all addresses.
func ParseAllowed(texts []string) ([]netip.Prefix, error) {
	return credential.ParseAllowed("cashin.add_agent", texts)
}
