package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"elsom/internal/credential"
	"elsom/internal/fault"
)

// Scope is a route that a gateway may call. The password that Kannel sends with
// every receipt must not give access to *900# for any number.
type Scope string

// The scopes.
const (
	USSD     Scope = "ussd"     // POST /ussd
	Kannel   Scope = "kannel"   // POST /ussd/kannel
	Receipts Scope = "receipts" // GET /sms/dlr
)

// Scopes returns all scopes.
func Scopes() []Scope { return []Scope{USSD, Kannel, Receipts} }

// May reports whether the gateway may call the route of a scope.
func (g Gateway) May(s Scope) bool { return slices.Contains(g.Scopes, s) }

// Inputs is how a gateway of POST /ussd sends what a phone typed.
type Inputs string

// The kinds of inputs. A request doesn't show which it is ("3" twice is a repeat,
// or a choice in two menus), so the operator configures it.
const (
	AllInputs Inputs = "all"  // all inputs of the session, joined by "*"
	LastInput Inputs = "last" // the last input only
)

// Change is a change of a gateway; nil and empty fields stay as they are.
type Change struct {
	credential.Change
	Scopes []Scope
	Inputs Inputs
}

func (c Change) judge() error {
	wrong := c.Change.Judge()
	if c.Empty() && len(c.Scopes) == 0 && c.Inputs == "" {
		wrong = append(wrong, "nothing to change")
	}
	wrong = append(wrong, judgeRoutes(c.Scopes, c.Inputs)...)
	if c.Password != nil && *c.Password == DevelopmentPassword {
		wrong = append(wrong, "the password is the demo gateway's")
	}
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "gateway.change", "").Because(errors.New(strings.Join(wrong, "; ")))
	}
	return nil
}

// judgeRoutes returns what is wrong with scopes and inputs where they are given.
func judgeRoutes(scopes []Scope, inputs Inputs) (wrong []string) {
	for i, s := range scopes {
		if !slices.Contains(Scopes(), s) || slices.Contains(scopes[:i], s) {
			wrong = append(wrong, "the scopes: ussd, kannel, receipts, each once")
			break
		}
	}
	if inputs != "" && inputs != AllInputs && inputs != LastInput {
		wrong = append(wrong, "the inputs: all or last")
	}
	return wrong
}

// Change changes a gateway; all processes apply it within a second. Errors: Invalid (the
// cause says what, for the operator), NotFound.
func (gs *Gateways) Change(ctx context.Context, code string, c Change) error {
	const act = "gateway.change"
	if err := c.judge(); err != nil {
		return err
	}
	hash, mac := "", ""
	if c.Password != nil {
		var err error
		if hash, err = gs.keychain.Hash(ctx, *c.Password); err != nil {
			return err
		}
		mac = gs.keychain.MAC(code, hash, *c.Password)
	}
	found, err := update(ctx, gs.db, code, c, hash, mac)
	return gs.changed(act, code, found, err)
}

// Enable reverses Disable. Errors: NotFound; Invalid (its list of addresses is
// malformed).
func (gs *Gateways) Enable(ctx context.Context, code string) error {
	const act = "gateway.enable"
	r, err := gs.read(ctx, code)
	if err != nil {
		return fault.Wrap(act, err)
	}
	if r.gateway().Unreadable {
		return fault.New(fault.Invalid, act, "").Because(fmt.Errorf("the addresses of %s can't be read: give it new ones with --allow first", code))
	}
	found, err := setDisabled(ctx, gs.db, code, false)
	return gs.changed(act, code, found, err)
}

// Disable disables a gateway, in all processes within a second. It returns
// fault.NotFound for an unknown one.
func (gs *Gateways) Disable(ctx context.Context, code string) error {
	found, err := setDisabled(ctx, gs.db, code, true)
	return gs.changed("gateway.disable", code, found, err)
}

func (gs *Gateways) changed(act, code string, found bool, err error) error {
	gs.recent.Delete(code)
	if err == nil && !found {
		return fault.New(fault.NotFound, act, "").Because(fmt.Errorf("there is no gateway %s", code))
	}
	return fault.Wrap(act, err)
}
