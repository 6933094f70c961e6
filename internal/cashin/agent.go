package cashin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"elsom/internal/attempt"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/password"
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
type Tries interface {
	Take(ctx context.Context, rule attempt.Rule, subject string) error
	Reset(ctx context.Context, rule attempt.Rule, subject string) error
}

// How often passwords may be tried: of one agent from one place, from one
// place whatever the agent, and of one agent from all places together. A
// password known to be right is no try, so the last never locks out an agent
// who is at work.
var (
	triesOfAgent   = attempt.Rule{Name: "cashin.agent", Limit: 20, Window: 10 * time.Minute}
	triesOfAddress = attempt.Rule{Name: "cashin.address", Limit: 60, Window: 10 * time.Minute}
	triesAnywhere  = attempt.Rule{Name: "cashin.agent anywhere", Limit: 300, Window: time.Hour}
)

// Agents is the register of agents.
type Agents struct {
	db       *database.DB
	tries    Tries
	keychain *keychain
}

// NewAgents makes the register on db. Passwords that have to be tried are
// counted by tries, where there is one (commands need none).
func NewAgents(db *database.DB, tries Tries) (*Agents, error) {
	k, err := newKeychain()
	if err != nil {
		return nil, fmt.Errorf("cashin: %w", err)
	}
	return &Agents{db: db, tries: tries, keychain: k}, nil
}

const (
	nameLength  = 100
	passwordMin = 8
	passwordMax = password.Max
	maxAllowed  = 20
)

var codeForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,31}\z`)

// IsCode tells whether a text could be an agent's code: only such is worth a
// line in the log.
func IsCode(text string) bool { return codeForm.MatchString(text) }

func (a NewAgent) check() error {
	var wrong []string
	if !IsCode(a.Code) {
		wrong = append(wrong, "the code: 1 to 32 small Latin letters, digits and dashes")
	}
	if n := utf8.RuneCountInString(a.Name); n < 1 || n > nameLength || !printable(a.Name) {
		wrong = append(wrong, fmt.Sprintf("the name: 1 to %d characters", nameLength))
	}
	if n := utf8.RuneCountInString(a.Password); n < passwordMin || n > passwordMax || !printable(a.Password) {
		wrong = append(wrong, fmt.Sprintf("the password: %d to %d characters", passwordMin, passwordMax))
	}
	if a.Ceiling <= 0 || a.Ceiling > money.Max {
		wrong = append(wrong, "the ceiling: an amount above zero")
	}
	if len(a.Allowed) > maxAllowed {
		wrong = append(wrong, fmt.Sprintf("the addresses: at most %d", maxAllowed))
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
		if added, err = insertAgent(tx, a, hash, till); err != nil || !added {
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
	r, known, err := readAgent(ctx, as.db, code)
	if err != nil {
		return Agent{}, fault.New(fault.Unavailable, act, "").Because(err)
	}
	agent := r.agent()
	hash, counted := r.PasswordHash, true
	if known && (agent.Disabled || !allows(agent.Allowed, from)) {
		// No password opens the door here: none is compared, and strangers
		// don't use up the tries of the agent's own places.
		hash, counted = "", false
	}
	right, err := as.keychain.match(ctx, hash, code, password, as.db.Now, as.counted(ctx, code, from, counted))
	if err != nil {
		return Agent{}, err
	}
	if !right {
		return Agent{}, fault.New(fault.Forbidden, act, "")
	}
	return agent, nil
}

// counted counts a password that has to be tried, everywhere: also among the
// agent's tries from all places; and forgets the agent's tries from this place
// once one was right.
func (as *Agents) counted(ctx context.Context, code string, from netip.Addr, everywhere bool) tally {
	place := attempt.Place(from.String())
	if as.tries == nil {
		return tally{place: place, take: func() error { return nil }, reset: func() {}}
	}
	return tally{
		place: place,
		take: func() error {
			if err := as.tries.Take(ctx, triesOfAddress, place); err != nil {
				return err
			}
			if err := as.tries.Take(ctx, triesOfAgent, code+" "+place); err != nil || !everywhere {
				return err
			}
			return as.tries.Take(ctx, triesAnywhere, code)
		},
		reset: func() {
			// A count that stays too high for a while is no harm to the caller.
			_ = as.tries.Reset(ctx, triesOfAgent, code+" "+place)
		},
	}
}

func allows(allowed []netip.Prefix, from netip.Addr) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(from.Unmap()) })
}

// ParseAllowed reads addresses and CIDRs as an operator writes them.
func ParseAllowed(texts []string) ([]netip.Prefix, error) {
	var allowed []netip.Prefix
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			address = address.Unmap().WithZone("")
			allowed = append(allowed, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "cashin.add_agent", "").
				Because(fmt.Errorf("%q is neither an address nor a CIDR", text))
		}
		allowed = append(allowed, prefix.Masked())
	}
	return allowed, nil
}
