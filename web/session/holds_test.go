package session

import (
	"context"
	"testing"

	"github.com/labstack/echo/v4"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// What a request does for who is signed in counts only while they are: also
// when the session ends while the request is under way.
func TestHolds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		var asked *Session
		s.e.GET("/ask", func(c echo.Context) error { asked = Of(c); return nil }, s.Middleware())
		held := func() (held bool) {
			t.Helper()
			if err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) (err error) {
				held, err = asked.Holds(tx)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return held
		}
		b := s.browser()
		if b.get("/ask"); held() || asked.Browser() != "" {
			t.Error("nobody is signed in")
		}
		b.login().get("/ask")
		first := asked.Browser()
		if !held() || first == "" {
			t.Error("who is signed in is not")
		}
		b.post("/logout")
		s.browser().login() // elsewhere
		if held() {
			t.Error("the session ended")
		}
		b.login().get("/ask")
		if !held() || asked.Browser() != first {
			t.Error("the browser is another after a login")
		}
	})
}
