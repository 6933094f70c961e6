package ussd

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/attempt"
	"elsom/internal/fault"
	"elsom/internal/gateway"
)

// Gateways tells who calls; *gateway.Gateways does.
type Gateways interface {
	Authenticate(ctx context.Context, code, password string, from netip.Addr) (gateway.Gateway, error)
}

// maxBody bounds a request: a session's inputs take some hundreds of bytes.
const maxBody = 32 << 10

// Handle answers POST /ussd.
func (d *Door) Handle(c echo.Context) error {
	who, answered, err := d.Admit(c)
	if answered {
		return err
	}
	if err != nil {
		return say(c, d.end("", endings[fault.KindOf(err)]))
	}
	form, ok := readForm(c.Request())
	if !ok {
		return c.String(http.StatusBadRequest, "Not a form of a USSD gateway\n")
	}
	screen, err := d.Turn(c.Request().Context(), Input{
		Gateway: who.Code, Session: form.Get("sessionId"), Phone: form.Get("phoneNumber"),
		ServiceCode: form.Get("serviceCode"), Text: form.Get("text"), Whole: true,
	})
	if err != nil {
		d.log.WarnContext(c.Request().Context(), "ussd", "gateway", who.Code, "error", err)
	}
	return say(c, screen)
}

// Admit lets a gateway in by HTTP Basic. Where it did not, it has answered 401
// or 429; an error without an answer says that nothing can be told now.
func (d *Door) Admit(c echo.Context) (who gateway.Gateway, answered bool, err error) {
	code, password, given := c.Request().BasicAuth()
	if !given {
		return who, true, stranger(c)
	}
	from, _ := netip.ParseAddr(c.RealIP()) // the zero address is in no gateway's list
	who, err = d.Gateways.Authenticate(c.Request().Context(), code, password, from)
	switch {
	case fault.Is(err, fault.Forbidden):
		d.turnedAway(c, code, err)
		return who, true, stranger(c)
	case fault.Is(err, fault.TooMany):
		d.turnedAway(c, code, err)
		seconds := int64((fault.As(err).RetryAfter + time.Second - 1) / time.Second)
		c.Response().Header().Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
		return who, true, c.String(http.StatusTooManyRequests, "Too many wrong passwords\n")
	}
	return who, false, err
}

// turnedAway tells the operator who guesses, and from where. What can't be a
// gateway's code is not repeated: it may be a password, or anything at all.
func (d *Door) turnedAway(c echo.Context, code string, err error) {
	if !gateway.IsCode(code) {
		code = ""
	}
	d.log.WarnContext(c.Request().Context(), "ussd: turned away", "gateway", code, "place", attempt.Place(c.RealIP()), "error", err)
}

func stranger(c echo.Context) error {
	c.Response().Header().Set("WWW-Authenticate", `Basic realm="ussd", charset="UTF-8"`)
	return c.String(http.StatusUnauthorized, "Unknown gateway\n")
}

// say writes a screen as the gateway reads it.
func say(c echo.Context, s Screen) error {
	word := "CON "
	if s.End {
		word = "END "
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(word+s.Text))
}

// readForm takes the fields out of the body only: an address is logged by
// whoever stands between.
func readForm(r *http.Request) (url.Values, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, false
	}
	for _, name := range []string{"sessionId", "serviceCode", "phoneNumber", "text"} {
		if len(form[name]) > 1 {
			return nil, false
		}
	}
	return form, true
}
