package session

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// newRenewing returns an application with further proofs: /confirm makes the browser
// known, /prove does not.
func newRenewing(t *testing.T, db *database.DB) *testApp {
	s := newApp(t, db, false)
	s.provable()
	return s
}

// provable adds the routes of newRenewing.
func (s *testApp) provable() {
	g := s.e.Group("", s.Middleware(), s.Guard())
	g.POST("/confirm", func(c echo.Context) error { return answered(c, Of(c).Confirmed(c.Request().Context())) })
	g.POST("/prove", func(c echo.Context) error { return answered(c, Of(c).Renew(c.Request().Context())) })
	g.GET("/known", func(c echo.Context) error {
		holder, _ := Of(c).Customer()
		return c.String(http.StatusOK, fmt.Sprint(holder.Browser.Known))
	})
}

func answered(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// send sends a form with a token, and fails unless the response is OK.
func (b *browser) send(path, token string) {
	b.t.Helper()
	if w := b.do(http.MethodPost, path, url.Values{FormField: {token}}); w.Code != http.StatusOK {
		b.t.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
}

// A copy of the cookie from before a proof is worth nothing ten seconds later; the
// holder's browser has another, and is signed in.
func TestRenewalEndsTheOldToken(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		for _, path := range []string{"/confirm", "/prove"} {
			b := s.browser().login()
			thief, key := b.copy(), b.get("/key")
			b.post(path)
			if b.cookies["elsom"] == thief.cookies["elsom"] || !b.signedIn() || b.get("/key") != key {
				t.Fatalf("%s: the token did not change, the session's key did, or the holder is signed out", path)
			}
			if known := b.get("/known"); known != fmt.Sprint(path == "/confirm") {
				t.Errorf("%s: known: %s", path, known)
			}
			s.wait(renewalGrace + time.Second)
			if thief.signedIn() || thief.get("/known") == "true" || !b.signedIn() {
				t.Errorf("%s: the old token is still valid, or the new one is not", path)
			}
			again := b.copy()
			b.post(path)
			if b.cookies["elsom"] == again.cookies["elsom"] || thief.signedIn() || !b.signedIn() {
				t.Errorf("%s: not renewed a second time", path)
			}
			b.post("/logout")
			if n := s.rows(); n != 0 || again.signedIn() {
				t.Errorf("%s: %d rows after the logout", path, n)
			}
		}
	})
}

// The forms on the screen stay valid through renewals, and those of other sessions are
// refused as before.
func TestRenewalKeepsForms(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		forms := []string{b.get("/form")}
		for range 3 {
			b.send("/prove", forms[0])
			s.wait(time.Minute)
			for _, form := range append(forms, b.get("/form")) {
				b.send("/check/1", form)
			}
			forms = append(forms, b.get("/form"))
		}
		other := s.browser().login()
		for _, form := range []string{other.get("/form"), s.browser().get("/form")} {
			if w := b.do(http.MethodPost, "/check/1", url.Values{FormField: {form}}); w.Code != http.StatusForbidden {
				t.Errorf("another's form: %d", w.Code)
			}
		}
		b.login()
		if w := b.do(http.MethodPost, "/check/1", url.Values{FormField: {forms[0]}}); w.Code != http.StatusForbidden {
			t.Errorf("a form from before the login: %d", w.Code)
		}
	})
}

// A browser that pressed three times and dropped the first two responses is signed in,
// and has the session's token.
func TestThreePresses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		first, second, form := b.copy(), b.copy(), b.get("/form")
		for _, press := range []*browser{first, second, b} {
			press.send("/confirm", form)
		}
		s.wait(renewalGrace + time.Second)
		if !b.signedIn() || b.get("/known") != "true" || b.cookies["elsom"] != first.cookies["elsom"] || b.cookies["elsom"] != second.cookies["elsom"] {
			t.Error("the browser is signed out, or its session was renewed for each press")
		}
	})
}

