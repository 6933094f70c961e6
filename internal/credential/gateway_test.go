package credential_test

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

var home = netip.MustParseAddr("127.0.0.1")

func TestGatewayAuthentication(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		gs, err := credential.NewGateways(db, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		allowed, err := credential.ParseAllowed([]string{"10.1.0.0/16"})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []credential.NewGateway{
			{Code: "megacom", Name: "Megacom", Password: "correct horse", Scopes: credential.Scopes()},
			{Code: "kannel", Name: "Kannel", Password: "correct horse", Allowed: allowed, Scopes: credential.Scopes()},
		} {
			if err := gs.Add(ctx, g); err != nil {
				t.Fatal(err)
			}
			if err := gs.Add(ctx, g); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second time: %v", err)
			}
		}
		for _, g := range []credential.NewGateway{
			{Code: "A:b", Name: "x", Password: "correct horse", Scopes: credential.Scopes()},
			{Code: "x", Password: "correct horse", Scopes: credential.Scopes()},
			{Code: "x", Name: "x", Password: "short", Scopes: credential.Scopes()},
			{Code: "x", Name: "x", Password: credential.DevelopmentPassword, Scopes: credential.Scopes()},
			{Code: "x", Name: "x", Password: "correct horse"},
			{Code: "x", Name: "x", Password: "correct horse", Scopes: []credential.Scope{"sms"}},
			{Code: "x", Name: "x", Password: "correct horse", Scopes: credential.Scopes(), Inputs: "first"},
		} {
			if err := gs.Add(ctx, g); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", g, err)
			}
		}
		in := func(code, password, from string, want bool) {
			t.Helper()
			g, err := gs.Authenticate(ctx, code, password, netip.MustParseAddr(from))
			if want != (err == nil) || (want && g.Code != code) || (!want && !fault.Is(err, fault.Forbidden)) {
				t.Errorf("%s from %s: %+v, %v", code, from, g, err)
			}
		}
		in("megacom", "correct horse", "127.0.0.1", true)
		in("megacom", "correct hors", "127.0.0.1", false)
		in("nobody", "correct horse", "127.0.0.1", false)
		in("kannel", "correct horse", "10.1.2.3", true)
		in("kannel", "correct horse", "10.2.2.3", false)
		if err := gs.Disable(ctx, "megacom"); err != nil {
			t.Fatal(err)
		}
		in("megacom", "correct horse", "127.0.0.1", false)
		if err := gs.Disable(ctx, "nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("disabling nobody: %v", err)
		}
		list, err := gs.List(ctx)
		if err != nil || len(list) != 2 || list[0].Code != "kannel" || !list[1].Disabled {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestDevelopmentGateway(t *testing.T) {
	db, ctx := databasetest.SQLite(t), t.Context()
	gs, err := credential.NewGateways(db, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := func(want bool) {
		t.Helper()
		if got, err := gs.HasDevelopmentCredentials(ctx); err != nil || got != want {
			t.Errorf("demo credentials: %v, %v", got, err)
		}
	}
	open(false)
	for range 2 {
		if err := gs.SeedDevelopment(ctx); err != nil {
			t.Fatal(err)
		}
	}
	open(true)
	var all sync.WaitGroup
	for range 20 { // concurrent requests share one slow hash
		all.Go(func() {
			if _, err := gs.Authenticate(ctx, "ussd", "dev-ussd", home); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := gs.Disable(ctx, "ussd"); err != nil {
		t.Fatal(err)
	}
	open(false)
	if _, err := gs.Authenticate(ctx, "ussd", "dev-ussd", home); !fault.Is(err, fault.Forbidden) {
		t.Errorf("after it was disabled: %v", err)
	}
	if _, err := gs.Authenticate(ctx, strings.Repeat("x", 1000), "dev-ussd", home); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}
