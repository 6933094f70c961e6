package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// redirectToHTTPS redirects a browser that reached a trusted proxy without TLS to
// the public address. A form that was sent without TLS is refused.
func (h Handlers) redirectToHTTPS(trusted proxies) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if !h.HTTPS || !trusted.plain(r) {
				return next(c)
			}
			leaveBody(c)
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				return echo.NewHTTPError(http.StatusForbidden)
			}
			return c.Redirect(http.StatusPermanentRedirect, strings.TrimSuffix(h.BaseURL, "/")+localAddress(r.URL))
		}
	}
}

// refusePlainHTTP refuses a machine that reached a trusted proxy without TLS. A
// redirect would make it send its password once more.
func (h Handlers) refusePlainHTTP(trusted proxies) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			//mutant:drop TestPlainRequestsAreRedirectedToTLS
			if h.HTTPS && trusted.plain(c.Request()) {
				leaveBody(c)
				return c.String(http.StatusForbidden, "https only: this password was sent in the clear, change it\n")
			}
			return next(c)
		}
	}
}

// localAddress returns path and query of a request's target, which can't lead to
// another host.
func localAddress(u *url.URL) string {
	target := "/" + strings.TrimLeft(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		target += "?" + u.RawQuery
	}
	return target
}
