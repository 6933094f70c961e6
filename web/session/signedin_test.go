package session

import (
	"context"
	"testing"

	"github.com/labstack/echo/v4"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// A transaction can check that the session has not ended since its request began.
func TestSignedIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		var current *Session
		s.e.GET("/current", func(c echo.Context) error { current = Of(c); return nil }, s.Middleware())
		signedIn := func() (signedIn bool) {
			t.Helper()
			if err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) (err error) {
				signedIn, err = current.SignedIn(tx)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return signedIn
		}
		b := s.browser()
		if b.get("/current"); signedIn() || current.Browser() != "" {
			t.Error("a visitor is reported as signed in")
		}
		b.login().get("/current")
		first := current.Browser()
		if !signedIn() || first == "" {
			t.Error("the customer is not signed in after the login")
		}
		b.post("/logout")
		s.browser().login() // in another browser
		if signedIn() {
			t.Error("the customer is still signed in after the logout")
		}
		b.login().get("/current")
		if !signedIn() || current.Browser() != first {
			t.Error("the browser's identifier changed with the login")
		}
	})
}
