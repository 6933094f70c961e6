package portal

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/web/session"
)

// An operation with an unknown outcome isn't run again when its session is read, and of a
// session that has ended meanwhile nothing is said about what was not paid. Its outcome
// stays unknown if the session can't be read.
func TestUnknownOutcomeOfARememberedSession(t *testing.T) {
	for name, ended := range map[string]bool{"the session is there": false, "the session has ended": true, "the database is away": false} {
		t.Run(name, func(t *testing.T) {
			db := databasetest.SQLite(t)
			holder := testkit.New(t, db, testkit.Options{}).NewCustomer(0)
			sessions, err := session.New(db, session.Options{Secret: testkit.Secret})
			require.NoError(t, err)
			p, e, runs, noted := New(Services{}), echo.New(), 0, false
			var answered error
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				answered, noted = err, session.Of(c).Note() != ""
				_ = c.NoContent(http.StatusServiceUnavailable)
			}
			g := e.Group("", sessions.Middleware("/check/:draft"), p.Ended)
			g.GET("/in", func(c echo.Context) error {
				require.NoError(t, session.Of(c).LogIn(c, holder))
				return c.NoContent(http.StatusOK)
			})
			g.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
			g.POST("/check/:draft", func(c echo.Context) error {
				return p.withPIN(t.Context(), c, nil, func(customer.Customer) (bool, error) {
					if !session.Of(c).Remembered() {
						t.Error("the session was read")
					}
					runs++
					if name == "the database is away" {
						require.NoError(t, db.Close())
					}
					return false, fault.New(fault.Unknown, "test", "")
				})
			})
			var cookies []*http.Cookie
			ask := func(method, path string) {
				r, w := httptest.NewRequest(method, path, nil), httptest.NewRecorder()
				for _, cookie := range cookies {
					r.AddCookie(cookie)
				}
				e.ServeHTTP(w, r)
				cookies = append(cookies, w.Result().Cookies()...)
			}
			ask(http.MethodGet, "/in")
			ask(http.MethodGet, "/")
			if ended {
				require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
					return tx.Gorm().Exec("UPDATE sessions SET epoch = -1").Error
				}))
			}
			ask(http.MethodPost, "/check/1")
			if !fault.Is(answered, fault.Unknown) || runs != 1 || noted {
				t.Errorf("answered %v after %d runs, with a note: %v", answered, runs, noted)
			}
		})
	}
}
