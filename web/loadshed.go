package web

import (
	"cmp"
	"html"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/static"
)

// Limits bounds the requests in flight. Requests above a limit are answered 503 at
// once, which bounds memory and the time that the others wait. The ledger's queue
// is longer than all limits together.
type Limits struct {
	// Posts and Gets are for browsers (some GETs wait for a payment's end);
	// Machines is for each machine route.
	Posts, Gets, Machines int
	// Bodies is the total size in bytes of the bodies being received from
	// browsers, and again from machines.
	Bodies int64
}

var defaultLimits = Limits{Posts: 1000, Gets: 2000, Machines: 1000, Bodies: 16 << 20}

// orDefault replaces zero values by the defaults.
func (l Limits) orDefault() Limits {
	return Limits{
		Posts: cmp.Or(l.Posts, defaultLimits.Posts), Gets: cmp.Or(l.Gets, defaultLimits.Gets),
		Machines: cmp.Or(l.Machines, defaultLimits.Machines), Bodies: cmp.Or(l.Bodies, defaultLimits.Bodies),
	}
}

// limited bounds the requests in flight on a route. A request above the limit is
// answered by busy and not handled. It runs after receive, so that a slow sender
// does not count as in flight.
func limited(capacity int, busy echo.HandlerFunc) echo.MiddlewareFunc {
	//mutant:replace capacity => capacity+1 TestRequestLimits
	slots := make(chan struct{}, capacity)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				return next(c)
			default:
				return shed(c, busy)
			}
		}
	}
}

// verified authenticates the caller before the body is read. It has its own limit
// of requests in flight, since a password may have to be hashed. A caller that
// can't be verified now is passed on without its body; the handler answers it.
func verified(capacity int, verify verification, busy echo.HandlerFunc) echo.MiddlewareFunc {
	slots := make(chan struct{}, capacity)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			select {
			case slots <- struct{}{}:
			default:
				leaveBody(c)
				return shed(c, busy)
			}
			refuse, err := func() (echo.HandlerFunc, error) {
				defer func() { <-slots }()
				return verify(c)
			}()
			if refuse != nil || err != nil {
				leaveBody(c)
			}
			if refuse != nil {
				return refuse(c)
			}
			return next(c)
		}
	}
}

// verification authenticates the caller of a request; see basicauth.
type verification = func(c echo.Context) (refuse echo.HandlerFunc, err error)

// shed answers a request above a limit.
func shed(c echo.Context, busy echo.HandlerFunc) error {
	c.Response().Header().Set("Retry-After", "1")
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return busy(c)
}

// limitedByMethod bounds POST and GET apart: requests that wait for a receipt don't
// keep payments out.
func limitedByMethod(limits Limits, busy echo.HandlerFunc) echo.MiddlewareFunc {
	posts, gets := limited(limits.Posts, busy), limited(limits.Gets, busy)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		post, get := posts(next), gets(next)
		return func(c echo.Context) error {
			if c.Request().Method == http.MethodPost {
				return post(c)
			}
			return get(c)
		}
	}
}

// busyPage answers a browser above a limit. The page has the text in all languages
// and is rendered once.
func busyPage() echo.HandlerFunc {
	var text strings.Builder
	text.WriteString("<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>503</title>" +
		"<link rel=stylesheet href=" + static.Path("css/elsom.css") + "><main class=\"main main-article\">")
	for _, lang := range i18n.Langs() {
		text.WriteString("<section lang=" + string(lang) + "><h1>" + html.EscapeString(lang.T("errors.status.s503.title")) + "</h1><p>" +
			html.EscapeString(lang.T("errors.status.s503.money")) + " " + html.EscapeString(lang.T("errors.retry_soon")) + "</p></section>")
	}
	page := []byte(text.String())
	return func(c echo.Context) error { return c.HTMLBlob(http.StatusServiceUnavailable, page) }
}

// busyText answers a machine above a limit.
func busyText(c echo.Context) error {
	return c.String(http.StatusServiceUnavailable, http.StatusText(http.StatusServiceUnavailable)+"\n")
}
