package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowSignup shows the form for a number never seen on the site.
func (p *Portal) ShowSignup(c echo.Context) error {
	number, ok := pending(c)
	if !ok {
		return redirect(c, "/")
	}
	closed, err := p.Customers.ClosedHere(ctx(c), number, origin(c))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, page.SignupPage{
		Frame: p.frame(c), Wallet: number.Pretty(), Edition: page.CurrentOffer(), Closed: closed,
	})
}

// Signup takes e-mail, password and the offer, and sends the SMS code.
func (p *Portal) Signup(c echo.Context) error {
	number, ok := pending(c)
	if !ok {
		return redirect(c, "/")
	}
	closed, err := p.Customers.ClosedHere(ctx(c), number, origin(c))
	if err != nil {
		return err
	}
	switching := p.switched(c)
	view := &page.SignupPage{
		Frame: p.frame(c), Wallet: number.Pretty(), Edition: page.CurrentOffer(),
		Email: typed(c, "email"), Offer: typed(c, "offer"), Closed: closed,
	}
	if switching {
		return render(c, http.StatusOK, view)
	}
	s := session.Of(c)
	err = p.Customers.StartSignup(ctx(c), s.Key(), customer.Signup{
		Phone: number, Email: view.Email.Value, Password: c.FormValue("password"),
		Offer: view.Offer.Value != "", Lang: s.Lang(), From: origin(c),
	})
	if err != nil {
		return p.refused(c, view, err)
	}
	return redirect(c, "/confirm")
}

// ShowConfirm asks the SMS code of a sign-up.
func (p *Portal) ShowConfirm(c echo.Context) error {
	number, err := p.Customers.Pending(ctx(c), session.Of(c).Key(), customer.ForSignup)
	if fault.Is(err, fault.NotFound) {
		return redirect(c, "/")
	}
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, page.ConfirmPage{Frame: p.frame(c), Wallet: number.Pretty()})
}

// Confirm takes the SMS code, opens the wallet and signs its holder in.
func (p *Portal) Confirm(c echo.Context) error {
	s := session.Of(c)
	number, err := p.Customers.Pending(ctx(c), s.Key(), customer.ForSignup)
	if fault.Is(err, fault.NotFound) {
		return redirect(c, "/")
	}
	if err != nil {
		return err
	}
	switching := p.switched(c)
	view := &page.ConfirmPage{Frame: p.frame(c), Wallet: number.Pretty(), Code: typed(c, "code")}
	if switching {
		return render(c, http.StatusOK, view)
	}
	who, err := p.Customers.ConfirmSignup(committed(c), s.Key(), view.Code.Value, origin(c))
	if fault.Is(err, fault.NotFound) {
		return redirect(c, "/cabinet") // pressed twice: the other request did it
	}
	if err != nil {
		return p.refused(c, view, err)
	}
	return p.enter(c, s.LogIn(c, who))
}

// ResendCode sends the sign-up's SMS code again.
func (p *Portal) ResendCode(c echo.Context) error {
	s := session.Of(c)
	number, err := p.Customers.Pending(ctx(c), s.Key(), customer.ForSignup)
	if fault.Is(err, fault.NotFound) {
		return redirect(c, "/")
	}
	if err != nil {
		return err
	}
	if err := p.Customers.ResendCode(ctx(c), s.Key(), customer.ForSignup, origin(c)); err != nil {
		return p.refused(c, &page.ConfirmPage{Frame: p.frame(c), Wallet: number.Pretty()}, err)
	}
	s.Flash(p.lang(c).T("door.code_sent"))
	return redirect(c, "/confirm")
}
