package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"elsom/internal/testkit/require"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/web/session"
)

// payer is a session in the seed: logged in, or at the page of the password.
type payer struct {
	customer int64
	headers  string // what its browser sends, with its cookies
	tok      string
}

// session returns the value of the session's cookie.
func (p payer) session() string {
	_, value, _ := strings.Cut(p.headers, "elsom=")
	end := strings.IndexAny(value, ";\r")
	return value[:end]
}

// benchLogins is the number of sessions at the page of the password.
const benchLogins = 2_000

// createSessions creates a session of each wallet, and others that are at the page of the
// password, with the portal's package and key, which is faster than ten thousand logins.
func createSessions(b testing.TB, db *database.DB, key string, wallets []int64, logins int) (payers, loggedOut []payer) {
	b.Helper()
	sessions, err := session.New(db, session.Options{Secret: []byte(key)})
	require.NoError(b, err)
	e := echo.New()
	e.GET("/in", func(c echo.Context) error {
		id, err := strconv.ParseInt(c.QueryParam("customer"), 10, 64)
		if err != nil {
			return err
		}
		if err := session.Of(c).LogIn(c, customer.Customer{ID: id, SessionEpoch: 1, Browser: customer.Browser{Known: true}}); err != nil {
			return err
		}
		return c.String(http.StatusOK, session.Of(c).CSRF())
	}, sessions.Middleware())
	e.GET("/number", func(c echo.Context) error {
		session.Of(c).Set("phone", c.QueryParam("phone"))
		return c.String(http.StatusOK, session.Of(c).CSRF())
	}, sessions.Middleware())
	payers, loggedOut = make([]payer, len(wallets)), make([]payer, logins)
	var all sync.WaitGroup
	for part := range 16 {
		all.Go(func() {
			for i := part; i < len(payers); i += 16 {
				payers[i] = enter(b, e, fmt.Sprintf("/in?customer=%d", wallets[i]), wallets[i])
			}
			for i := part; i < len(loggedOut); i += 16 {
				loggedOut[i] = enter(b, e, "/number?phone="+url.QueryEscape(benchPhone(i)), wallets[i])
			}
		})
	}
	all.Wait()
	return payers, loggedOut
}

func enter(b testing.TB, e *echo.Echo, path string, customer int64) payer {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	var cookies []string
	for _, cookie := range w.Result().Cookies() {
		cookies = append(cookies, cookie.Name+"="+cookie.Value)
	}
	if w.Code != http.StatusOK || len(cookies) == 0 {
		b.Errorf("no session: %d %s", w.Code, w.Body)
	}
	return payer{customer: customer, headers: browserHeaders + "Cookie: " + strings.Join(cookies, "; ") + "\r\n", tok: w.Body.String()}
}

// refresh sets the ages of sessions to 0 to 90 seconds, so that none expires while the
// benchmark runs, and a third of them is older than the minute after which the portal
// writes the time of the last request.
func (bdb *benchDB) refresh() {
	bdb.m.b.Helper()
	_, err := bdb.db.Pool().ExecContext(context.Background(),
		"UPDATE sessions SET seen_at = $1::timestamptz - (abs(hashtextextended(id, 0)) % 90) * interval '1 second'", bdb.db.Now())
	require.NoError(bdb.m.b, err)
}
