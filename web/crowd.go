package web

import (
	"bytes"
	"errors"
	"html"
	"io"
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
}

var usualCrowd = Crowd{Acts: 1000, Looks: 2000, Machines: 1000}

// crowded bounds a door. Where too many are inside it answers with little
// effort, so that whoever is inside gets on: nothing was done. What a slow
// client sends is read before it takes a place.
func crowded(most int, words echo.HandlerFunc) echo.MiddlewareFunc {
	places := make(chan struct{}, most)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := readWhole(c.Request()); err != nil {
				return err
			}
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
				return next(c)
			default:
				c.Response().Header().Set("Retry-After", "1")
				c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
				return words(c)
			}
		}
	}
}

// crowdedBrowser bounds acts and looks apart: who waits for a receipt keeps
// nobody from paying.
func crowdedBrowser(crowd Crowd) echo.MiddlewareFunc {
	words := crowdedPage()
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

func readWhole(r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	body, err := io.ReadAll(r.Body) // up to the limit of a body
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	var refused *echo.HTTPError
	if err != nil && !errors.As(err, &refused) {
		return echo.ErrBadRequest.WithInternal(err) // it went away, or was too slow
	}
	return err
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
