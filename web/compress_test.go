package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"elsom/internal/testkit/require"
	"elsom/web"
)

func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	answer := app.browser().ask(http.MethodGet, "/offer", nil, "Accept-Encoding", "gzip")
	if answer.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(answer.Header().Get("Vary"), "Accept-Encoding") {
		t.Fatalf("not compressed: %v", answer.Header())
	}
	unpacked, err := gzip.NewReader(answer.Body)
	require.NoError(t, err)
	text, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	if !strings.Contains(string(text), "</html>") {
		t.Error("the page is cut")
	}
}

// sized has a route that returns the requested number of bytes.
type sized struct{}

func (sized) Routes(g *echo.Group) {
	answer := func(body string, parts int) echo.HandlerFunc {
		return func(c echo.Context) error {
			for range parts {
				if _, err := c.Response().Write([]byte(body)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	g.GET("/small", answer(strings.Repeat("s", 999), 1))
	g.GET("/least", answer(strings.Repeat("l", 500), 2))
	g.GET("/large", answer(strings.Repeat("x", 100<<10), 4))
	g.GET("/empty", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	g.GET("/moved", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/") })
	g.GET("/flushed", func(c echo.Context) error {
		_, _ = c.Response().Write([]byte("first"))
		c.Response().Flush()
		_, err := c.Response().Write([]byte("second"))
		return err
	})
}

// TestCompressionBounds checks which responses are not compressed.
func TestCompressionBounds(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Dev = sized{} }})
	for _, c := range []struct {
		method, path string
		status       int
		packed       bool
		want         string
	}{
		{"GET", "/dev/small", 200, false, strings.Repeat("s", 999)},
		{"GET", "/dev/least", 200, true, strings.Repeat("l", 1000)},
		{"GET", "/dev/large", 200, false, strings.Repeat("x", 400<<10)},
		{"GET", "/dev/empty", 204, false, ""},
		{"GET", "/dev/moved", 303, false, ""},
		{"GET", "/dev/flushed", 200, false, "firstsecond"},
	} {
		answer := app.browser().ask(c.method, c.path, nil, "Accept-Encoding", "gzip, deflate, br")
		var body io.Reader = answer.Body
		if c.packed {
			unpacked, err := gzip.NewReader(body)
			require.NoError(t, err)
			body = unpacked
		}
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		if packed := answer.Header().Get("Content-Encoding") == "gzip"; answer.Code != c.status || packed != c.packed || string(text) != c.want {
			t.Errorf("%s %s: %d, compressed %v, %d bytes", c.method, c.path, answer.Code, packed, len(text))
		}
	}
}
