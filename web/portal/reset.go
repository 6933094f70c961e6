package portal

import (
	"math"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowReset offers an SMS code to who forgot the password.
func (p *Portal) ShowReset(c echo.Context) error {
	view := page.ResetPage{Frame: p.frame(c), HoldHours: p.holdHours()}
	if number, ok := pending(c); ok {
		view.Phone.Value = number.Pretty()
	}
	return render(c, http.StatusOK, view)
}

// Reset sends the SMS code, and says the same whether the number is known.
func (p *Portal) Reset(c echo.Context) error {
	switching := p.switched(c)
	view := &page.ResetPage{Frame: p.frame(c), Phone: typed(c, "phone"), HoldHours: p.holdHours()}
	if switching {
		return render(c, http.StatusOK, view)
	}
	number, err := readPhone(view.Phone.Value)
	if err != nil {
		return p.refused(c, view, err)
	}
	s := session.Of(c)
	if err := p.Customers.StartReset(ctx(c), s.Key(), number, s.Lang(), origin(c)); err != nil {
		return p.refused(c, view, err)
	}
	s.Set(pendingPhone, number.String())
	return redirect(c, "/reset/confirm")
}

// ShowResetConfirm asks the SMS code and a new password.
func (p *Portal) ShowResetConfirm(c echo.Context) error {
	view, err := p.resetConfirm(c)
	if view == nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// ResetConfirm sets the new password and signs the holder in.
func (p *Portal) ResetConfirm(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.resetConfirm(c)
	if view == nil {
		return err
	}
	view.Code = typed(c, "code")
	if switching {
		return render(c, http.StatusOK, view)
	}
	s := session.Of(c)
	who, err := p.Customers.ConfirmReset(committed(c), s.Key(), view.Code.Value, c.FormValue("password"), origin(c))
	if fault.Is(err, fault.NotFound) {
		return redirect(c, "/cabinet") // pressed twice: the other request did it
	}
	if err != nil {
		return p.refused(c, view, err)
	}
	return p.enter(c, s.LogIn(c, who))
}

func (p *Portal) resetConfirm(c echo.Context) (*page.ResetConfirmPage, error) {
	number, err := p.Customers.Pending(ctx(c), session.Of(c).Key(), customer.ForReset)
	if fault.Is(err, fault.NotFound) {
		return nil, redirect(c, "/reset")
	}
	if err != nil {
		return nil, err
	}
	return &page.ResetConfirmPage{Frame: p.frame(c), Wallet: number.Pretty(), HoldHours: p.holdHours()}, nil
}

// holdHours returns the hold after a reset in hours, rounded up.
func (p *Portal) holdHours() int { return int(math.Ceil(p.Customers.Hold().Hours())) }

// held returns the text about a hold on payments; empty if there is none.
func (p *Portal) held(c echo.Context) string {
	//mutant:drop ./web TestHoldIsToldBefore
	if err := customer.HeldFromPaying(holder(c), p.Now()); err != nil {
		return words(p.lang(c), fault.As(err))
	}
	return ""
}
