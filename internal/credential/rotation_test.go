package credential_test

import (
	"context"
	"testing"

	"elsom/internal/credential"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ratelimit"
)

// takes counts the attempts that are counted: those whose password is hashed.
type takes struct{ n int }

func (c *takes) Take(context.Context, ratelimit.Rule, string) error { c.n++; return nil }

func (*takes) Reset(context.Context, ratelimit.Rule, string) error { return nil }

// A password that was right under the previous secret is recognized without hashing,
// and from then on under the new one alone.
func TestKeyedHashesOfThePreviousSecret(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		old, next := []byte("a secret of thirty-two bytes or more"), []byte("another secret of thirty-two bytes or more")
		authenticate := func(password string, secret []byte, previous ...[]byte) (hashed bool, err error) {
			counted := &takes{}
			gs, err := credential.NewGateways(db, counted, secret, previous...)
			if err != nil {
				t.Fatal(err)
			}
			_, err = gs.Authenticate(t.Context(), "megacom", password, home)
			return counted.n > 0, err
		}
		gs, err := credential.NewGateways(db, nil, old)
		if err != nil {
			t.Fatal(err)
		}
		if err := gs.Add(t.Context(), credential.NewGateway{Code: "megacom", Name: "Megacom", Password: "correct horse", Scopes: credential.Scopes()}); err != nil {
			t.Fatal(err)
		}
		if hashed, err := authenticate("correct hors", next, old); err == nil || !hashed {
			t.Errorf("a wrong password: hashed %t, %v", hashed, err)
		}
		for _, secrets := range [][][]byte{{old}, {next, old}, {next}} {
			if hashed, err := authenticate("correct horse", secrets[0], secrets[1:]...); err != nil || hashed {
				t.Errorf("%d secrets: hashed %t, %v", len(secrets), hashed, err)
			}
		}
	})
}
