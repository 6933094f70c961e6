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

func TestVisitorsHaveACookieAndNoRow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
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
		b.post("/set/colour", "value", "")
		if n := s.rows(); n != 0 {
			t.Fatalf("%d rows for who stored nothing", n)
		}
		key := b.get("/key")
		if b.post("/set/colour", "value", "blue"); b.get("/get/colour") != "blue" || s.rows() != 1 || b.get("/key") != key {
			t.Errorf("colour %q, %d rows", b.get("/get/colour"), s.rows())
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

// A refused request makes no row; in a row that is there it may write.
func TestRefusedStoresNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		b := s.browser()
		if b.post("/refuse/colour", "value", "blue"); s.rows() != 0 || b.get("/get/colour") != "" {
			t.Errorf("%d rows, colour %q", s.rows(), b.get("/get/colour"))
		}
		b.post("/set/shape", "value", "round")
		if b.post("/refuse/colour", "value", "blue"); s.rows() != 1 || b.get("/get/colour") != "blue" || b.get("/get/shape") != "round" {
			t.Errorf("%d rows, colour %q", s.rows(), b.get("/get/colour"))
		}
	})
}

func TestCookieOverTLS(t *testing.T) {
	s := newSite(t, databasetest.SQLite(t), true)
	cookie := s.browser().do(http.MethodGet, "/", nil).Result().Cookies()[0]
	if cookie.Name != "__Host-elsom" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" ||
		cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", cookie)
	}
}

// A token that this server never gave away is replaced, not taken over.
func TestPlantedCookie(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
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
				t.Errorf("%q was taken over", planted)
			}
		}
	})
}

// A browser gets its name at its first login and keeps it over logout and
// other logins; a planted one is not taken.
func TestBrowserKeepsItsName(t *testing.T) {
	s := newSite(t, databasetest.SQLite(t), false)
	b := s.browser()
	b.get("/")
	if b.cookies[deviceCookie] != "" {
		t.Error("named before any login")
	}
	b.login()
	name := b.cookies[deviceCookie]
	if name == "" {
		t.Fatal("no name")
	}
	b.login()
	if b.cookies[deviceCookie] != name {
		t.Error("the second login gave another name")
	}
	b.cookies[deviceCookie] = strings.Repeat("A", len(name))
	b.login()
	if planted := b.cookies[deviceCookie]; planted == strings.Repeat("A", len(name)) {
		t.Error("a planted name was taken")
	}
}

func TestLoginRotates(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		b := s.browser()
		b.post("/set/colour", "value", "blue")
		old := b.copy()
		b.login()
		if b.cookies["elsom"] == old.cookies["elsom"] || !b.signedIn() {
			t.Fatal("the token stayed, or nobody is signed in")
		}
		if old.signedIn() || old.get("/get/colour") != "" {
			t.Error("the token from before the login is still good for something")
		}
		if b.get("/get/colour") != "" {
			t.Error("what the visitor kept came along")
		}
		if got := b.get("/"); got != "7 ky" {
			t.Errorf("signed in as %q, want the customer's language", got)
		}
		again := b.copy()
		b.login()
		if again.signedIn() {
			t.Error("the token of the first login outlived the second")
		}
	})
}

func TestLogoutEndsTheSessionOnTheServer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		b := s.browser().login()
		thief := b.copy()
		b.post("/logout")
		if s.rows() != 0 || b.signedIn() || thief.signedIn() {
			t.Errorf("%d rows; signed in: %v, %v", s.rows(), b.signedIn(), thief.signedIn())
		}
	})
}

// A request that began before a logout must not bring the session back.
func TestSaveNeverBringsASessionBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		b := s.browser().login()
		began, meanwhile := make(chan struct{}), make(chan struct{})
		s.e.GET("/slow", func(c echo.Context) error {
			close(began)
			<-meanwhile
			Of(c).Set("colour", "blue")
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
		s := newSite(t, db, false)
		b := s.browser().login()
		for range 3 {
			s.wait(Idle - time.Minute)
			if !b.signedIn() {
				t.Fatal("ended though in use")
			}
		}
		s.wait(Idle + time.Second)
		if b.signedIn() || s.rows() != 0 {
			t.Error("lives on after the idle time")
		}
		b.login()
		for range int(Absolute/(Idle-time.Minute)) + 1 {
			s.wait(Idle - time.Minute)
			b.get("/")
		}
		if b.signedIn() {
			t.Error("lives on after the absolute end")
		}
	})
}

