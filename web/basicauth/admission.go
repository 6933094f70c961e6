// Package basicauth authenticates machines by HTTP Basic: 401 for an unknown
// caller, 403 for a known one on a route that it may not call, 429 after too
// many wrong passwords.
//
// It promises that all doors turn away alike, that the operator reads who was
// turned away and from where, and that no password reaches a log. What an
// admitted machine may do is the door's business.
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

// Register tells who calls; *cashin.Agents and *gateway.Gateways do. Forbidden
// and TooMany turn a caller away, any other fault says that nothing can be
// told now.
type Register[Caller any] interface {
	Authenticate(ctx context.Context, code, password string, from netip.Addr) (Caller, error)
}

// Room is the admission of one door.
type Room[Caller any] struct {
	// Door is the door's name, in the log and as the realm.
	Door string
	// Caller is what its callers are called: agent, gateway.
	Caller   string
	Register Register[Caller]
	// May reports whether a known caller may use this route; nil: all may.
	May func(Caller) bool
	Log *slog.Logger
}

// verdict is the result of a caller's verification.
type verdict[Caller any] struct {
	who    Caller
	refuse echo.HandlerFunc
	err    error
}

// patience bounds a verification. It goes on when the caller hangs up, so that a
// wrong password is still counted.
const patience = 30 * time.Second

// Verify authenticates the caller by the request's header, before its body is
// read, and stores the result for Admit. refuse, if not nil, answers a caller that
// is refused; err means that the caller can't be verified now.
func (r Room[Caller]) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), patience)
	defer cancel()
	v := r.judge(ctx, c)
	c.Set(r.Door, v)
	return v.refuse, v.err
}

// Admit returns the caller of a request. For a refused caller it answers 401
// (unknown), 403 (known, but not for this route) or 429 (too many wrong
// passwords) and reports answered. An error that is not answered means that the
// caller can't be verified now. The result of Verify is used if there is one.
func (r Room[Caller]) Admit(ctx context.Context, c echo.Context) (who Caller, answered bool, err error) {
	v, judged := c.Get(r.Door).(verdict[Caller])
	if !judged {
		v = r.judge(ctx, c)
	}
	if v.refuse != nil {
		return who, true, v.refuse(c)
	}
	return v.who, false, v.err
}

func (r Room[Caller]) judge(ctx context.Context, c echo.Context) verdict[Caller] {
	code, password, given := c.Request().BasicAuth()
	if !given {
		return verdict[Caller]{refuse: r.stranger}
	}
	from, _ := netip.ParseAddr(c.RealIP()) // the zero address is in nobody's list
	who, err := r.Register.Authenticate(ctx, code, password, from)
	switch {
	case fault.Is(err, fault.Forbidden):
		r.turnedAway(ctx, c, code, err)
		return verdict[Caller]{refuse: r.stranger}
	case fault.Is(err, fault.TooMany):
		r.turnedAway(ctx, c, code, err)
		seconds := int64((fault.As(err).RetryAfter + time.Second - 1) / time.Second)
		return verdict[Caller]{refuse: func(c echo.Context) error {
			c.Response().Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
			return c.String(http.StatusTooManyRequests, "Too many wrong passwords\n")
		}}
	//mutant:drop ./cmd/elsom TestGatewayScopes
	case err == nil && r.May != nil && !r.May(who):
		r.turnedAway(ctx, c, code, errScope)
		return verdict[Caller]{refuse: func(c echo.Context) error {
			return c.String(http.StatusForbidden, "This "+r.Caller+" may not call this address\n")
		}}
	}
	return verdict[Caller]{who: who, err: err}
}

var errScope = errors.New("it has no scope for this address")

// turnedAway tells the operator who guesses, and from where. What can't be a
// code is not repeated: it may be a password, or anything at all.
func (r Room[Caller]) turnedAway(ctx context.Context, c echo.Context, code string, err error) {
	if !credential.IsCode(code) {
		code = ""
	}
	r.Log.WarnContext(ctx, r.Door+": turned away", r.Caller, code, "place", ratelimit.Place(c.RealIP()), "error", err)
}

func (r Room[Caller]) stranger(c echo.Context) error {
	c.Response().Header().Set("WWW-Authenticate", `Basic realm="`+r.Door+`", charset="UTF-8"`)
	return c.String(http.StatusUnauthorized, "Unknown "+r.Caller+"\n")
}
