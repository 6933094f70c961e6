package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// pages are a browser's routes: what answers GET answers HEAD, without its body.
type pages struct{ *echo.Group }

// GET lays a route to read.
func (p pages) GET(path string, h echo.HandlerFunc) {
	p.Match([]string{http.MethodGet, http.MethodHead}, path, h)
}

// encrypted redirects a browser that reached a trusted proxy without TLS to the
// public address. A form posted in the clear is refused, and so is a machine:
// its password was sent already, and would be again after a redirect.
func encrypted(base string, trusted proxies) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			switch {
			case !trusted.plain(r):
				return next(c)
			//mutant:drop TestPlainRequestsAreLedToTLS
			case machine[c.Path()]:
				leaveBody(c)
				c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
				return c.String(http.StatusForbidden, "https only: this password was sent in the clear, change it\n")
			case r.Method != http.MethodGet && r.Method != http.MethodHead:
				leaveBody(c)
				return echo.NewHTTPError(http.StatusForbidden)
			}
			leaveBody(c)
			return c.Redirect(http.StatusPermanentRedirect, strings.TrimSuffix(base, "/")+path(r.URL))
		}
	}
}

// path is where a request goes on our own host, whatever form its target had.
func path(u *url.URL) string {
	target := "/" + strings.TrimLeft(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		target += "?" + u.RawQuery
	}
	return target
}
