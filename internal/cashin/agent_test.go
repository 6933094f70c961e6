package cashin_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/ratelimit"
)

var home = netip.MustParseAddr("127.0.0.1")

func newAgents(t testing.TB, db *database.DB) *cashin.Agents {
	t.Helper()
	as, err := cashin.NewAgents(db, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return as
}

func TestAgentAuthentication(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, as := t.Context(), newAgents(t, db)
		allowed, err := credential.ParseAllowed([]string{"10.1.0.0/16", "192.0.2.7", "2001:db8::/32"})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []cashin.NewAgent{
			{Code: "open", Name: "Open", Password: "correct horse", Ceiling: ceiling},
			{Code: "fenced", Name: "Fenced", Password: "correct horse", Ceiling: ceiling, Allowed: allowed},
			{Code: "gone", Name: "Gone", Password: "correct horse", Ceiling: ceiling},
		} {
			if err := as.AddAgent(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := as.Authenticate(ctx, "gone", "correct horse", home); err != nil {
			t.Fatalf("before it was disabled: %v", err)
		}
		if err := as.DisableAgent(ctx, "gone"); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from the cache
			for _, c := range []struct {
				code, password, from string
				in                   bool
			}{
				{"open", "correct horse", "127.0.0.1", true},
				{"open", "correct hors", "127.0.0.1", false},
				{"open", "", "127.0.0.1", false},
				{"open", strings.Repeat("x", 1000), "127.0.0.1", false},
				{"", "", "127.0.0.1", false},
				{"Open", "correct horse", "127.0.0.1", false},
				{"nobody", "correct horse", "127.0.0.1", false},
				{"nobody", "nobody's password", "127.0.0.1", false},
				{"' OR 1=1 --", "correct horse", "127.0.0.1", false},
				{"gone", "correct horse", "127.0.0.1", false},
				{"fenced", "correct horse", "10.1.2.3", true},
				{"fenced", "correct horse", "::ffff:10.1.2.3", true},
				{"fenced", "correct horse", "192.0.2.7", true},
				{"fenced", "correct horse", "2001:db8::5", true},
				{"fenced", "correct horse", "10.2.0.1", false},
				{"fenced", "correct horse", "192.0.2.8", false},
			} {
				agent, err := as.Authenticate(ctx, c.code, c.password, netip.MustParseAddr(c.from))
				if c.in != (err == nil) || (c.in && agent.Code != c.code) {
					t.Errorf("%+v: %+v, %v", c, agent, err)
				}
				if !c.in && !fault.Is(err, fault.Forbidden) {
					t.Errorf("%+v: %v", c, err)
				}
			}
		}
	})
}

func TestAddAgent(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, as := t.Context(), newAgents(t, db)
		good := cashin.NewAgent{Code: "bank-1", Name: "Банк", Password: "correct horse", Ceiling: 500}
		if err := as.AddAgent(ctx, good); err != nil {
			t.Fatal(err)
		}
		if err := as.AddAgent(ctx, good); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second time: %v", err)
		}
		renamed := good
		renamed.Code, renamed.Name = "bank-2", "БАНК" // repeats of bank-1's terminals would be credited again
		if err := as.AddAgent(ctx, renamed); !fault.Is(err, fault.Conflict) {
			t.Errorf("under a second code: %v", err)
		}
		for name, spoil := range map[string]func(a *cashin.NewAgent){
			"no code":            func(a *cashin.NewAgent) { a.Code = "" },
			"a code with colon":  func(a *cashin.NewAgent) { a.Code = "a:b" },
			"no name":            func(a *cashin.NewAgent) { a.Name = "" },
			"a short password":   func(a *cashin.NewAgent) { a.Password = "1234567" },
			"a long password":    func(a *cashin.NewAgent) { a.Password = strings.Repeat("п", 129) },
			"the demo password":  func(a *cashin.NewAgent) { a.Code, a.Password = "kicb", "dev-kicb" },
			"no ceiling":         func(a *cashin.NewAgent) { a.Ceiling = 0 },
			"a negative ceiling": func(a *cashin.NewAgent) { a.Ceiling = -5 },
		} {
			a := good
			a.Code, a.Name = "other", "Other"
			spoil(&a)
			if err := as.AddAgent(ctx, a); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := as.DisableAgent(ctx, "nobody"); !fault.Is(err, fault.NotFound) {
			t.Errorf("disabling nobody: %v", err)
		}
		list, err := as.ListAgents(ctx)
		if err != nil || len(list) != 1 || list[0].Code != "bank-1" || list[0].Ceiling != 500 || list[0].Disabled {
			t.Fatalf("%+v, %v", list, err)
		}
		books := ledger.New(db, ledger.Options{})
		defer books.Close()
		if b, err := books.Balance(ctx, list[0].Till); err != nil || b != 0 {
			t.Errorf("the till: %s, %v", b, err)
		}
		var hash string
		if err := db.Pool().QueryRow("SELECT password_hash FROM agents").Scan(&hash); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("the password is stored as %s", hash)
		}
	})
	if _, err := credential.ParseAllowed([]string{"10.0.0.0/33"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broken CIDR: %v", err)
	}
}

