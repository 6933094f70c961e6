package portal

import (
	"math"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowReset shows the form that sends an SMS code for a forgotten password.
func (p *Portal) ShowReset(c echo.Context) error {
	view := page.ResetPage{Frame: p.frame(c), HoldHours: p.holdHours()}
	if number, ok := pendingNumber(c); ok {
		view.Phone.Value = number.Pretty()
	}
	return render(c, http.StatusOK, view)
}

// Reset sends the SMS code. The answer is the same for known and unknown numbers.
func (p *Portal) Reset(c echo.Context) error {
	typedPhone := typed(c, "phone")
	return p.submit(c, func() (form, error) {
		return &page.ResetPage{Frame: p.frame(c), Phone: typedPhone, HoldHours: p.holdHours()}, nil
	}, func() (string, error) {
		number, err := readPhone(typedPhone.Value)
		if err != nil {
			return "", err
		}
		s := session.Of(c)
		if err := p.services.Customers.StartReset(ctx(c), s.Key(), number, s.Lang(), origin(c)); err != nil {
			return "", err
		}
		s.Set(pendingPhone, number.String())
		return "/reset/confirm", nil
	})
}

// ShowResetConfirm asks for the SMS code and a new password.
func (p *Portal) ShowResetConfirm(c echo.Context) error {
	return p.withCode(c, customer.ForReset, "/reset", func(number phone.Number) error {
		return render(c, http.StatusOK, p.resetConfirmPage(c, number))
	})
}

// ResetConfirm sets the new password and signs the customer in.
func (p *Portal) ResetConfirm(c echo.Context) error {
	return p.withCode(c, customer.ForReset, "/reset", func(number phone.Number) error {
		code := typed(c, "code")
		return p.submit(c, func() (form, error) {
			view := p.resetConfirmPage(c, number)
			view.Code = code
			return view, nil
		}, func() (string, error) {
			holder, err := p.services.Customers.ConfirmReset(committed(c), session.Of(c).Key(), code.Value, c.FormValue("password"), origin(c))
			if confirmedTwice(err) {
				return "/cabinet", nil
			}
			if err != nil {
				return "", err
			}
			return p.signIn(c, holder)
		})
	})
}

func (p *Portal) resetConfirmPage(c echo.Context, number phone.Number) *page.ResetConfirmPage {
	return &page.ResetConfirmPage{Frame: p.frame(c), Wallet: number.Pretty(), HoldHours: p.holdHours()}
}

// holdHours returns the duration of the hold after a reset in hours, rounded up.
func (p *Portal) holdHours() int { return int(math.Ceil(p.services.Customers.Hold().Hours())) }

// holdNotice returns the text about the customer's hold on payments; empty if
// there is none.
func (p *Portal) holdNotice(c echo.Context) string {
	//mutant:drop ./web TestHoldIsShownBeforeTheForm
	if err := customer.CheckHold(holder(c), p.services.Now()); err != nil {
		return text(lang(c), fault.As(err))
	}
	return ""
}