func TestSeenIsWrittenOnceAMinute(t *testing.T) {
	s := newSite(t, databasetest.SQLite(t), false)
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
	if b.get("/"); seen() == first {
		t.Error("not written after a minute")
	}
}

func TestPurge(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		s.browser().login()
		if n, err := s.Purge(context.Background()); n != 0 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		s.wait(Idle + time.Hour)
		if n, err := s.Purge(context.Background()); n != 0 || err != nil {
			t.Errorf("purged %d, %v while it can be told that it ended", n, err)
		}
		s.wait(remembered)
		if n, err := s.Purge(context.Background()); n != 1 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
	})
}

// A new password or a block ends all sessions: the epoch in the row is old.
func TestEpochAndBlockEndSessions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		b := s.browser().login()
		s.exec(`UPDATE customers SET session_epoch = 4`)
		if b.signedIn() {
			t.Error("lives on in a new epoch")
		}
		s.holder.SessionEpoch = 4
		b.login()
		s.exec(`UPDATE customers SET blocked = TRUE`)
		if b.signedIn() {
			t.Error("a blocked customer is signed in")
		}
	})
}

// The customer comes with the session as the register knows them.
func TestCustomerIsWhole(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
		hold := database.StoredTime(db.Now().Add(time.Hour))
		s.exec(`UPDATE customers SET hold_until = $1, name = 'Айда Асанова', registered = 'ussd', has_pin = TRUE, pin_owed = TRUE`, hold)
		want := s.holder
		want.HoldUntil, want.Name, want.Registered, want.HasPIN, want.PINOwed = hold, "Айда Асанова", customer.USSD, true, true
		var got customer.Customer
		s.e.GET("/who", func(c echo.Context) error {
			got, _ = Of(c).Customer()
			return c.NoContent(http.StatusNoContent)
		}, s.Middleware())
		s.browser().login().get("/who")
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestParallelSavesLoseNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newSite(t, db, false)
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
	s := newSite(t, databasetest.SQLite(t), false)
	b := s.browser()
	b.post("/set/"+flashName, "value", "done")
	if first, second := b.get("/flash"), b.get("/flash"); first != "done" || second != "" {
		t.Errorf("shown %q, %q", first, second)
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	s := newSite(t, databasetest.SQLite(t), false)
	b := s.browser()
	s.e.POST("/save", func(c echo.Context) error {
		Of(c).Set("much", strings.Repeat("x", maxData))
		return Of(c).Save()
	}, s.Middleware())
	if w := b.post("/save"); w.Code < 400 || s.rows() != 0 {
		t.Errorf("%d, %d rows", w.Code, s.rows())
	}
}

func TestLanguage(t *testing.T) {
	s := newSite(t, databasetest.SQLite(t), false)
	s.e.GET("/speak/:lang", func(c echo.Context) error {
		Of(c).SetLang(c.Param("lang"))
		return c.String(http.StatusOK, Of(c).Lang())
	}, s.Middleware())
	b := s.browser()
	if got := b.get("/"); got != "0 ru" {
		t.Errorf("at first %q", got)
	}
	if got := b.get("/speak/en"); got != "en" || b.get("/") != "0 en" {
		t.Errorf("switched to %q, then %q", got, b.get("/"))
	}
	if b.get("/speak/de"); b.get("/") != "0 en" {
		t.Errorf("no language became %q", b.get("/"))
	}
	b.cookies[langCookie] = "de"
	if got := b.get("/"); got != "0 ru" {
		t.Errorf("a planted language: %q", got)
	}
	if b.get("/speak/en"); b.login().get("/") != "7 ky" {
		t.Error("the customer's language doesn't win")
	}
	if n := s.rows(); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestWithoutTheMiddleware(t *testing.T) {
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder())
	s := Of(c)
	s.Set("colour", "blue")
	if _, in := s.Customer(); in || s.Get("colour") != "" || s.CSRF() != "" || s.Key() != "" || ended(s) != "" ||
		s.Save() != nil || s.LogOut(c) != nil || s.LogIn(c, customer.Customer{}) == nil || s.Lang() != "ru" {
		t.Error("keeps something")
	}
}

// ended is why a session ended.
func ended(s *Session) End {
	_, end := s.Ended()
	return end
}