func TestDevelopmentAgents(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, as := t.Context(), newAgents(t, db)
		has := func(want bool) {
			t.Helper()
			if got, err := as.HasDevelopmentCredentials(ctx); err != nil || got != want {
				t.Errorf("demo credentials: %v, %v; want %v", got, err, want)
			}
		}
		own := cashin.NewAgent{Code: "kicb", Name: "KICB", Password: "correct horse", Ceiling: ceiling}
		if err := as.AddAgent(ctx, own); err != nil {
			t.Fatal(err)
		}
		has(false)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				err := as.SeedDevelopment(context.Background())
				for fault.Is(err, fault.Unavailable) { // a busy machine
					err = as.SeedDevelopment(context.Background())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		has(true)
		list, err := as.ListAgents(ctx)
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		if _, err := as.Authenticate(ctx, "kicb", "correct horse", home); err != nil {
			t.Errorf("an agent added by the operator was changed: %v", err)
		}
		for _, code := range []string{"mobilnik", "qiwi"} {
			if _, err := as.Authenticate(ctx, code, "dev-"+code, home); err != nil {
				t.Errorf("%s: %v", code, err)
			}
			if err := as.DisableAgent(ctx, code); err != nil {
				t.Error(err)
			}
		}
		has(false)
	})
}

func TestWrongPasswordsAreCounted(t *testing.T) {
	as, ctx := countedAgents(t), t.Context()
	// A right password is not counted.
	for range 70 {
		if _, err := as.Authenticate(ctx, "known", "correct horse", home); err != nil {
			t.Fatal(err)
		}
	}
	stranger := netip.MustParseAddr("203.0.113.9")
	refused := 0
	for range 30 {
		_, err := as.Authenticate(ctx, "known", "guess", stranger)
		switch {
		case fault.Is(err, fault.TooMany):
			refused++
			if fault.As(err).RetryAfter <= 0 {
				t.Error("no RetryAfter")
			}
		case !fault.Is(err, fault.Forbidden):
			t.Fatal(err)
		}
	}
	if refused != 10 {
		t.Errorf("%d of 30 guesses were refused without a comparison", refused)
	}
	// Neither another address nor a recognized password is locked out.
	for _, from := range []netip.Addr{home, stranger} {
		if _, err := as.Authenticate(ctx, "known", "correct horse", from); err != nil {
			t.Errorf("from %s: %v", from, err)
		}
	}
	if _, err := as.Authenticate(ctx, "late", "correct horse", home); err != nil {
		t.Errorf("another agent: %v", err)
	}
}

// Guesses from all addresses of a subscriber's IPv6 network are counted together.
func TestWrongPasswordsAreCountedByNetwork(t *testing.T) {
	as := countedAgents(t)
	refused := 0
	for i := range 30 {
		from := netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2::%x", i+1))
		if _, err := as.Authenticate(t.Context(), "known", fmt.Sprint("guess ", i), from); fault.Is(err, fault.TooMany) {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 30 guesses from one network were refused without a comparison", refused)
	}
}

// exhaustible records attempts; one rule can be exhausted.
type exhaustible struct {
	rule  string
	taken []string
}

func (f *exhaustible) Take(_ context.Context, rule ratelimit.Rule, subject string) error {
	f.taken = append(f.taken, rule.Name+": "+subject)
	if rule.Name == f.rule {
		return ratelimit.TooMany("test", time.Minute)
	}
	return nil
}

func (f *exhaustible) Reset(context.Context, ratelimit.Rule, string) error { return nil }

// Guesses from all addresses together are limited, but the limit neither locks out
// a caller whose password is recognized nor counts callers from foreign addresses.
func TestWrongPasswordsAreCountedInTotal(t *testing.T) {
	counters := &exhaustible{}
	as, err := cashin.NewAgents(databasetest.SQLite(t), counters, nil)
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := credential.ParseAllowed([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for code, from := range map[string][]netip.Prefix{"known": nil, "late": nil, "fenced": allowed} {
		a := cashin.NewAgent{Code: code, Name: code, Password: "correct horse", Ceiling: 1, Allowed: from}
		if err := as.AddAgent(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := as.Authenticate(t.Context(), "known", "correct horse", home); err != nil {
		t.Fatal(err)
	}
	counters.rule = "cashin.agent anywhere"
	elsewhere := netip.MustParseAddr("2001:db8:1:2::9")
	for _, c := range []struct {
		code, password string
		want           fault.Kind
		taken          int
	}{
		{"known", "guess", fault.TooMany, 3},
		{"late", "correct horse", fault.TooMany, 3},
		{"nobody", "guess", fault.TooMany, 3},
		{"fenced", "guess", fault.Forbidden, 2},
		{"fenced", "correct horse", fault.Forbidden, 2},
	} {
		counters.taken = nil
		_, err := as.Authenticate(t.Context(), c.code, c.password, elsewhere)
		if !fault.Is(err, c.want) || len(counters.taken) != c.taken {
			t.Errorf("%s with %s: %v after counting %q", c.code, c.password, err, counters.taken)
		}
		if len(counters.taken) == 3 && counters.taken[2] != "cashin.agent anywhere: "+c.code {
			t.Errorf("counted as %q", counters.taken)
		}
	}
	if _, err := as.Authenticate(t.Context(), "known", "correct horse", elsewhere); err != nil {
		t.Errorf("a recognized password: %v", err)
	}
}

// Concurrent requests with one right password are one attempt.
func TestConcurrentRequestsAreOneAttempt(t *testing.T) {
	as := countedAgents(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := as.Authenticate(context.Background(), "known", "correct horse", home); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func countedAgents(t *testing.T) *cashin.Agents {
	t.Helper()
	db := databasetest.SQLite(t)
	counters, err := ratelimit.New(db, ratelimit.Options{Secret: []byte(strings.Repeat("s", 32))})
	if err != nil {
		t.Fatal(err)
	}
	as, err := cashin.NewAgents(db, counters, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"known", "late"} {
		if err := as.AddAgent(t.Context(), cashin.NewAgent{Code: code, Name: code, Password: "correct horse", Ceiling: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return as
}
