package web

import (
	"log/slog"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"elsom/internal/fault"
)

// dropRequestID removes a client-supplied X-Request-ID: ids in our log must be our
// own.
func dropRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		//mutant:drop TestRequestIDsAreOurs
		c.Request().Header.Del(echo.HeaderXRequestID)
		return next(c)
	}
}

// recoverPanics logs a panic and returns it as an internal fault, for the error
// handler of its group.
func recoverPanics() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		StackSize: 16 << 10, DisableStackAll: true, DisableErrorHandler: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			slog.ErrorContext(c.Request().Context(), "web: panic", "panic", err, "route", c.Path(),
				"request_id", c.Response().Header().Get(echo.HeaderXRequestID), "stack", string(stack))
			return fault.New(fault.Internal, "web.panic", "")
		},
	})
}
