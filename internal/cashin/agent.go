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
	"elsom/internal/signature"
)

// Agent is a company that takes cash from customers and owes us the amounts.
type Agent struct {
	// Code is the user name of HTTP Basic: lower-case Latin letters, digits, dashes.
	Code string
	Name string
	// Ceiling is the largest amount that the agent may owe, above zero.
	Ceiling money.Amount
	// Allowed are the addresses that requests may come from; empty means all.
	Allowed  []netip.Prefix
	Disabled bool
	// Unreadable reports that its list of addresses is malformed; it is then disabled.
	Unreadable bool
	// Till is the agent's account in the books; its balance is minus the debt.
	Till      int64
	CreatedAt time.Time
}

// NewAgent is an agent to be added.
type NewAgent struct {
	Code     string
	Name     string
	Password string // 8–128 characters; stored hashed
	Ceiling  money.Amount
	Allowed  []netip.Prefix
}

// AgentChange changes an agent; nil fields stay as they are. The code never
// changes, since payments are identified by it.
type AgentChange struct {
	credential.Change
	Ceiling *money.Amount
}

var realm = credential.Realm{
	Name: "agent", Table: "agents",
	Limits: credential.Limits{
		Code:    ratelimit.Rule{Name: "cashin.agent", Limit: 20, Window: 10 * time.Minute},
		Address: ratelimit.Rule{Name: "cashin.address", Limit: 60, Window: 10 * time.Minute},
		Total:   ratelimit.Rule{Name: "cashin.agent anywhere", Limit: 300, Window: time.Hour},
	},
	DemoPassword: developmentPassword,
}

// details are the columns that agents have besides their credentials.
type details struct {
	Ceiling money.Amount `json:"ceiling_tyiyn"`
	TillID  int64        `json:"till"`
	MAC     []byte       `gorm:"column:mac" json:"-"`
	KeyID   string       `json:"-"`
}

// Record implements credential.SignedCaller: the canonical form of an agent's row, whose
// id is that of its till. It is stored in signatures and in the log, so it never changes.
func (d *details) Record(c credential.SignedColumns) *signature.Record {
	return signature.NewRecord(signature.Agent, d.TillID).Text(c.Code).Text(c.Name).Text(c.PasswordHash).Text(c.Allowed).
		Int(int64(d.Ceiling)).Bool(c.Disabled)
}

// SignedColumns implements credential.SignedCaller.
func (d *details) SignedColumns() []string { return []string{"ceiling"} }

// Signature implements credential.SignedCaller.
func (d *details) Signature() (mac *[]byte, keyID *string) { return &d.MAC, &d.KeyID }

// Agents is the register of agents. Each agent has a till in the books, whose floor
// is minus the agent's ceiling.
type Agents struct {
	db       *database.DB
	register *credential.Register[details]
}

// NewAgents returns the register on db; see credential.NewRegister.
func NewAgents(db *database.DB, counters credential.Counters, serverSecret []byte, previous ...[]byte) (*Agents, error) {
	register, err := credential.NewRegister[details](db, realm, counters, serverSecret, previous...)
	return &Agents{db, register}, err
}

// AddAgent stores an agent and opens its till. Errors: Invalid (the cause lists all
// problems), Conflict (the code is taken, or another agent has the name: if one agent
// had two codes, a payment repeated under the other code would be credited twice).
func (as *Agents) AddAgent(ctx context.Context, a NewAgent) error {
	const op = "agent.add"
	other, err := as.codeOfName(ctx, a.Name)
	if err != nil {
		return err
	}
	//mutant:drop TestAddAgent
	if other != "" && other != a.Code {
		return fault.New(fault.Conflict, op, "").Because(fmt.Errorf(
			"%[1]s is already an agent of this name. Under a second code a payment that its terminal repeats would be credited "+
				"again: `elsom agent set %[1]s` changes it, `elsom agent enable %[1]s` enables it again. "+
				"If this is really another agent, give it another --name", other))
	}
	entry, openTill := as.entry(a)
	added, err := as.register.Add(ctx, entry, ceilingProblems(a.Ceiling), openTill)
	if err == nil && !added {
		return fault.New(fault.Conflict, op, "").Because(fmt.Errorf(
			"the agent %[1]s exists; `elsom agent set %[1]s` changes it, `elsom agent enable %[1]s` enables it again", a.Code))
	}
	return err
}

