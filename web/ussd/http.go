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

// Gateways authenticates gateways; *credential.Gateways implements it.
type Gateways = basicauth.Verifier[credential.Gateway]

// maxBody bounds a request, in bytes; a session's inputs take a few hundred.
const maxBody = 32 << 10

// Verify authenticates the caller of POST /ussd before its body is read.
func (h *Handler) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) {
	return h.auth.Verify(c)
}

// VerifyKannel authenticates the caller of POST /ussd/kannel, which has a scope of
// its own.
func (h *Handler) VerifyKannel(c echo.Context) (refuse echo.HandlerFunc, err error) {
	return h.kannelAuth.Verify(c)
}

// Handle answers POST /ussd.
func (h *Handler) Handle(c echo.Context) error {
	gateway, answered, err := h.auth.Caller(c.Request().Context(), c)
	if answered {
		return err
	}
	if err != nil {
		return respond(c, endScreen("", kindMessages[fault.KindOf(err)]))
	}
	form, ok := readForm(c.Request())
	if !ok {
		return c.String(http.StatusBadRequest, "Not a form of a USSD gateway\n")
	}
	style := Whole
	if gateway.Inputs == credential.LastInput {
		style = Last
	}
	screen, err := h.Respond(c.Request().Context(), Input{
		Gateway: gateway.Code, Session: form.Get("sessionId"), Phone: form.Get("phoneNumber"),
		ServiceCode: form.Get("serviceCode"), Text: form.Get("text"), Style: style,
	})
	if err != nil {
		h.log.WarnContext(c.Request().Context(), "ussd: request failed", "gateway", gateway.Code, "error", err)
	}
	return respond(c, screen)
}

// respond writes a screen in the gateway's format.
func respond(c echo.Context, s Screen) error {
	prefix := "CON "
	if s.End {
		prefix = "END "
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(prefix+s.Text))
}

// readForm reads the fields from the body only: proxies log addresses, and the
// fields hold PINs.
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
