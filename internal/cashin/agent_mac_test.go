package cashin_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/argon2id"

	"elsom/internal/cashin"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ratelimit"
)

// A password that was right before is recognized without being counted: by the
// process that added the agent, by one that starts later, and after a change of the
// password only the new one.
func TestRightPasswordIsNotCounted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, secret := t.Context(), []byte(strings.Repeat("s", 32))
		start := func(secret []byte) (*cashin.Agents, *counter) {
			t.Helper()
			attempts := &counter{}
			as, err := cashin.NewAgents(db, attempts, secret)
			if err != nil {
				t.Fatal(err)
			}
			return as, attempts
		}
		call := func(secret []byte, code, password string, in bool, counted int64) {
			t.Helper()
			as, attempts := start(secret)
			for range 2 {
				if _, err := as.Authenticate(ctx, code, password, home); in != (err == nil) {
					t.Errorf("%s with %q: %v", code, password, err)
				}
			}
			if n := attempts.n.Load(); n != counted {
				t.Errorf("%s with %q: %d attempts counted, want %d", code, password, n, counted)
			}
		}
		for code, key := range map[string][]byte{"added": secret, "old": nil} {
			as, _ := start(key)
			if err := as.AddAgent(ctx, cashin.NewAgent{Code: code, Name: code, Password: "correct horse", Ceiling: 1}); err != nil {
				t.Fatal(err)
			}
		}
		call(secret, "added", "correct horse", true, 0)
		call(secret, "added", "correct hors", false, 6) // by address, by code, in total; twice
		call(secret, "old", "correct horse", true, 3)   // added without a keyed hash: compared once
		call(secret, "old", "correct horse", true, 0)
		call([]byte(strings.Repeat("o", 32)), "old", "correct horse", true, 3) // the keyed hash is void under another key
		other, err := argon2id.CreateHash("battery staple", argon2id.DefaultParams)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			"INSERT INTO unsigned_allowed VALUES (1)", "UPDATE agents SET password_hash = '" + other + "', mac = NULL, key_id = '' WHERE code = 'added'",
		} {
			databasetest.Tamper(t, db, statement)
		}
		call(secret, "added", "correct horse", false, 6)
		call(secret, "added", "battery staple", true, 3)
		var stored string
		if err := db.Pool().QueryRowContext(ctx, "SELECT password_mac FROM agents WHERE code = 'added'").Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if len(stored) != 64 || strings.Contains(stored, "battery") {
			t.Errorf("stored as %q", stored)
		}
	})
}

type counter struct{ n atomic.Int64 }

func (c *counter) Take(context.Context, ratelimit.Rule, string) error { c.n.Add(1); return nil }

func (c *counter) Reset(context.Context, ratelimit.Rule, string) error { return nil }
