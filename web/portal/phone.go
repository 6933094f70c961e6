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

// pendingPhone is the session value that holds the number entered on the first
// page until the login.
const pendingPhone = "phone"

// ShowPhone shows the first page, which asks for a number. A signed-in customer is
// redirected to the cabinet.
func (p *Portal) ShowPhone(c echo.Context) error {
	if _, ok := session.Of(c).Customer(); ok {
		return redirect(c, "/cabinet")
	}
	view := page.PhonePage{Frame: p.frame(c)}
	if number, ok := pendingNumber(c); ok {
		view.Phone.Value = number.Pretty()
	}
	return render(c, http.StatusOK, view)
}

// Phone handles the number's form and continues at the login or at the registration.
func (p *Portal) Phone(c echo.Context) error {
	typedPhone := typed(c, "phone")
	return p.submit(c, func() (form, error) {
		return &page.PhonePage{Frame: p.frame(c), Phone: typedPhone}, nil
	}, func() (string, error) {
		number, err := readPhone(typedPhone.Value)
		if err != nil {
			return "", err
		}
		known, err := p.services.Customers.IsRegistered(ctx(c), number, origin(c))
		if err != nil {
			return "", err
		}
		session.Of(c).Set(pendingPhone, number.String())
		if known {
			return "/login", nil
		}
		return "/signup", nil
	})
}

func pendingNumber(c echo.Context) (phone.Number, bool) {
	number := session.Of(c).Get(pendingPhone)
	return phone.Number(number), number != ""
}

func readPhone(text string) (phone.Number, error) {
	number, err := phone.Parse(text)
	var reason fault.Reason
	switch {
	case err == nil:
		return number, nil
	case errors.Is(err, phone.ErrEmpty):
		reason = "portal.wrong.phone_empty"
	case errors.Is(err, phone.ErrForeign):
		reason = "portal.wrong.phone_foreign"
	case errors.Is(err, phone.ErrLandline):
		reason = "portal.wrong.phone_landline"
	default:
		reason = "portal.wrong.phone_format"
	}
	return "", fault.New(fault.Invalid, "portal.phone", reason).At("phone")
}
