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

// serviceCode is what the handset can dial.
const serviceCode = "*900#"

var errUSSD = fault.New(fault.Unavailable, "dev.phone", "")

// Press takes a key of the handset, or what was typed. The page is the answer
// itself: whoever reloads it sends the same request again, as networks do, and
// gets the same screen.
func (d *Door) Press(c echo.Context) error {
	number, err := phone.Parse(c.FormValue("phone"))
	if err != nil {
		return c.Redirect(http.StatusSeeOther, "/dev/phone")
	}
	page := devpage.PhonePage{
		Frame: d.frame(c), Phone: component.Input{Value: number.Pretty()},
		Session: c.FormValue("session"), Text: c.FormValue("text"), Typed: c.FormValue("typed"),
	}
	key, act := c.FormValue("key"), c.FormValue("act")
	switch {
	case act == "end":
		page.Session, page.Text, page.Typed = "", "", ""
	case key == "erase":
		_, last := utf8.DecodeLastRuneInString(page.Typed)
		page.Typed = page.Typed[:len(page.Typed)-last]
		err = d.again(c, &page, number)
	case key != "":
		page.Typed += key
		err = d.again(c, &page, number)
	case page.Session != "":
		if page.Text != "" {
			page.Text += "*"
		}
		page.Text, page.Typed = page.Text+page.Typed, ""
		err = d.dial(c, &page, number)
	case strings.TrimSpace(page.Typed) == serviceCode:
		page.Session, page.Text, page.Typed = rand.Text(), "", ""
		err = d.dial(c, &page, number)
	case page.Typed != "":
		page.Said, page.Over = page.T("dev.phone.unknown"), true
	}
	if err != nil {
		return err
	}
	return d.show(c, page, number)
}

// again shows the screen that stands there while a key is pressed: the network
// answers a repeat with it.
func (d *Door) again(c echo.Context, page *devpage.PhonePage, number phone.Number) error {
	if page.Session == "" {
		return nil
	}
	return d.dial(c, page, number)
}

// dial asks the real /ussd as the gateway does, with its password.
func (d *Door) dial(c echo.Context, page *devpage.PhonePage, number phone.Number) error {
	if d.OSMP == nil {
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
	r.SetBasicAuth(d.Gateway.Code, d.Gateway.Password)
	w := d.call(c, r)
	said := w.body.String()
	if w.status != http.StatusOK {
		page.Said, page.Over = page.T("dev.phone.silence", map[string]any{"Status": w.status}), true
		return nil
	}
	page.Said, page.Over = strings.TrimPrefix(strings.TrimPrefix(said, "CON "), "END "), !strings.HasPrefix(said, "CON ")
	return nil
}
