package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/credential"
	"elsom/internal/fault"
	"elsom/internal/securitylog"
	"elsom/web/session"
)

// requestSource adds to the request's context where it comes from, for the events of
// the security log.
func (h Handlers) requestSource(address echo.IPExtractor) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			source := &securitylog.Source{
				RequestID: c.Response().Header().Get(echo.HeaderXRequestID),
				Address:   func() string { return address(r) },
				Browser:   func() string { return h.Sessions.DeviceOf(r) },
				Device:    func() string { return session.NameOf(r.UserAgent()) },
			}
			c.SetRequest(r.WithContext(securitylog.WithSource(r.Context(), source)))
			return next(c)
		}
	}
}

const letters = "abcdefghijklmnopqrstuvwxyz"

// recordMachines records refused callers. A user name that can't be a code is left
// out, since it may be a mistyped password, and one without letters, since it may be a
// customer's number.
func (h Handlers) recordMachines(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		outcome := securitylog.Refused
		switch c.Response().Status {
		case http.StatusTooManyRequests:
			outcome = securitylog.Limited
		case http.StatusUnauthorized, http.StatusForbidden:
		default:
			return err
		}
		code, _, _ := c.Request().BasicAuth()
		//mutant:replace || !strings.ContainsAny(code, letters) => TestSecurityEventsOfMachines
		if !credential.IsCode(code) || !strings.ContainsAny(code, letters) {
			code = ""
		}
		//mutant:drop TestSecurityEventsOfMachines
		h.SecurityLog.Record(c.Request().Context(), securitylog.Entry{
			Kind: securitylog.Kind{Event: securitylog.MachineLogin, Outcome: outcome}, Detail: c.Path(), Caller: code,
		})
		return err
	}
}

// recordBrowsers records forms that Guard refused, things that a customer asked for
// and may not see, and answers with 429 of which nothing else was recorded.
func (h Handlers) recordBrowsers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		ctx := c.Request().Context()
		for _, reason := range []fault.Reason{session.ForeignForm, session.StaleForm} {
			if errors.Is(err, reason) {
				//mutant:drop TestSecurityEventsOfForgedForms
				h.SecurityLog.Record(ctx, securitylog.Entry{
					Kind: securitylog.Kind{Event: securitylog.ForgedForm, Outcome: securitylog.Refused}, Detail: string(reason),
				})
			}
		}
		holder, signedIn := session.Of(c).Customer()
		//mutant:drop TestSecurityEventsOfAccess
		if signedIn && fault.Is(err, fault.NotFound) && strings.Contains(c.Path(), ":") {
			h.SecurityLog.Record(ctx, securitylog.Entry{
				Kind: securitylog.Kind{Event: securitylog.Access, Outcome: securitylog.Refused}, Detail: c.Path(), Wallet: holder.ID,
			})
		}
		if c.Response().Status == http.StatusTooManyRequests || fault.Is(err, fault.TooMany) {
			h.SecurityLog.RecordUnlessLimited(ctx, securitylog.Entry{
				Kind: securitylog.Kind{Event: securitylog.Request, Outcome: securitylog.Limited}, Detail: c.Path(),
			})
		}
		return err
	}
}
