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
	"elsom/web/session"
)

// statuses maps each kind of fault to its HTTP status. An operation with an unknown
// outcome is 503, with a page that says that it is being checked.
var statuses = map[fault.Kind]int{
	fault.Internal:     http.StatusInternalServerError,
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.NotFound:     http.StatusNotFound,
	fault.Forbidden:    http.StatusForbidden,
	fault.Conflict:     http.StatusUnprocessableEntity,
	fault.Insufficient: http.StatusUnprocessableEntity,
	fault.Limit:        http.StatusUnprocessableEntity,
	fault.TooMany:      http.StatusTooManyRequests,
	//mutant:replace http.StatusServiceUnavailable => http.StatusInternalServerError ./web TestDatabaseUnavailable
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.Unknown:     http.StatusServiceUnavailable,
}

// Error renders the page of an error that no form shows, and returns its status.
func (p *Portal) Error(c echo.Context, err error) (status int) {
	f := fault.As(err)
	status = statuses[f.Kind]
	var routing *echo.HTTPError
	if errors.As(err, &routing) {
		status = routing.Code
		if status == http.StatusMethodNotAllowed { // a form's address that has no page
			status = http.StatusNotFound
		}
	}
	view := page.ErrorPage{
		Frame: p.frame(c), Status: shownAs(status), RetryAfter: f.RetryAfter,
		Stale: errors.Is(err, session.StaleForm),
	}
	//mutant:replace f => view.Message = err.Error(); f ./web TestEveryFaultKindHasAPage
	if f.Reason != "" && !view.Stale {
		view.Message = text(lang(c), f)
	}
	if f.Kind == fault.Unknown {
		view.Message = lang(c).T("outcome.unclear")
	}
	if view.Stale {
		view.BackHref = formPage(c)
		p.storeUnsent(c)
	}
	retryAfter(c, f)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	err = render(c, status, view)
	if err != nil && !c.Response().Committed { // the session can't be stored, on a full disk for example
		err = send(c, status, view)
	}
	if err != nil {
		slog.ErrorContext(ctx(c), "portal: error page not rendered", "error", err)
		_ = c.NoContent(http.StatusInternalServerError)
	}
	return status
}

// formPage returns the address of the page with the form that was posted, if the
// form posts to its page's address; otherwise empty.
func formPage(c echo.Context) string {
	for _, route := range c.Echo().Routes() {
		if route.Method == http.MethodGet && route.Path == c.Path() {
			return c.Request().URL.EscapedPath()
		}
	}
	return ""
}

// shownAs returns the status whose text the page shows. All other client errors,
// such as 400 and 413, are shown as 422.
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
