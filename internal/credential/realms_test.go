package credential_test

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// callers is the register of a realm in one process, reduced to what both realms
// have in common.
type callers struct {
	add          func(ctx context.Context, code, password string) error
	authenticate func(ctx context.Context, code, password string, from netip.Addr) error
	change       func(ctx context.Context, code string, c credential.Change) error
	disable      func(ctx context.Context, code string) error
	enable       func(ctx context.Context, code string) error
}

// realms opens a register of each realm.
var realms = map[string]func(t *testing.T, db *database.DB) callers{
	"agent": func(t *testing.T, db *database.DB) callers {
		as, err := cashin.NewAgents(db, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return callers{
			add: func(ctx context.Context, code, password string) error {
				return as.AddAgent(ctx, cashin.NewAgent{Code: code, Name: code, Password: password, Ceiling: 1})
			},
			authenticate: func(ctx context.Context, code, password string, from netip.Addr) error {
				_, err := as.Authenticate(ctx, code, password, from)
				return err
			},
			change: func(ctx context.Context, code string, c credential.Change) error {
				return as.ChangeAgent(ctx, code, cashin.AgentChange{Change: c})
			},
			disable: as.DisableAgent, enable: as.EnableAgent,
		}
	},
	"gateway": func(t *testing.T, db *database.DB) callers {
		gs, err := credential.NewGateways(db, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return callers{
			add: func(ctx context.Context, code, password string) error {
				return gs.Add(ctx, credential.NewGateway{Code: code, Name: code, Password: password, Scopes: credential.Scopes()})
			},
			authenticate: func(ctx context.Context, code, password string, from netip.Addr) error {
				_, err := gs.Authenticate(ctx, code, password, from)
				return err
			},
			change: func(ctx context.Context, code string, c credential.Change) error {
				return gs.Change(ctx, code, credential.GatewayChange{Change: c})
			},
			disable: gs.Disable, enable: gs.Enable,
		}
	},
}

const first, second = "correct horse", "battery staple"

var newPassword, elsewhere = second, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}

// changes are changes of a credential whose password is first.
var changes = []struct {
	name    string
	prepare func(ctx context.Context, r callers, code string) error
	change  func(ctx context.Context, r callers, code string) error
	// accepted and refused are passwords after the change; empty: none.
	accepted, refused string
}{
	{
		name:    "disable",
		change:  func(ctx context.Context, r callers, code string) error { return r.disable(ctx, code) },
		refused: first,
	},
	{
		name:     "enable",
		prepare:  func(ctx context.Context, r callers, code string) error { return r.disable(ctx, code) },
		change:   func(ctx context.Context, r callers, code string) error { return r.enable(ctx, code) },
		accepted: first,
	},
	{
		name: "password",
		change: func(ctx context.Context, r callers, code string) error {
			return r.change(ctx, code, credential.Change{Password: &newPassword})
		},
		accepted: second, refused: first,
	},
	{
		name: "addresses",
		change: func(ctx context.Context, r callers, code string) error {
			return r.change(ctx, code, credential.Change{Allowed: &elsewhere})
		},
		refused: first,
	},
}

// TestChangesAreApplied checks that a change of a credential is applied at once by
// the process that made it, and after a second by another one.
func TestChangesAreApplied(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixMilli())
	clock := func() time.Time { return time.UnixMilli(now.Load()).UTC() }
	for name, db := range map[string]*database.DB{
		"sqlite":   databasetest.SQLite(t, database.WithClock(clock)),
		"postgres": databasetest.Postgres(t, database.WithClock(clock)),
	} {
		for realm, open := range realms {
			here, there := open(t, db), open(t, db)
			for _, c := range changes {
				t.Run(name+"/"+realm+"/"+c.name, func(t *testing.T) {
					ctx := t.Context()
					check := func(process string, r callers) {
						t.Helper()
						if c.accepted != "" {
							if err := r.authenticate(ctx, c.name, c.accepted, home); err != nil {
								t.Errorf("%s: %v", process, err)
							}
						}
						if c.refused != "" {
							if err := r.authenticate(ctx, c.name, c.refused, home); !fault.Is(err, fault.Forbidden) {
								t.Errorf("%s: %v, want %v", process, err, fault.Forbidden)
							}
						}
					}
					if err := here.add(ctx, c.name, first); err != nil {
						t.Fatal(err)
					}
					if c.prepare != nil {
						if err := c.prepare(ctx, here, c.name); err != nil {
							t.Fatal(err)
						}
					}
					for _, r := range []callers{here, there} { // so that both have the row in their caches
						_ = r.authenticate(ctx, c.name, first, home)
					}
					if err := c.change(ctx, here, c.name); err != nil {
						t.Fatal(err)
					}
					check("the process that changed it", here)
					now.Add(time.Second.Milliseconds())
					check("another process after a second", there)
				})
			}
		}
	}
}
