package dev

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/templates/component"
	"elsom/templates/devpage"
)

// serviceCode is the only code that the handset can dial.
const serviceCode = "*900#"

var errUSSD = fault.New(fault.Unavailable, "dev.phone", "")

// Press handles a key of the handset. The response is the page itself: reloading
// repeats the request, as networks do, and gets the same screen.
func (h *Handler) Press(c echo.Context) error {
	number, err := phone.Parse(c.FormValue("phone"))
	if err != nil {
		return c.Redirect(http.StatusSeeOther, "/dev/phone")
	}
	page := devpage.PhonePage{
		Frame: h.frame(c), Phone: component.Input{Value: number.Pretty()},
		Session: c.FormValue("session"), Text: c.FormValue("text"), Typed: c.FormValue("typed"),
	}
	key, action := c.FormValue("key"), c.FormValue("act")
	switch {
	case action == "end":
		page.Session, page.Text, page.Typed = "", "", ""
	case action == "refresh":
		err = h.redial(c, &page, number)
	case key == "erase":
		_, last := utf8.DecodeLastRuneInString(page.Typed)
		page.Typed = page.Typed[:len(page.Typed)-last]
		err = h.redial(c, &page, number)
	case key != "":
		page.Typed += key
		err = h.redial(c, &page, number)
	case page.Session != "":
		if page.Text != "" {
			page.Text += "*"
		}
		page.Text, page.Typed = page.Text+page.Typed, ""
		err = h.dial(c, &page, number)
	case strings.TrimSpace(page.Typed) == serviceCode:
		page.Session, page.Text, page.Typed = rand.Text(), "", ""
		err = h.dial(c, &page, number)
	case page.Typed != "":
		page.Said, page.Over = page.T("dev.phone.unknown"), true
	}
	if err != nil {
		return err
	}
	return h.show(c, page, number)
}

// redial shows the current screen when no input was sent, by repeating the request.
func (h *Handler) redial(c echo.Context, page *devpage.PhonePage, number phone.Number) error {
	if page.Session == "" {
		return nil
	}
	return h.dial(c, page, number)
}

// dial calls /ussd with the gateway's credentials.
func (h *Handler) dial(c echo.Context, page *devpage.PhonePage, number phone.Number) error {
	if h.server == nil {
		return errUSSD
	}
	form := url.Values{
		"sessionId": {page.Session}, "serviceCode": {serviceCode}, "phoneNumber": {number.String()}, "text": {page.Text},
	}
	r, err := http.NewRequestWithContext(c.Request().Context(), http.MethodPost, "/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(h.gateway.Code, h.gateway.Password)
	w := h.call(c, r)
	text := w.body.String()
	if w.status != http.StatusOK {
		page.Said, page.Over = page.T("dev.phone.silence", map[string]any{"Status": w.status}), true
		return nil
	}
	page.Said, page.Over = strings.TrimPrefix(strings.TrimPrefix(text, "CON "), "END "), !strings.HasPrefix(text, "CON ")
	return nil
}
