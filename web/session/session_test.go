package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

func TestVisitorHasCookieAndNoRow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser()
		w := b.do(http.MethodGet, "/", nil)
		cookie := w.Result().Cookies()[0]
		if cookie.Name != "elsom" || !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteLaxMode ||
			cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 0 {
			t.Errorf("cookie %v", cookie)
		}
		if again := b.do(http.MethodGet, "/", nil).Result().Cookies(); len(again) != 0 {
			t.Errorf("a second cookie: %v", again)
		}
		b.post("/set/color", "value", "")
		if n := s.rows(); n != 0 {
			t.Fatalf("%d rows for a visitor who stored nothing", n)
		}
		key := b.get("/key")
		if b.post("/set/color", "value", "blue"); b.get("/get/color") != "blue" || s.rows() != 1 || b.get("/key") != key {
			t.Errorf("color %q, %d rows", b.get("/get/color"), s.rows())
		}
		var id string
		if err := db.Pool().QueryRowContext(context.Background(), `SELECT id FROM sessions`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		value, _ := base64.RawURLEncoding.DecodeString(b.cookies["elsom"])
		if hash := sha256.Sum256(value[:32]); id != hex.EncodeToString(hash[:]) || id != key {
			t.Error("the row's id is not the token's hash")
		}
	})
}

// A refused request creates no row; it may write to an existing one.
func TestRefusedStoresNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser()
		if b.post("/refuse/color", "value", "blue"); s.rows() != 0 || b.get("/get/color") != "" {
			t.Errorf("%d rows, color %q", s.rows(), b.get("/get/color"))
		}
		b.post("/set/shape", "value", "round")
		if b.post("/refuse/color", "value", "blue"); s.rows() != 1 || b.get("/get/color") != "blue" || b.get("/get/shape") != "round" {
			t.Errorf("%d rows, color %q", s.rows(), b.get("/get/color"))
		}
	})
}

func TestCookieOverTLS(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), true)
	cookie := s.browser().do(http.MethodGet, "/", nil).Result().Cookies()[0]
	if cookie.Name != "__Host-elsom" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" ||
		cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", cookie)
	}
}

// A token that this server did not issue is replaced.
func TestPlantedCookieIsReplaced(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		ours := s.browser()
		ours.get("/")
		forged, _ := base64.RawURLEncoding.DecodeString(ours.cookies["elsom"])
		forged[3] ^= 1
		for _, planted := range []string{
			base64.RawURLEncoding.EncodeToString(newToken()), base64.RawURLEncoding.EncodeToString(forged), "x", "",
		} {
			b := s.browser()
			b.cookies["elsom"] = planted
			if b.signedIn() || b.cookies["elsom"] == planted {
				t.Errorf("%q was accepted", planted)
			}
		}
	})
}

// The device cookie is set at the first login and is not changed by later ones; a
// planted one is replaced.
func TestDeviceCookieOutlivesLogout(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser()
	b.get("/")
	if b.cookies[deviceCookie] != "" {
		t.Error("set before any login")
	}
	b.login()
	name := b.cookies[deviceCookie]
	if name == "" {
		t.Fatal("not set by the login")
	}
	b.login()
	if b.cookies[deviceCookie] != name {
		t.Error("the second login changed it")
	}
	b.cookies[deviceCookie] = strings.Repeat("A", len(name))
	b.login()
	if planted := b.cookies[deviceCookie]; planted == strings.Repeat("A", len(name)) {
		t.Error("a planted cookie was accepted")
	}
}

func TestLoginRotates(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser()
		b.post("/set/color", "value", "blue")
		old := b.copy()
		b.login()
		if b.cookies["elsom"] == old.cookies["elsom"] || !b.signedIn() {
			t.Fatal("the token did not change, or the login failed")
		}
		if old.signedIn() || old.get("/get/color") != "" {
			t.Error("the token from before the login is still valid")
		}
		if b.get("/get/color") != "" {
			t.Error("the visitor's values survived the login")
		}
		if got := b.get("/"); got != "7 ky" {
			t.Errorf("signed in as %q, want the customer's language", got)
		}
		again := b.copy()
		b.login()
		if again.signedIn() {
			t.Error("the token of the first login is valid after the second")
		}
	})
}

func TestLogoutEndsTheSessionOnTheServer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		thief := b.copy()
		b.post("/logout")
		if s.rows() != 0 || b.signedIn() || thief.signedIn() {
			t.Errorf("%d rows; signed in: %v, %v", s.rows(), b.signedIn(), thief.signedIn())
		}
	})
}

// A request that began before a logout does not restore the session.
func TestSaveDoesNotRestoreEndedSession(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		began, meanwhile := make(chan struct{}), make(chan struct{})
		s.e.GET("/slow", func(c echo.Context) error {
			close(began)
			<-meanwhile
			Of(c).Set("color", "blue")
			return c.NoContent(http.StatusNoContent)
		}, s.Middleware())
		slow := b.copy()
		done := make(chan struct{})
		go func() { defer close(done); slow.do(http.MethodGet, "/slow", nil) }()
		<-began
		b.post("/logout")
		close(meanwhile)
		<-done
		if n := s.rows(); n != 0 || slow.signedIn() {
			t.Errorf("%d rows, signed in: %v", n, slow.signedIn())
		}
	})
}

