package ussd

import (
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"elsom/internal/credential"
	"elsom/internal/fault"
	"elsom/web/basicauth"
)

// Gateways tells who calls; *credential.Gateways does.
type Gateways = basicauth.Verifier[credential.Gateway]

// maxBody bounds a request: a session's inputs take some hundreds of bytes.
const maxBody = 32 << 10

// Verify judges the caller before its body is read.
func (d *Handler) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) {
	return d.auth.Verify(c)
}

// VerifyKannel does it for POST /ussd/kannel, which has a scope of its own.
func (d *Handler) VerifyKannel(c echo.Context) (refuse echo.HandlerFunc, err error) {
	return d.kannelAuth.Verify(c)
}

// Handle answers POST /ussd.
func (d *Handler) Handle(c echo.Context) error {
	who, answered, err := d.auth.Caller(c.Request().Context(), c)
	if answered {
		return err
	}
	if err != nil {
		return respond(c, d.end("", kindMessages[fault.KindOf(err)]))
	}
	form, ok := readForm(c.Request())
	if !ok {
		return c.String(http.StatusBadRequest, "Not a form of a USSD gateway\n")
	}
	style := Whole
	if who.Inputs == credential.LastInput {
		style = Last
	}
	screen, err := d.Respond(c.Request().Context(), Input{
		Gateway: who.Code, Session: form.Get("sessionId"), Phone: form.Get("phoneNumber"),
		ServiceCode: form.Get("serviceCode"), Text: form.Get("text"), Style: style,
	})
	if err != nil {
		d.log.WarnContext(c.Request().Context(), "ussd", "gateway", who.Code, "error", err)
	}
	return respond(c, screen)
}

// respond writes a screen as the gateway reads it.
func respond(c echo.Context, s Screen) error {
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
