package web

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/web/portal"
)

// pageErrors answers the errors of browser routes with the portal's error page.
func pageErrors(p *portal.Portal) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		logFailure(c, p.Error(c, err), err)
	}
}

// textErrors answers the errors of machine routes with a status and plain text.
// The handlers answer what they can in their own protocol; an answer without a
// result or a screen makes the machine repeat its request.
func textErrors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil || c.Response().Committed {
			return err
		}
		status := http.StatusInternalServerError
		var httpError *echo.HTTPError
		if errors.As(err, &httpError) {
			status = httpError.Code
		}
		logFailure(c, status, err)
		return c.String(status, http.StatusText(status)+"\n")
	}
}

// logFailure logs the error behind a status of 500 or more.
func logFailure(c echo.Context, status int, err error) {
	if status < http.StatusInternalServerError {
		return
	}
	level, event := slog.LevelError, "web: request failed"
	//mutant:drop TestAbortedRequestIsNotAnError
	if c.Request().Context().Err() != nil { // the client disconnected
		level, event = slog.LevelInfo, "web: request aborted"
	}
	f := fault.As(err)
	//mutant:drop TestPanicEndsARequestOnly
	slog.Log(c.Request().Context(), level, event, "op", f.Op, "kind", f.Kind.String(), "error", err,
		"route", c.Path(), "request_id", c.Response().Header().Get(echo.HeaderXRequestID))
}
