package portal

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/templates/page"
)

// statuses is the door's one table from what went wrong to HTTP. An act with
// an unknown outcome is 503: the page says that it is being checked.
var statuses = map[fault.Kind]int{
	fault.Internal:     http.StatusInternalServerError,
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.NotFound:     http.StatusNotFound,
	fault.Forbidden:    http.StatusForbidden,
	fault.Conflict:     http.StatusUnprocessableEntity,
	fault.Insufficient: http.StatusUnprocessableEntity,
	fault.Limit:        http.StatusUnprocessableEntity,
	fault.TooMany:      http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
	fault.Unknown:      http.StatusServiceUnavailable,
}

// Error shows the page of an error that no form could take, and tells its
// status for the log.
func (p *Portal) Error(c echo.Context, err error) (status int) {
	f := fault.As(err)
	status = statuses[f.Kind]
	var routing *echo.HTTPError
	if errors.As(err, &routing) {
		status = routing.Code
		if status == http.StatusMethodNotAllowed { // a path that only a form posts to
			status = http.StatusNotFound
		}
	}
	view := page.ErrorPage{
		Frame: p.frame(c), Status: shownAs(status), RetryAfter: f.RetryAfter,
		Stale: f.Message == "session.stale",
	}
	//mutant:replace f => view.Words = err.Error(); f ./web TestEveryKindHasItsPage
	if f.Message != "" && !view.Stale {
		view.Words = words(p.lang(c), f)
	}
	if f.Kind == fault.Unknown {
		view.Words = p.lang(c).T("door.unclear")
	}
	if view.Stale {
		view.BackHref = pageOf(c)
		p.keepTyped(c)
	}
	retryAfter(c, f)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if err := render(c, status, view); err != nil {
		slog.ErrorContext(ctx(c), "portal: no page for an error", "error", err)
		_ = c.NoContent(http.StatusInternalServerError)
	}
	return status
}

// pageOf is the page on which a form stands that posts to its own address;
// empty where there is none.
func pageOf(c echo.Context) string {
	for _, route := range c.Echo().Routes() {
		if route.Method == http.MethodGet && route.Path == c.Path() {
			return c.Request().URL.EscapedPath()
		}
	}
	return ""
}

// shownAs gives the status whose words fit: a request that was too large or
// strange in another way could not be read.
func shownAs(status int) int {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		return status
	}
	if status < http.StatusInternalServerError {
		return http.StatusUnprocessableEntity
	}
	return status
}

func retryAfter(c echo.Context, f *fault.Error) {
	if f.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
}
