package credential

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ratelimit"
	"elsom/internal/signature"
)

// Gateway is a machine that forwards *900# or delivery receipts to us.
type Gateway struct {
	// Code is the user name of HTTP Basic: lower-case Latin letters, digits, dashes.
	Code string
	Name string
	// Allowed are the addresses that requests may come from; empty means all.
	Allowed []netip.Prefix
	// Scopes are the routes that the gateway may call. Unscoped reports that no scopes
	// were chosen; Scopes then has all of them.
	Scopes   []Scope
	Unscoped bool
	Inputs   Inputs
	Disabled bool
	// Unreadable reports that its list of addresses is malformed; it is then disabled.
	Unreadable bool
	CreatedAt  time.Time
}

// May reports whether the gateway may call the route of a scope.
func (g Gateway) May(s Scope) bool { return slices.Contains(g.Scopes, s) }

// Scope is a route that a gateway may call. Scopes exist because the password that
// Kannel sends with every receipt must not give access to *900# for any number.
type Scope string

// The scopes.
const (
	USSD     Scope = "ussd"     // POST /ussd
	Kannel   Scope = "kannel"   // POST /ussd/kannel
	Receipts Scope = "receipts" // GET /sms/dlr
)

// Scopes returns all scopes.
func Scopes() []Scope { return []Scope{USSD, Kannel, Receipts} }

// Inputs is the form in which a gateway of POST /ussd sends the input of a session.
type Inputs string

// The forms of inputs. A request doesn't show its form ("3" twice may be a repeat
// or a choice in two menus), so the operator configures it.
const (
	AllInputs Inputs = "all"  // all inputs of the session, joined by "*"
	LastInput Inputs = "last" // the last input only
)

// NewGateway is a gateway to be added.
type NewGateway struct {
	Code     string
	Name     string
	Password string // 8–128 characters; stored hashed
	Allowed  []netip.Prefix
	Scopes   []Scope // at least one
	Inputs   Inputs  // empty: AllInputs
}

// GatewayChange changes a gateway; nil and empty fields stay as they are.
type GatewayChange struct {
	Change
	Scopes []Scope
	Inputs Inputs
}

// The gateway of development. Its password is public, so production refuses to
// start with it.
const (
	DevelopmentGateway  = "ussd"
	DevelopmentPassword = "dev-ussd" //nolint:gosec // public; production refuses to start with it
)

var gateways = Realm{
	Name: "gateway", Table: "gateways",
	Limits: Limits{
		Code:    ratelimit.Rule{Name: "gateway", Limit: 20, Window: 10 * time.Minute},
		Address: ratelimit.Rule{Name: "gateway by address", Limit: 60, Window: 10 * time.Minute},
		Total:   ratelimit.Rule{Name: "gateway anywhere", Limit: 300, Window: time.Hour},
	},
	DemoPassword: func(string) string { return DevelopmentPassword },
}

// gatewayDetails are the columns that gateways have besides their credentials.
type gatewayDetails struct {
	Number int64  `gorm:"column:id" json:"-"`
	Scopes string `json:"scopes"` // separated by spaces, or everyScope
	Inputs string `json:"inputs"`
	MAC    []byte `gorm:"column:mac" json:"-"`
	KeyID  string `json:"-"`
}

// Record implements SignedCaller: the canonical form of a gateway's row. It is stored in
// signatures and in the log, so it never changes.
func (d *gatewayDetails) Record(c SignedColumns) *signature.Record {
	return signature.NewRecord(signature.Gateway, d.Number).Text(c.Code).Text(c.Name).Text(c.PasswordHash).Text(c.Allowed).
		Text(d.Scopes).Text(d.Inputs).Bool(c.Disabled)
}

// SignedColumns implements SignedCaller.
func (d *gatewayDetails) SignedColumns() []string { return []string{"scopes", "inputs"} }

// Signature implements SignedCaller.
func (d *gatewayDetails) Signature() (mac *[]byte, keyID *string) { return &d.MAC, &d.KeyID }

// everyScope is stored for a gateway for which no scopes were chosen.
const everyScope = "*"

// Gateways is the register of gateways.
type Gateways struct{ register *Register[gatewayDetails] }

// NewGateways returns the register on db; see NewRegister.
func NewGateways(db *database.DB, counters Counters, serverSecret []byte, previous ...[]byte) (*Gateways, error) {
	register, err := NewRegister[gatewayDetails](db, gateways, counters, serverSecret, previous...)
	return &Gateways{register}, err
}

