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

// Crowd is how many requests of one door are inside at the same time; who comes
// beyond that is told so at once. It bounds memory, and how long those inside
// wait for each other. The books' own queue is longer than all doors together.
type Crowd struct {
	// Acts are what a browser posts, Looks what it gets (some wait for a
	// payment's end), Machines the requests of each other door.
	Acts, Looks, Machines int
	// Bodies is how many bytes of bodies are being received from browsers, and as
	// many from machines.
	Bodies int64
}

var usualCrowd = Crowd{Acts: 1000, Looks: 2000, Machines: 1000, Bodies: 16 << 20}

// orUsual replaces zero values by the defaults.
func (crowd Crowd) orUsual() Crowd {
	return Crowd{
		Acts: cmp.Or(crowd.Acts, usualCrowd.Acts), Looks: cmp.Or(crowd.Looks, usualCrowd.Looks),
		Machines: cmp.Or(crowd.Machines, usualCrowd.Machines), Bodies: cmp.Or(crowd.Bodies, usualCrowd.Bodies),
	}
}

// crowded bounds the requests in flight on a route. Beyond the limit it answers
// with little effort, so that the others make progress: nothing was done. It runs
// after receive, so that a slow sender does not count as in flight.
func crowded(most int, words echo.HandlerFunc) echo.MiddlewareFunc {
	//mutant:replace most => most+1 TestCrowdedDoor
	places := make(chan struct{}, most)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
				return next(c)
			default:
				return shed(c, words)
			}
		}
	}
}

// verified authenticates the caller before the body is read. It has its own limit
// of requests in flight, since a password may have to be hashed. A caller that
// can't be verified now is passed on without its body; the handler answers it.
func verified(most int, verify verification, words echo.HandlerFunc) echo.MiddlewareFunc {
	places := make(chan struct{}, most)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			select {
			case places <- struct{}{}:
			default:
				leaveBody(c)
				return shed(c, words)
			}
			refuse, err := func() (echo.HandlerFunc, error) {
				defer func() { <-places }()
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

// verification authenticates the caller of a request; see admission.Room.Verify.
type verification = func(c echo.Context) (refuse echo.HandlerFunc, err error)

// shed answers a request above a limit.
func shed(c echo.Context, words echo.HandlerFunc) error {
	c.Response().Header().Set("Retry-After", "1")
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return words(c)
}

// crowdedBrowser bounds acts and looks apart: who waits for a receipt keeps
// nobody from paying.
func crowdedBrowser(crowd Crowd, words echo.HandlerFunc) echo.MiddlewareFunc {
	acts, looks := crowded(crowd.Acts, words), crowded(crowd.Looks, words)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		act, look := acts(next), looks(next)
		return func(c echo.Context) error {
			if c.Request().Method == http.MethodPost {
				return act(c)
			}
			return look(c)
		}
	}
}

// crowdedPage is what a browser is told, the same for everybody: in all
// languages, made once.
func crowdedPage() echo.HandlerFunc {
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

func crowdedMachine(c echo.Context) error {
	return c.String(http.StatusServiceUnavailable, http.StatusText(http.StatusServiceUnavailable)+"\n")
}
