// Package admission is how machines prove themselves at a door: HTTP Basic,
// with 401 for whoever is unknown and 429 for whoever guesses.
//
// It promises that all doors turn away alike, that the operator reads who was
// turned away and from where, and that no password reaches a log. What an
// admitted machine may do is the door's business.
package admission

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/attempt"
	"elsom/internal/fault"
	"elsom/internal/keychain"
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
	Log      *slog.Logger
}

// Admit lets a caller in. Where it did not, it has answered 401 or 429; an
// error without an answer says that nothing can be told now.
func (r Room[Caller]) Admit(ctx context.Context, c echo.Context) (who Caller, answered bool, err error) {
	code, password, given := c.Request().BasicAuth()
	if !given {
		return who, true, r.stranger(c)
	}
	from, _ := netip.ParseAddr(c.RealIP()) // the zero address is in nobody's list
	who, err = r.Register.Authenticate(ctx, code, password, from)
	switch {
	case fault.Is(err, fault.Forbidden):
		r.turnedAway(ctx, c, code, err)
		return who, true, r.stranger(c)
	case fault.Is(err, fault.TooMany):
		r.turnedAway(ctx, c, code, err)
		seconds := int64((fault.As(err).RetryAfter + time.Second - 1) / time.Second)
		c.Response().Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
		return who, true, c.String(http.StatusTooManyRequests, "Too many wrong passwords\n")
	}
	return who, false, err
}

// turnedAway tells the operator who guesses, and from where. What can't be a
// code is not repeated: it may be a password, or anything at all.
func (r Room[Caller]) turnedAway(ctx context.Context, c echo.Context, code string, err error) {
	if !keychain.IsCode(code) {
		code = ""
	}
	r.Log.WarnContext(ctx, r.Door+": turned away", r.Caller, code, "place", attempt.Place(c.RealIP()), "error", err)
}

func (r Room[Caller]) stranger(c echo.Context) error {
	c.Response().Header().Set("WWW-Authenticate", `Basic realm="`+r.Door+`", charset="UTF-8"`)
	return c.String(http.StatusUnauthorized, "Unknown "+r.Caller+"\n")
}
