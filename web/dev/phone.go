package dev

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/phone"
	"elsom/templates/component"
	"elsom/templates/devpage"
	"elsom/web/session"
)

// refreshSeconds is how often the handset looks for messages by itself.
const refreshSeconds = 3

// Phone shows a number's handset.
func (d *Door) Phone(c echo.Context) error {
	page := devpage.PhonePage{Frame: d.frame(c)}
	typed, asked := query(c, "phone")
	if !asked {
		typed = offered(c)
	}
	page.Phone = component.Input{Value: typed}
	if typed == "" && !asked {
		return render(c, http.StatusOK, page)
	}
	number, err := phone.Parse(typed)
	if err != nil {
		page.Phone.Error = page.T(phoneProblem(err))
		return render(c, http.StatusUnprocessableEntity, page)
	}
	return d.show(c, page, number)
}

// show puts the number's messages on the handset.
func (d *Door) show(c echo.Context, page devpage.PhonePage, number phone.Number) error {
	session.Of(c).Set(numberKept, number.String())
	page.Phone.Value, page.Number, page.Refresh = number.Pretty(), number.Pretty(), refreshSeconds
	page.Path = "/dev/phone?phone=" + url.QueryEscape(number.String())
	ctx := c.Request().Context()
	messages, err := d.Messages(ctx, number)
	if err != nil {
		return fault.Wrap("dev.phone", err)
	}
	for _, m := range messages {
		page.Messages = append(page.Messages, devpage.Message{Text: i18n.NoBreakAmounts(m.Text), At: m.CreatedAt})
	}
	if d.Letters != nil {
		letters, err := d.Letters(ctx, number)
		if err != nil {
			return fault.Wrap("dev.phone", err)
		}
		for _, l := range letters {
			page.Letters = append(page.Letters, devpage.Letter{To: l.To, Subject: l.Subject, Text: l.Text, At: l.CreatedAt})
		}
	}
	if carrier, err := d.Carrier(ctx, number); err == nil {
		page.Carrier = carrier.Name
	}
	return render(c, http.StatusOK, page)
}

// SMS lists a number's messages as JSON, newest first.
func (d *Door) SMS(c echo.Context) error {
	typed, _ := query(c, "phone")
	number, err := phone.Parse(typed)
	if err != nil {
		return c.JSON(http.StatusUnprocessableEntity, map[string]string{"error": "phone: not a mobile number of Kyrgyzstan"})
	}
	messages, err := d.Messages(c.Request().Context(), number)
	if err != nil {
		return fault.Wrap("dev.sms", err)
	}
	if messages == nil {
		messages = []Message{} // a list is never null
	}
	return c.JSON(http.StatusOK, messages)
}

// query gives a parameter and whether it is there. A plus that a caller left
// bare arrives as a space, which numbers bear.
func query(c echo.Context, name string) (string, bool) {
	values, asked := c.QueryParams()[name]
	if !asked {
		return "", false
	}
	return strings.TrimSpace(values[0]), true
}
