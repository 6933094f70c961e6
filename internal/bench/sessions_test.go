package bench_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/web/session"
)

// payer is a session in the seed: logged in, or at the page of the password.
type payer struct {
	customer    int64
	cookie, tok string
}

// benchLogins is the number of sessions at the page of the password.
const benchLogins = 2_000

// createSessions creates sessions with the portal's package and key, which is faster
// than ten thousand logins.
func createSessions(b *testing.B, db *database.DB, key string, wallets []int64) (payers, loggedOut []payer) {
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
	payers, loggedOut = make([]payer, len(wallets)), make([]payer, benchLogins)
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

func enter(b *testing.B, e *echo.Echo, path string, customer int64) payer {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	p := payer{customer: customer, tok: w.Body.String()}
	for _, cookie := range w.Result().Cookies() {
		if cookie.Name == "elsom" {
			p.cookie = cookie.Value
		}
	}
	if w.Code != http.StatusOK || p.cookie == "" {
		b.Errorf("no session: %d %s", w.Code, w.Body)
	}
	return p
}

// refresh keeps the sessions from expiring: the benchmark takes longer.
func (bdb *benchDB) refresh() {
	bdb.m.b.Helper()
	_, err := bdb.db.Pool().ExecContext(context.Background(), "UPDATE sessions SET seen_at = $1", bdb.db.Now())
	require.NoError(bdb.m.b, err)
}

// connection is a keep-alive connection to a portal. It formats and parses as little
// as needed, since the client shares the cores.
type connection struct {
	host     string
	conn     net.Conn
	in       *bufio.Reader
	out      []byte
	rejected draft // its payment is sent again
}

// response is a response's status and Location.
type response struct {
	status   int
	location string
}

var errAnswer = errors.New("bench: an answer that can't be read")

// post sends a form. After an error the next call connects again.
func (w *connection) post(path, cookie, form string) (r response, err error) {
	if w.conn == nil {
		if w.conn, err = net.DialTimeout("tcp", w.host, 10*time.Second); err != nil {
			return response{}, err
		}
		w.in = bufio.NewReader(w.conn)
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	w.out = fmt.Appendf(w.out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nCookie: elsom=%s\r\nSec-Fetch-Site: same-origin\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, w.host, cookie, len(form), form)
	_ = w.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := w.conn.Write(w.out); err != nil {
		return response{}, err
	}
	return w.read()
}

func (w *connection) read() (r response, err error) {
	first, err := w.in.ReadSlice('\n')
	if err != nil {
		return r, err
	}
	if len(first) < 12 {
		return r, errAnswer
	}
	if r.status, err = strconv.Atoi(string(first[9:12])); err != nil {
		return r, errAnswer
	}
	length, chunked := 0, false
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return r, err
		}
		name, value, ok := strings.Cut(strings.TrimRight(string(line), "\r\n"), ": ")
		if !ok {
			break
		}
		switch name {
		case "Content-Length":
			if length, err = strconv.Atoi(value); err != nil {
				return r, errAnswer
			}
		case "Transfer-Encoding":
			chunked = true
		case "Location":
			r.location = value
		}
	}
	if chunked {
		return r, w.skipChunks()
	}
	_, err = w.in.Discard(length)
	return r, err
}

func (w *connection) skipChunks() error {
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
		if err != nil {
			return errAnswer
		}
		if _, err := io.CopyN(io.Discard, w.in, size+2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

func (w *connection) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}
