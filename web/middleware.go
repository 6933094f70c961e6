package web

import (
	"crypto/rand"
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

// requestIDs gives each request an id, which error pages show and logs contain.
func requestIDs() echo.MiddlewareFunc {
	return middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: newRequestID})
}

// requestIDSigns are the signs of request ids. They are read out on the telephone, so
// those that look alike are left out.
const requestIDSigns = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// newRequestID returns eight random signs in two groups, such as "7KQM-2XPD". Among the
// requests of a day an id is nearly always unique; with the time of a question it is.
func newRequestID() string {
	const signs, group = 8, 4
	id := make([]byte, 0, signs+1)
	var b [1]byte
	for n := 0; n < signs; {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		//mutant:replace int(b[0]) < 256/len(requestIDSigns)*len(requestIDSigns) => true TestRequestIDSigns
		if int(b[0]) < 256/len(requestIDSigns)*len(requestIDSigns) { // so that all signs are equally likely
			if n == group {
				id = append(id, '-')
			}
			id, n = append(id, requestIDSigns[int(b[0])%len(requestIDSigns)]), n+1
		}
	}
	return string(id)
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
