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

// Phone shows a number's handset.
func (h *Handler) Phone(c echo.Context) error {
	page := devpage.PhonePage{Frame: h.frame(c)}
	typed, given := query(c, "phone")
	if !given {
		typed = defaultNumber(c)
	}
	page.Phone = component.Input{Value: typed}
	if typed == "" && !given {
		return render(c, http.StatusOK, page)
	}
	number, err := phone.Parse(typed)
	if err != nil {
		page.Phone.Error = page.T(phoneProblem(err))
		return render(c, http.StatusUnprocessableEntity, page)
	}
	return h.show(c, page, number)
}

// show renders the handset with the number's messages.
func (h *Handler) show(c echo.Context, page devpage.PhonePage, number phone.Number) error {
	session.Of(c).Set(numberKey, number.String())
	page.Phone.Value, page.Number = number.Pretty(), number.Pretty()
	page.Path = "/dev/phone?phone=" + url.QueryEscape(number.String())
	ctx := c.Request().Context()
	messages, err := h.messages(ctx, number)
	if err != nil {
		return fault.Wrap("dev.phone", err)
	}
	for _, m := range messages {
		page.Messages = append(page.Messages, devpage.Message{Text: i18n.NoBreak(m.Text), At: m.CreatedAt})
	}
	if h.emails != nil {
		emails, err := h.emails(ctx, number)
		if err != nil {
			return fault.Wrap("dev.phone", err)
		}
		for _, e := range emails {
			page.Emails = append(page.Emails, devpage.Email{To: e.To, Subject: e.Subject, Text: e.Text, At: e.CreatedAt})
		}
	}
	if carrier, err := h.carrier(ctx, number); err == nil {
		page.Carrier = carrier.Name
	}
	return render(c, http.StatusOK, page)
}

// SMS lists a number's messages as JSON, newest first.
func (h *Handler) SMS(c echo.Context) error {
	typed, _ := query(c, "phone")
	number, err := phone.Parse(typed)
	if err != nil {
		return c.JSON(http.StatusUnprocessableEntity, map[string]string{"error": "phone: not a mobile number of Kyrgyzstan"})
	}
	messages, err := h.messages(c.Request().Context(), number)
	if err != nil {
		return fault.Wrap("dev.sms", err)
	}
	if messages == nil {
		messages = []Message{} // a list is never null
	}
	return c.JSON(http.StatusOK, messages)
}

// query returns a query parameter and whether it was given. An unescaped plus
// arrives as a space, which phone.Parse ignores.
func query(c echo.Context, name string) (string, bool) {
	values, given := c.QueryParams()[name]
	if !given {
		return "", false
	}
	return strings.TrimSpace(values[0]), true
}
