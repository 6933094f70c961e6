package session

import (
	"context"
	"testing"

	"github.com/labstack/echo/v4"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// A transaction can check that the session has not ended since its request began.
func TestHolds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		var current *Session
		s.e.GET("/current", func(c echo.Context) error { current = Of(c); return nil }, s.Middleware())
		held := func() (held bool) {
			t.Helper()
			if err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) (err error) {
				held, err = current.Holds(tx)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return held
		}
		b := s.browser()
		if b.get("/current"); held() || current.Browser() != "" {
			t.Error("a visitor's session holds")
		}
		b.login().get("/current")
		first := current.Browser()
		if !held() || first == "" {
			t.Error("the session does not hold after the login")
		}
		b.post("/logout")
		s.browser().login() // in another browser
		if held() {
			t.Error("the session holds after its end")
		}
		b.login().get("/current")
		if !held() || current.Browser() != first {
			t.Error("the browser's identifier changed with the login")
		}
	})
}
