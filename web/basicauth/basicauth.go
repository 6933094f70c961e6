// Package basicauth authenticates machines by HTTP Basic: 401 for an unknown
// caller, 403 for a known one on a route that it may not call, 429 after too
// many wrong passwords.
//
// It guarantees that all routes of machines refuse alike, that every refusal is
// logged with the caller's address, and that no password reaches the log. It does
// not decide what an authenticated caller may do beyond calling the route.
package basicauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/credential"
	"elsom/internal/fault"
	"elsom/internal/ratelimit"
)

// Verifier checks a caller's code and password; *cashin.Agents and
// *credential.Gateways implement it. fault.Forbidden and TooMany refuse the
// caller; any other error means that it can't be verified now.
type Verifier[Caller any] interface {
	Authenticate(ctx context.Context, code, password string, from netip.Addr) (Caller, error)
}

// Realm authenticates the callers of a group of routes.
type Realm[Caller any] struct {
	// Name is the realm of the WWW-Authenticate header, and begins log messages.
	Name string
	// Noun is the kind of caller in answers and in the log: agent, gateway.
	Noun        string
	Credentials Verifier[Caller]
	// May reports whether a known caller may call the route; with nil every caller
	// may.
	May func(Caller) bool
	Log *slog.Logger
}

// result is the outcome of a verification: the caller, the answer to a refused
// caller, or the reason why it can't be verified now.
type result[Caller any] struct {
	caller Caller
	refuse echo.HandlerFunc
	err    error
}

// verifyTimeout bounds a verification, which a disconnect does not cancel: a wrong
// password is counted in any case.
const verifyTimeout = 30 * time.Second

// Verify authenticates the caller by the request's header, before the body is
// read, and stores the result for Caller. If refuse is not nil, the request is to
// be answered with it; err means that the caller can't be verified now.
func (r Realm[Caller]) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), verifyTimeout)
	defer cancel()
	verified := r.verify(ctx, c)
	c.Set(r.Name, verified)
	return verified.refuse, verified.err
}

// Caller returns the caller that Verify authenticated, or authenticates it if
// Verify was not called. A refused caller is answered, and answered is true. err
// is otherwise the reason why the caller can't be verified now.
func (r Realm[Caller]) Caller(ctx context.Context, c echo.Context) (caller Caller, answered bool, err error) {
	stored, verified := c.Get(r.Name).(result[Caller])
	if !verified {
		stored = r.verify(ctx, c)
	}
	if stored.refuse != nil {
		return caller, true, stored.refuse(c)
	}
	return stored.caller, false, stored.err
}

func (r Realm[Caller]) verify(ctx context.Context, c echo.Context) result[Caller] {
	code, password, given := c.Request().BasicAuth()
	if !given {
		return result[Caller]{refuse: r.unknown}
	}
	from, _ := netip.ParseAddr(c.RealIP()) // the zero address is in no list
	caller, err := r.Credentials.Authenticate(ctx, code, password, from)
	switch {
	case fault.Is(err, fault.Forbidden):
		r.logRefusal(ctx, c, code, err)
		return result[Caller]{refuse: r.unknown}
	case fault.Is(err, fault.TooMany):
		r.logRefusal(ctx, c, code, err)
		seconds := int64((fault.As(err).RetryAfter + time.Second - 1) / time.Second)
		return result[Caller]{refuse: func(c echo.Context) error {
			c.Response().Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
			return c.String(http.StatusTooManyRequests, "Too many wrong passwords\n")
		}}
	//mutant:drop ./cmd/elsom TestGatewayScopes
	case err == nil && r.May != nil && !r.May(caller):
		r.logRefusal(ctx, c, code, errScope)
		return result[Caller]{refuse: func(c echo.Context) error {
			return c.String(http.StatusForbidden, "This "+r.Noun+" may not call this address\n")
		}}
	}
	return result[Caller]{caller: caller, err: err}
}

var errScope = errors.New("the scope of the route is missing")

// logRefusal logs a refused caller. A user name that can't be a code is left out:
// it may be a mistyped password.
func (r Realm[Caller]) logRefusal(ctx context.Context, c echo.Context, code string, err error) {
	//mutant:drop ./web/terminal TestRefusedCallersAreLogged
	if !credential.IsCode(code) {
		code = ""
	}
	//mutant:replace ratelimit.Address(c.RealIP()) => "" ./web/terminal TestRefusedCallersAreLogged
	r.Log.WarnContext(ctx, r.Name+": caller refused", r.Noun, code, "address", ratelimit.Address(c.RealIP()), "error", err)
}

func (r Realm[Caller]) unknown(c echo.Context) error {
	c.Response().Header().Set("WWW-Authenticate", `Basic realm="`+r.Name+`", charset="UTF-8"`)
	return c.String(http.StatusUnauthorized, "Unknown "+r.Noun+"\n")
}
