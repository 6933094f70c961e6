package portal

import (
	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/web/session"
)

// withCode calls next with the number that an SMS code was sent to for purpose
// in this browser. Without one it redirects to start.
func (p *Portal) withCode(c echo.Context, purpose customer.Purpose, start string, next func(number phone.Number) error) error {
	number, err := p.services.Customers.Pending(ctx(c), session.Of(c).Key(), purpose)
	if fault.Is(err, fault.NotFound) {
		return redirect(c, start)
	}
	if err != nil {
		return err
	}
	return next(number)
}

// confirmedTwice reports whether err means that a code's form was sent twice and
// the other request has used the code.
func confirmedTwice(err error) bool { return fault.Is(err, fault.NotFound) }

// resendCode sends the SMS code for purpose again.
func (p *Portal) resendCode(c echo.Context, purpose customer.Purpose) error {
	if err := p.services.Customers.ResendCode(ctx(c), session.Of(c).Key(), purpose, origin(c)); err != nil {
		return err
	}
	session.Of(c).Flash(lang(c).T("flash.code_sent"))
	return nil
}
