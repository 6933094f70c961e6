package web

import (
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// Request is a request that was answered. Route is the path's pattern, never the
// path itself.
type Request struct {
	Method, Route string
	Status        int
	Took          time.Duration
}

// logRequests logs each request with its route. The path and the query are not
// logged, since they may hold personal data.
func logRequests(observe func(Request)) echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogLatency: true, LogStatus: true, LogMethod: true, LogRoutePath: true, LogRequestID: true, HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			//mutant:replace RoutePath), slog => RoutePath), slog.String("uri", c.Request().RequestURI), slog TestNothingPrivateIsLogged
			slog.LogAttrs(c.Request().Context(), slog.LevelInfo, "web: request", slog.String("method", v.Method), slog.String("route", v.RoutePath),
				slog.Int("status", v.Status), slog.Int64("ms", v.Latency.Milliseconds()), slog.String("request_id", v.RequestID))
			if observe != nil {
				observe(Request{v.Method, v.RoutePath, v.Status, v.Latency})
			}
			return nil
		},
	})
}