// Presses at the same moment lead to one token.
func TestPressesAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		form := b.get("/form")
		presses := make([]*browser, 8)
		var group sync.WaitGroup
		for i := range presses {
			presses[i] = b.copy()
			group.Go(func() { presses[i].send("/confirm", form) })
		}
		group.Wait()
		s.wait(renewalGrace + time.Second)
		for _, press := range presses {
			if !press.signedIn() || press.cookies["elsom"] == b.cookies["elsom"] {
				t.Error("a press signed the browser out")
			}
		}
	})
}

// A request that began before a renewal in another tab stores its values, renews no
// further, and is signed in for a transaction.
func TestRequestBesideARenewal(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		began, meanwhile := make(chan struct{}), make(chan struct{})
		s.e.GET("/slow", func(c echo.Context) error {
			close(began)
			<-meanwhile
			Of(c).Set("color", "blue")
			var signedIn bool
			if err := db.InTx(c.Request().Context(), func(_ context.Context, tx *database.Tx) (err error) {
				signedIn, err = Of(c).SignedIn(tx)
				return err
			}); err != nil || !signedIn {
				t.Errorf("signed in: %v, %v", signedIn, err)
			}
			return answered(c, Of(c).Confirmed(c.Request().Context()))
		}, s.Middleware())
		slow := b.copy()
		done := make(chan struct{})
		go func() { defer close(done); slow.do(http.MethodGet, "/slow", nil) }()
		<-began
		b.post("/prove")
		close(meanwhile)
		<-done
		s.wait(renewalGrace + time.Second)
		if slow.cookies["elsom"] != b.cookies["elsom"] || !slow.signedIn() || b.get("/get/color") != "blue" || b.get("/known") != "true" {
			t.Errorf("signed in: %v, color %q, known %s", slow.signedIn(), b.get("/get/color"), b.get("/known"))
		}
	})
}

// A logout whose request began before a renewal in another tab ends the session.
func TestLogoutBesideARenewal(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		tab := b.copy()
		s.e.GET("/out", func(c echo.Context) error {
			tab.post("/prove")
			return answered(c, Of(c).LogOut(c))
		}, s.Middleware())
		b.get("/out")
		if n := s.rows(); n != 0 || b.signedIn() || tab.signedIn() {
			t.Errorf("%d rows; signed in: %v, %v", n, b.signedIn(), tab.signedIn())
		}
	})
}

// A row that was changed while its request ran is not made valid by its renewal.
func TestForgedSessionIsNotRenewed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		s.e.GET("/beside", func(c echo.Context) error {
			s.exec(`UPDATE sessions SET known = TRUE`)
			return answered(c, Of(c).Renew(c.Request().Context()))
		}, s.Middleware())
		b.get("/beside")
		if b.signedIn() {
			t.Error("the forged row was signed")
		}
	})
}

// A session that was ended while its request ran stays ended.
func TestEndedSessionIsNotRenewed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		b := s.browser().login()
		s.e.GET("/beside", func(c echo.Context) error {
			other := s.browser().login()
			other.post("/end", "session", Others)
			return answered(c, Of(c).Confirmed(c.Request().Context()))
		}, s.Middleware())
		old := b.cookies["elsom"]
		if b.get("/beside"); b.cookies["elsom"] != old || b.signedIn() {
			t.Error("the ended session was renewed")
		}
	})
}

// Two portals with the secret and its successor, in either order, renew and accept each
// other's sessions, old tokens and forms.
func TestRenewalWhileTheSecretIsReplaced(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newRenewing(t, db)
		next := []byte("another secret of thirty-two bytes or more")
		b := s.browser().login()
		form := b.get("/form")
		steps := [][2][]byte{{secret, next}, {next, secret}}
		for i := range 4 {
			s.rekeyed(steps[i%2][0], steps[i%2][1])
			s.provable()
			dropped := b.copy()
			dropped.send("/confirm", form)
			s.rekeyed(steps[(i+1)%2][0], steps[(i+1)%2][1])
			s.provable()
			old := b.copy()
			if b.send("/check/1", form); b.get("/known") != "true" || !dropped.signedIn() {
				t.Fatalf("step %d: signed out", i)
			}
			s.wait(renewalGrace + time.Second)
			if old.signedIn() || !b.signedIn() {
				t.Errorf("step %d: the old token is valid, or the new one is not", i)
			}
		}
	})
}