// entry returns the credential of a new agent, and a function that opens its till in
// the transaction that stores the credential.
func (as *Agents) entry(a NewAgent) (credential.New[details], func(*database.Tx) error) {
	till := as.db.NewID()
	openTill := func(tx *database.Tx) error {
		//mutant:replace a.Ceiling => money.Max TestConcurrentPaymentsReachTheCeiling
		floor := -a.Ceiling
		return ledger.Open(tx, &ledger.Account{ID: till, Type: ledger.Till, Subject: a.Code, Floor: &floor})
	}
	return credential.New[details]{
		Code: a.Code, Name: a.Name, Password: a.Password, Allowed: a.Allowed,
		Details: details{Ceiling: a.Ceiling, TillID: till},
	}, openTill
}

func ceilingProblems(ceiling money.Amount) []string {
	if ceiling <= 0 || ceiling > money.Max {
		return []string{"the ceiling: an amount above zero"}
	}
	return nil
}

// codeOfName returns the code of an agent with this name, ignoring case, or "".
func (as *Agents) codeOfName(ctx context.Context, name string) (string, error) {
	all, err := as.register.List(ctx)
	if err != nil {
		return "", err
	}
	for _, e := range all {
		if strings.EqualFold(e.Name, name) {
			return e.Code, nil
		}
	}
	return "", nil
}

// ListAgents returns all agents by code, disabled ones too.
func (as *Agents) ListAgents(ctx context.Context) ([]Agent, error) {
	entries, err := as.register.List(ctx)
	if err != nil {
		return nil, err
	}
	agents := make([]Agent, len(entries))
	for i, e := range entries {
		agents[i] = agentOf(e)
	}
	return agents, nil
}

func agentOf(e credential.Entry[details]) Agent {
	return Agent{
		Code: e.Code, Name: e.Name, Ceiling: e.Details.Ceiling, Allowed: e.Allowed, Disabled: e.Disabled,
		Unreadable: e.Unreadable, Till: e.Details.TillID, CreatedAt: e.CreatedAt,
	}
}

// Authenticate returns the agent with this code and password; for its errors see
// credential.Register.Authenticate.
func (as *Agents) Authenticate(ctx context.Context, code, password string, from netip.Addr) (Agent, error) {
	e, err := as.register.Authenticate(ctx, code, password, from)
	if err != nil {
		return Agent{}, err
	}
	return agentOf(e), nil
}

// ChangeAgent changes an agent. Errors: Invalid (the cause lists all problems),
// NotFound, Conflict (the agent owes more than the new ceiling).
func (as *Agents) ChangeAgent(ctx context.Context, code string, c AgentChange) error {
	columns, problems := map[string]any{}, []string(nil)
	if c.Ceiling != nil {
		columns["ceiling"], problems = *c.Ceiling, ceilingProblems(*c.Ceiling)
	}
	setFloor := func(ctx context.Context, tx *database.Tx, e credential.Entry[details]) error {
		if c.Ceiling == nil {
			return nil
		}
		return ledger.SetFloor(tx, e.Details.TillID, -*c.Ceiling)
	}
	err := as.register.Change(ctx, code, c.Change, columns, problems, setFloor)
	if below := (*ledger.BelowFloor)(nil); errors.As(err, &below) {
		return fault.New(fault.Conflict, "agent.change", "").Because(fmt.Errorf(
			"%s owes %s som already: give it a ceiling above that, or settle first (`elsom settle agent`)", code, -below.Balance))
	}
	return err
}

// DisableAgent disables an agent; its debt stays in the books. It returns
// fault.NotFound for an unknown code.
func (as *Agents) DisableAgent(ctx context.Context, code string) error {
	return as.register.Disable(ctx, code)
}

// EnableAgent reverses DisableAgent. The agent keeps its till, and its earlier
// payments get the same answers as before. For its errors see
// credential.Register.Enable.
func (as *Agents) EnableAgent(ctx context.Context, code string) error {
	return as.register.Enable(ctx, code)
}

// Unverified returns why agents are not as they were signed, by code; see
// credential.Register.Unverified.
func (as *Agents) Unverified(ctx context.Context) (map[string]error, error) {
	return as.register.Unverified(ctx)
}

// Debt is an agent with its debt, which is zero or positive.
type Debt struct {
	Agent
	Owed money.Amount
}

// Balances reads balances of accounts; *ledger.Ledger implements it.
type Balances interface {
	Balance(ctx context.Context, account int64) (money.Amount, error)
}

// Debts returns the debts of all agents, disabled ones too.
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
