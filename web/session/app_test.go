package session

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

var secret = []byte("a secret of thirty-two bytes or more")

// testApp is a small server with sessions and a clock that tests can move.
type testApp struct {
	*Sessions
	t       *testing.T
	db      *database.DB
	e       *echo.Echo
	skipped atomic.Int64
	holder  customer.Customer
	paid    atomic.Int64
}

func newApp(t *testing.T, db *database.DB, secure bool) *testApp {
	t.Helper()
	s := &testApp{t: t, db: db}
	now := func() time.Time { return database.StoredTime(db.Now().Add(time.Duration(s.skipped.Load()))) }
	sessions, err := New(db, Options{Secret: secret, Secure: secure, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.Sessions = sessions
	s.holder = customer.Customer{
		ID: 7, Phone: phone.Number("+996700123456"), Email: "aida@example.kg", Lang: "ky", HasPassword: true,
		Registered: customer.Web, SessionEpoch: 3, Level: "standard", CreatedAt: database.StoredTime(db.Now()),
	}
	s.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES (7, $1, $2, 'ky', 'a hash', FALSE, 3, 'standard', $3)`, s.holder.Phone.String(), s.holder.Email, s.holder.CreatedAt)
	s.routes()
	return s
}

func (s *testApp) routes() {
	s.e = echo.New()
	s.e.HTTPErrorHandler = func(err error, c echo.Context) {
		status := map[fault.Kind]int{fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound}[fault.KindOf(err)]
		_ = c.String(max(status, 400), string(fault.As(err).Reason))
	}
	g := s.e.Group("", s.Middleware(), s.Guard())
	g.GET("/", func(c echo.Context) error {
		holder, _ := Of(c).Customer()
		return c.String(http.StatusOK, fmt.Sprintf("%d %s", holder.ID, Of(c).Lang()))
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
	g.GET("/device", func(c echo.Context) error { return c.String(http.StatusOK, Of(c).Device()) })
	g.GET("/key", func(c echo.Context) error { return c.String(http.StatusOK, Of(c).Key()) })
	g.POST("/set/:name", func(c echo.Context) error {
		Of(c).Set(c.Param("name"), c.FormValue("value"))
		return c.NoContent(http.StatusNoContent)
	})
	g.POST("/refuse/:name", func(c echo.Context) error {
		s := Of(c)
		s.Set(c.Param("name"), c.FormValue("value"))
		s.Refuse()
		return c.NoContent(http.StatusTooManyRequests)
	})
	mine := g.Group("", s.RequireCustomer())
	mine.GET("/cabinet", func(c echo.Context) error { return c.String(http.StatusOK, "cabinet") })
	mine.GET("/check/:draft", func(c echo.Context) error { return c.String(http.StatusOK, "check") })
	mine.POST("/check/:draft", func(c echo.Context) error { s.paid.Add(1); return c.String(http.StatusOK, "paid") })
	mine.POST("/end", func(c echo.Context) error { return s.End(c.Request().Context(), Of(c), c.FormValue("session")) })
}

func (s *testApp) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Pool().ExecContext(context.Background(), query, args...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testApp) rows() (n int) {
	s.t.Helper()
	if err := s.db.Pool().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM sessions`).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *testApp) wait(d time.Duration) { s.skipped.Add(int64(d)) }

// browser is a client that stores cookies.
type browser struct {
	*testApp
	cookies map[string]string
}

func (s *testApp) browser() *browser { return &browser{s, map[string]string{}} }

// copy returns a browser with the same cookies, like a thief's or that of an
// earlier request.
func (b *browser) copy() *browser {
	other := b.testApp.browser()
	for name, value := range b.cookies {
		other.cookies[name] = value
	}
	return other
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

// post sends a form with this browser's token.
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
