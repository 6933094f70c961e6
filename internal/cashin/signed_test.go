package cashin_test

import (
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

// Credited and refused cash-ins are signed.
func TestCashInsAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		d.pay("kicb", "1", asel.String(), 100, cashin.Done)
		d.pay("kicb", "2", "no number", 100, cashin.BadAccount)
		databasetest.WantSigned(t, db, "cash_ins", 2)
		if n := databasetest.Queued(t, db, signature.CashIn); n != 2 {
			t.Errorf("%d are queued for the log", n)
		}
	})
}

// A refusal that another request has stored meanwhile is not queued for the log again.
func TestRepeatedRefusalIsLoggedOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		d.wallets.before = func() { // the other request, before the refusal is stored
			d.wallets.before = nil
			d.wallets.mu.Unlock()
			defer d.wallets.mu.Lock()
			d.pay("kicb", "1", nobody, 100, cashin.NoWallet)
		}
		d.pay("kicb", "1", nobody, 100, cashin.NoWallet)
		databasetest.WantSigned(t, db, "cash_ins", 1)
		if n := databasetest.Queued(t, db, signature.CashIn); n != 1 {
			t.Errorf("%d are queued for the log", n)
		}
	})
}

// A stored answer that was changed in the database is not returned to the terminal,
// which acts on it for good; the request may be repeated.
func TestForgedAnswerIsNotReturned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newFixture(t, db)
		d.pay("kicb", "1", nobody, 100, cashin.NoWallet)
		databasetest.TamperAll(t, db, "UPDATE cash_ins SET result = 0, customer_id = 1")
		if answer, err := d.PayIn(t.Context(), d.agents["kicb"], request("1", nobody, 100)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%+v, %v", answer, err)
		}
		databasetest.TamperAll(t, db, "UPDATE cash_ins SET result = 5, customer_id = 0")
		d.pay("kicb", "1", nobody, 100, cashin.NoWallet)
	})
}

// agentManipulations change an agent's row in the database, past the program.
var agentManipulations = map[string]string{
	"ceiling":   "UPDATE agents SET ceiling = ceiling * 100 WHERE code = 'kicb'",
	"addresses": "UPDATE agents SET allowed = '10.0.0.0/8' WHERE code = 'kicb'",
	"till":      "UPDATE agents SET till_id = till_id + 1 WHERE code = 'kicb'",
	"password":  "UPDATE agents SET password_hash = (SELECT password_hash FROM agents WHERE code = 'qiwi') WHERE code = 'kicb'",
	"disabled":  "UPDATE agents SET disabled = TRUE WHERE code = 'kicb'",
	"signature": "UPDATE agents SET mac = NULL, key_id = '' WHERE code = 'kicb'",
	"of another": "UPDATE agents SET mac = (SELECT mac FROM agents WHERE code = 'qiwi'), key_id = (SELECT key_id FROM agents WHERE code = 'qiwi') " +
		"WHERE code = 'kicb'",
}

// An agent whose row was changed in the database is neither accepted nor refused for
// good: its terminals repeat until the row is put right.
func TestForgedAgentIsUnavailable(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for name, statement := range agentManipulations {
			db := db
			if name != "ceiling" {
				db = databasetest.SQLite(t)
			}
			newFixture(t, db)
			ctx, as := t.Context(), newAgents(t, db)
			if _, err := as.Authenticate(ctx, "kicb", "a good password", home); err != nil {
				t.Fatal(err)
			}
			databasetest.TamperAll(t, db, statement)
			if _, err := newAgents(t, db).Authenticate(ctx, "kicb", "a good password", home); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := as.Authenticate(ctx, "qiwi", "a good password", home); err != nil {
				t.Errorf("%s: another agent: %v", name, err)
			}
		}
	})
}

// A change of an agent doesn't sign what was forged, unless it replaces all of it.
func TestForgedAgentIsNotSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		_, ctx, as := newFixture(t, db), t.Context(), newAgents(t, db)
		databasetest.TamperAll(t, db, agentManipulations["ceiling"])
		if err := as.DisableAgent(ctx, "kicb"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("disabled: %v", err)
		}
		name, allowed, limit := "KICB", credential.Anywhere(), ceiling
		change := cashin.AgentChange{Change: credential.Change{Name: &name, Allowed: &allowed}, Ceiling: &limit}
		if err := as.ChangeAgent(ctx, "kicb", change); !fault.Is(err, fault.Unavailable) {
			t.Errorf("changed but for the password: %v", err)
		}
		password := "a new password"
		change.Password = &password
		if err := as.ChangeAgent(ctx, "kicb", change); err != nil {
			t.Fatalf("replaced: %v", err)
		}
		if _, err := as.Authenticate(ctx, "kicb", "a new password", home); err != nil {
			t.Errorf("after it was replaced: %v", err)
		}
	})
}

// A change doesn't sign an earlier state of an agent that was put back.
func TestEarlierAgentIsNotSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		_, ctx, as := newFixture(t, db), t.Context(), newAgents(t, db)
		databasetest.TamperAll(t, db, "CREATE TABLE earlier AS SELECT * FROM agents WHERE code = 'kicb'", "CREATE TABLE sealed AS SELECT * FROM log_queue")
		if err := as.DisableAgent(ctx, "kicb"); err != nil {
			t.Fatal(err)
		}
		databasetest.TamperAll(t, db, "DELETE FROM log_queue WHERE id IN (SELECT id FROM sealed)",
			"UPDATE agents SET disabled = FALSE, mac = (SELECT mac FROM earlier), key_id = (SELECT key_id FROM earlier) WHERE code = 'kicb'")
		limit := ceiling + 1
		if err := as.ChangeAgent(ctx, "kicb", cashin.AgentChange{Ceiling: &limit}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("an agent that was disabled: %v", err)
		}
	})
}

// Each change of an agent is signed: it is accepted by another process, and the log gets
// the new state.
func TestAgentChangesAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		_, ctx, as := newFixture(t, db), t.Context(), newAgents(t, db)
		before := databasetest.Queued(t, db, signature.Agent)
		if err := as.AddAgent(ctx, cashin.NewAgent{Code: "kicb", Name: "kicb", Password: "a good password", Ceiling: 1}); !fault.Is(err, fault.Conflict) {
			t.Fatalf("added twice: %v", err)
		}
		if n := databasetest.Queued(t, db, signature.Agent) - before; n != 0 {
			t.Errorf("an agent that was not added is queued for the log")
		}
		if err := as.DisableAgent(ctx, "kicb"); err != nil {
			t.Fatal(err)
		}
		if err := as.EnableAgent(ctx, "kicb"); err != nil {
			t.Fatal(err)
		}
		more := 2 * ceiling
		if err := as.ChangeAgent(ctx, "kicb", cashin.AgentChange{Ceiling: &more}); err != nil {
			t.Fatal(err)
		}
		databasetest.WantSigned(t, db, "agents", 3)
		if n := databasetest.Queued(t, db, signature.Agent) - before; n != 3 {
			t.Errorf("%d changes are queued for the log", n)
		}
		if a, err := newAgents(t, db).Authenticate(ctx, "kicb", "a good password", home); err != nil || a.Ceiling != more {
			t.Errorf("%+v, %v", a, err)
		}
	})
}
