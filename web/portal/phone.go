package portal

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/templates/page"
	"elsom/web/session"
)

// The number that a visitor began with waits in the session for the next step.
const pendingPhone = "phone"

// ShowPhone shows the first page; who is signed in goes to the cabinet.
func (p *Portal) ShowPhone(c echo.Context) error {
	if _, ok := session.Of(c).Customer(); ok {
		return redirect(c, "/cabinet")
	}
	view := page.PhonePage{Frame: p.frame(c)}
	if number, ok := pending(c); ok {
		view.Phone.Value = number.Pretty()
	}
	return render(c, http.StatusOK, view)
}

// Phone takes the number and leads to its password or to registration.
func (p *Portal) Phone(c echo.Context) error {
	switching := p.switched(c)
	view := &page.PhonePage{Frame: p.frame(c), Phone: typed(c, "phone")}
	if switching {
		return render(c, http.StatusOK, view)
	}
	number, err := readPhone(view.Phone.Value)
	if err != nil {
		return p.refused(c, view, err)
	}
	known, err := p.Customers.Known(ctx(c), number, origin(c))
	if err != nil {
		return p.refused(c, view, err)
	}
	session.Of(c).Set(pendingPhone, number.String())
	if known {
		return redirect(c, "/login")
	}
	return redirect(c, "/signup")
}

func pending(c echo.Context) (phone.Number, bool) {
	number := session.Of(c).Get(pendingPhone)
	return phone.Number(number), number != ""
}

func readPhone(text string) (phone.Number, error) {
	number, err := phone.Parse(text)
	var message string
	switch {
	case err == nil:
		return number, nil
	case errors.Is(err, phone.ErrEmpty):
		message = "portal.wrong.phone_empty"
	case errors.Is(err, phone.ErrForeign):
		message = "portal.wrong.phone_foreign"
	case errors.Is(err, phone.ErrLandline):
		message = "portal.wrong.phone_landline"
	default:
		message = "portal.wrong.phone_format"
	}
	return "", fault.New(fault.Invalid, "portal.phone", message).At("phone")
}