// Add stores a gateway. Errors: Invalid (the cause lists all problems), Conflict
// (the code is taken).
func (gs *Gateways) Add(ctx context.Context, g NewGateway) error {
	problems := scopeProblems(g.Scopes, g.Inputs)
	if len(g.Scopes) == 0 {
		problems = append(problems, "the scopes: one at least of ussd, kannel, receipts")
	}
	added, err := gs.register.Add(ctx, g.entry(gs.register.db.NewID()), problems, nil)
	if err == nil && !added {
		return fault.New(fault.Conflict, "gateway.add", "").Because(fmt.Errorf("the gateway %s exists", g.Code))
	}
	return err
}

func (g NewGateway) entry(number int64) New[gatewayDetails] {
	return New[gatewayDetails]{
		Code: g.Code, Name: g.Name, Password: g.Password, Allowed: g.Allowed,
		Details: gatewayDetails{Number: number, Scopes: writeScopes(g.Scopes), Inputs: string(cmp.Or(g.Inputs, AllInputs))},
	}
}

// List returns all gateways by code, disabled ones too.
func (gs *Gateways) List(ctx context.Context) ([]Gateway, error) {
	entries, err := gs.register.List(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Gateway, len(entries))
	for i, e := range entries {
		list[i] = gatewayOf(e)
	}
	return list, nil
}

// Authenticate returns the gateway with this code and password; for its errors see
// Register.Authenticate.
func (gs *Gateways) Authenticate(ctx context.Context, code, password string, from netip.Addr) (Gateway, error) {
	e, err := gs.register.Authenticate(ctx, code, password, from)
	if err != nil {
		return Gateway{}, err
	}
	return gatewayOf(e), nil
}

// Change changes a gateway. Errors: Invalid (the cause lists all problems), NotFound.
func (gs *Gateways) Change(ctx context.Context, code string, c GatewayChange) error {
	columns := map[string]any{}
	if len(c.Scopes) > 0 {
		columns["scopes"] = writeScopes(c.Scopes)
	}
	if c.Inputs != "" {
		columns["inputs"] = string(c.Inputs)
	}
	return gs.register.Change(ctx, code, c.Change, columns, scopeProblems(c.Scopes, c.Inputs), nil)
}

// Enable reverses Disable; for its errors see Register.Enable.
func (gs *Gateways) Enable(ctx context.Context, code string) error {
	return gs.register.Enable(ctx, code)
}

// Disable disables a gateway. It returns fault.NotFound for an unknown code.
func (gs *Gateways) Disable(ctx context.Context, code string) error {
	return gs.register.Disable(ctx, code)
}

// SeedDevelopment adds the development gateway unless its code is taken.
func (gs *Gateways) SeedDevelopment(ctx context.Context) error {
	g := NewGateway{Code: DevelopmentGateway, Name: "USSD", Allowed: Anywhere(), Scopes: Scopes()}
	return gs.register.Seed(ctx, g.entry(gs.register.db.NewID()), nil)
}

// HasDevelopmentCredentials reports whether the development gateway is accepted
// with its public password.
func (gs *Gateways) HasDevelopmentCredentials(ctx context.Context) (bool, error) {
	//mutant:replace gs.register.AcceptsDemoPassword(ctx, DevelopmentGateway) => false, nil TestDevelopmentGateway
	return gs.register.AcceptsDemoPassword(ctx, DevelopmentGateway)
}

// Unverified returns why gateways are not as they were signed, by code; see
// Register.Unverified.
func (gs *Gateways) Unverified(ctx context.Context) (map[string]error, error) {
	return gs.register.Unverified(ctx)
}

func gatewayOf(e Entry[gatewayDetails]) Gateway {
	g := Gateway{
		Code: e.Code, Name: e.Name, Allowed: e.Allowed, Inputs: Inputs(e.Details.Inputs),
		Disabled: e.Disabled, Unreadable: e.Unreadable, CreatedAt: e.CreatedAt,
	}
	if e.Details.Scopes == everyScope {
		g.Scopes, g.Unscoped = Scopes(), true
		return g
	}
	for field := range strings.FieldsSeq(e.Details.Scopes) {
		g.Scopes = append(g.Scopes, Scope(field))
	}
	return g
}

func writeScopes(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, s := range scopes {
		texts[i] = string(s)
	}
	return strings.Join(texts, " ")
}

// scopeProblems returns descriptions of invalid scopes and inputs; empty ones are
// valid.
func scopeProblems(scopes []Scope, inputs Inputs) (problems []string) {
	for i, s := range scopes {
		if !slices.Contains(Scopes(), s) || slices.Contains(scopes[:i], s) {
			problems = append(problems, "the scopes: ussd, kannel, receipts, each once")
			break
		}
	}
	if inputs != "" && inputs != AllInputs && inputs != LastInput {
		problems = append(problems, "the inputs: all or last")
	}
	return problems
}
