package session

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

var secret = []byte("a secret of thirty-two bytes or more")

// site is a small site behind the sessions, with a clock to turn.
type site struct {
	*Sessions
	t       *testing.T
	db      *database.DB
	e       *echo.Echo
	skipped atomic.Int64
	holder  customer.Customer
	paid    atomic.Int64
}

func newSite(t *testing.T, db *database.DB, secure bool) *site {
	t.Helper()
	s := &site{t: t, db: db}
	now := func() time.Time { return database.Moment(db.Now().Add(time.Duration(s.skipped.Load()))) }
	sessions, err := New(db, Options{Secret: secret, Secure: secure, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.Sessions = sessions
	s.holder = customer.Customer{
		ID: 7, Phone: phone.Number("+996700123456"), Email: "aida@example.kg", Lang: "ky", HasPassword: true,
		SessionEpoch: 3, Level: "basic", CreatedAt: database.Moment(db.Now()),
	}
	s.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES (7, $1, $2, 'ky', 'a hash', FALSE, 3, 'basic', $3)`, s.holder.Phone.String(), s.holder.Email, s.holder.CreatedAt)
	s.routes()
	return s
}

func (s *site) routes() {
	s.e = echo.New()
	s.e.HTTPErrorHandler = func(err error, c echo.Context) {
		status := map[fault.Kind]int{fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound}[fault.KindOf(err)]
		_ = c.String(max(status, 400), fault.As(err).Message)
	}
	g := s.e.Group("", s.Middleware(), s.Guard())
	g.GET("/", func(c echo.Context) error {
		who, _ := Of(c).Customer()
		return c.String(http.StatusOK, fmt.Sprintf("%d %s", who.ID, Of(c).Lang()))
	})
	g.GET("/form", func(c echo.Context) error { return c.String(http.StatusOK, Of(c).CSRF()) })
	g.POST("/login", func(c echo.Context) error {
		if err := Of(c).LogIn(c, s.holder); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, Of(c).TakeNext("/cabinet"))
	})
	g.POST("/logout", func(c echo.Context) error {
		if err := Of(c).LogOut(c); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/")
	})
	g.GET("/get/:name", func(c echo.Context) error { return c.String(http.StatusOK, Of(c).Get(c.Param("name"))) })
	g.GET("/flash", func(c echo.Context) error { return c.String(http.StatusOK, Of(c).TakeFlash()) })
	g.GET("/key", func(c echo.Context) error { return c.String(http.StatusOK, Of(c).Key()) })
	g.POST("/set/:name", func(c echo.Context) error {
		Of(c).Set(c.Param("name"), c.FormValue("value"))
		return c.NoContent(http.StatusNoContent)
	})
	mine := g.Group("", s.RequireCustomer())
	mine.GET("/cabinet", func(c echo.Context) error { return c.String(http.StatusOK, "cabinet") })
	mine.GET("/check/:draft", func(c echo.Context) error { return c.String(http.StatusOK, "check") })
	mine.POST("/check/:draft", func(c echo.Context) error { s.paid.Add(1); return c.String(http.StatusOK, "paid") })
	mine.POST("/end", func(c echo.Context) error { return s.End(c.Request().Context(), Of(c), c.FormValue("session")) })
}

func (s *site) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Pool().ExecContext(context.Background(), query, args...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) rows() (n int) {
	s.t.Helper()
	if err := s.db.Pool().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM sessions`).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *site) wait(d time.Duration) { s.skipped.Add(int64(d)) }

// browser keeps one cookie a name, as browsers do.
type browser struct {
	*site
	cookies map[string]string
}

func (s *site) browser() *browser { return &browser{s, map[string]string{}} }

// copy is a browser with the same cookies: a thief's, or an old request's.
func (b *browser) copy() *browser {
	thief := b.site.browser()
	for name, value := range b.cookies {
		thief.cookies[name] = value
	}
	return thief
}

func (b *browser) do(method, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.e.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		b.cookies[cookie.Name] = cookie.Value
	}
	return w
}

func (b *browser) get(path string) string { return b.do(http.MethodGet, path, nil).Body.String() }

// post sends a form with the token of this browser.
func (b *browser) post(path string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{FormField: {b.get("/form")}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (b *browser) login() *browser {
	b.t.Helper()
	if w := b.post("/login"); w.Code != http.StatusSeeOther {
		b.t.Fatalf("login: %d %s", w.Code, w.Body)
	}
	return b
}

func (b *browser) signedIn() bool { return strings.HasPrefix(b.get("/"), "7 ") }

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
		if token, _ := base64.RawURLEncoding.DecodeString(b.cookies["elsom"]); id != keyOf(token[:tokenBytes]) || id != key {
			t.Error("the row's id is not the token's hash")
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
		real := s.browser()
		real.get("/")
		forged, _ := base64.RawURLEncoding.DecodeString(real.cookies["elsom"])
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
		s.wait(Idle + time.Second)
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
		hold := database.Moment(db.Now().Add(time.Hour))
		s.exec(`UPDATE customers SET hold_until = $1`, hold)
		want := s.holder
		want.HoldUntil = hold
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
	if _, in := s.Customer(); in || s.Get("colour") != "" || s.CSRF() != "" || s.Key() != "" || s.Ended() ||
		s.Save() != nil || s.LogOut(c) != nil || s.LogIn(c, customer.Customer{}) == nil || s.Lang() != "ru" {
		t.Error("keeps something")
	}
}