func TestIdleAndAbsoluteEnd(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		for range 3 {
			s.wait(Idle - time.Minute)
			if !b.signedIn() {
				t.Fatal("the session ended although it was used")
			}
		}
		s.wait(Idle + time.Second)
		if b.signedIn() || s.rows() != 0 {
			t.Error("the session is valid after the idle time")
		}
		b.login()
		for range int(Absolute/(Idle-time.Minute)) + 1 {
			s.wait(Idle - time.Minute)
			b.get("/")
		}
		if b.signedIn() {
			t.Error("the session is valid after its absolute end")
		}
	})
}

func TestSeenIsWrittenOnceAMinute(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser().login()
	seen := func() (at string) {
		if err := s.db.Pool().QueryRowContext(t.Context(), `SELECT CAST(seen_at AS VARCHAR) FROM sessions`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := seen()
	s.wait(seenEvery / 2)
	if b.get("/"); seen() != first {
		t.Error("written within the minute")
	}
	s.wait(seenEvery)
	b.get("/")
	if s.storeActivity(t.Context()); seen() == first {
		t.Error("not written after a minute")
	}
}

func TestPurge(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		s.browser().login()
		if n, err := s.Purge(context.Background()); n != 0 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		s.wait(Idle + time.Hour)
		if n, err := s.Purge(context.Background()); n != 0 || err != nil {
			t.Errorf("purged %d, %v while the row is needed for the reason", n, err)
		}
		s.wait(keepEnded)
		if n, err := s.Purge(context.Background()); n != 1 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
	})
}

// A new epoch or a block ends all sessions of a customer.
func TestEpochAndBlockEndSessions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		s.exec(`UPDATE customers SET session_epoch = 4`)
		if b.signedIn() {
			t.Error("the session is valid in a new epoch")
		}
		s.holder.SessionEpoch = 4
		b.login()
		s.exec(`UPDATE customers SET blocked = TRUE`)
		if b.signedIn() {
			t.Error("a blocked customer is signed in")
		}
	})
}

// The session's customer has all fields that internal/customer reads.
func TestCustomerHasAllFields(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		hold := database.StoredTime(db.Now().Add(time.Hour))
		s.exec(`UPDATE customers SET hold_until = $1, name = 'Айда Асанова', registered = 'ussd', has_pin = TRUE, pin_owed = TRUE`, hold)
		want := s.holder
		want.HoldUntil, want.Name, want.Registered, want.HasPIN, want.PINOwed = hold, "Айда Асанова", customer.USSD, true, true
		var got customer.Customer
		s.e.GET("/customer", func(c echo.Context) error {
			got, _ = Of(c).Customer()
			return c.NoContent(http.StatusNoContent)
		}, s.Middleware())
		b := s.browser().login()
		b.get("/customer")
		if got.Browser.Session != b.get("/key") || got.Browser.Known {
			t.Errorf("in the browser %+v", got.Browser)
		}
		if got.Browser = want.Browser; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestParallelSavesLoseNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser()
		token := b.get("/form")
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				w := b.copy().do(http.MethodPost, fmt.Sprint("/set/n", i), url.Values{FormField: {token}, "value": {"x"}})
				if w.Code != http.StatusNoContent {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		group.Wait()
		for i := range 12 {
			if b.get(fmt.Sprint("/get/n", i)) != "x" {
				t.Errorf("value %d is lost", i)
			}
		}
		if n := s.rows(); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestFlashIsShownOnce(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser()
	b.post("/set/"+flashName, "value", "done")
	if first, second := b.get("/flash"), b.get("/flash"); first != "done" || second != "" {
		t.Errorf("shown %q, then %q", first, second)
	}
}

func TestSaveRejectsOversizedValues(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser()
	s.e.POST("/save", func(c echo.Context) error {
		Of(c).Set("much", strings.Repeat("x", maxData-renewalBytes))
		return Of(c).Save()
	}, s.Middleware())
	if w := b.post("/save"); w.Code < 400 || s.rows() != 0 {
		t.Errorf("%d, %d rows", w.Code, s.rows())
	}
}

func TestLanguage(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	s.e.GET("/speak/:lang", func(c echo.Context) error {
		Of(c).SetLang(c.Param("lang"))
		return c.String(http.StatusOK, Of(c).Lang())
	}, s.Middleware())
	b := s.browser()
	if got := b.get("/"); got != "0 ru" {
		t.Errorf("initially %q", got)
	}
	if got := b.get("/speak/en"); got != "en" || b.get("/") != "0 en" {
		t.Errorf("switched to %q, then %q", got, b.get("/"))
	}
	if b.get("/speak/de"); b.get("/") != "0 en" {
		t.Errorf("an unknown language: %q", b.get("/"))
	}
	b.cookies[langCookie] = "de"
	if got := b.get("/"); got != "0 ru" {
		t.Errorf("a planted language: %q", got)
	}
	if b.get("/speak/en"); b.login().get("/") != "7 ky" {
		t.Error("the customer's language is not used")
	}
	if n := s.rows(); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestWithoutTheMiddleware(t *testing.T) {
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder())
	s := Of(c)
	s.Set("color", "blue")
	if _, in := s.Customer(); in || s.Get("color") != "" || s.CSRF() != "" || s.Key() != "" || ended(s) != "" ||
		s.Save() != nil || s.LogOut(c) != nil || s.LogIn(c, customer.Customer{}) == nil || s.Lang() != "ru" {
		t.Error("a session without the middleware stores something")
	}
}

// ended returns why a session ended.
func ended(s *Session) End {
	_, end := s.Ended()
	return end
}
