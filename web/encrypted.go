package web

import (
	"net"
	"net/http"
	"net/netip"
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

// encrypted leads whoever came to a trusted proxy without TLS to the public
// address, before anything is said. What was posted in the clear isn't taken.
func encrypted(base string, trusted []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if !strings.EqualFold(r.Header.Get(echo.HeaderXForwardedProto), "http") || !from(r.RemoteAddr, trusted) {
				return next(c)
			}
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				return echo.NewHTTPError(http.StatusForbidden)
			}
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

// from tells whether a request's peer is one of the proxies.
func from(peer string, proxies []netip.Prefix) bool {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, proxy := range proxies {
		if proxy.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}
