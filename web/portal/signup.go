package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/phone"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowSignup shows the registration form for a number that has no login yet.
func (p *Portal) ShowSignup(c echo.Context) error {
	number, ok := pendingNumber(c)
	if !ok {
		return redirect(c, "/")
	}
	view, err := p.signupPage(c, number)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// Signup handles the registration form and sends the SMS code.
func (p *Portal) Signup(c echo.Context) error {
	number, ok := pendingNumber(c)
	if !ok {
		return redirect(c, "/")
	}
	email, offer := typed(c, "email"), typed(c, "offer")
	return p.submit(c, func() (form, error) {
		view, err := p.signupPage(c, number)
		if err != nil {
			return nil, err
		}
		view.Email, view.Offer = email, offer
		return view, nil
	}, func() (string, error) {
		s := session.Of(c)
		return "/confirm", p.services.Customers.StartSignup(ctx(c), s.Key(), customer.Signup{
			Phone: number, Email: email.Value, Password: c.FormValue("password"),
			Offer: offer.Value != "", Lang: s.Lang(), From: origin(c),
		})
	})
}

func (p *Portal) signupPage(c echo.Context, number phone.Number) (*page.SignupPage, error) {
	closed, err := p.services.Customers.ClosedAtIfFamiliar(ctx(c), number, origin(c))
	if err != nil {
		return nil, err
	}
	return &page.SignupPage{Frame: p.frame(c), Wallet: number.Pretty(), Edition: page.CurrentOffer(), Closed: closed}, nil
}

// ShowConfirm asks for the SMS code of a registration.
func (p *Portal) ShowConfirm(c echo.Context) error {
	return p.withCode(c, customer.ForSignup, "/", func(number phone.Number) error {
		return render(c, http.StatusOK, page.ConfirmPage{Frame: p.frame(c), Wallet: number.Pretty()})
	})
}

// Confirm checks the SMS code, opens the wallet and signs the customer in.
func (p *Portal) Confirm(c echo.Context) error {
	return p.withCode(c, customer.ForSignup, "/", func(number phone.Number) error {
		code := typed(c, "code")
		return p.submit(c, func() (form, error) {
			return &page.ConfirmPage{Frame: p.frame(c), Wallet: number.Pretty(), Code: code}, nil
		}, func() (string, error) {
			holder, err := p.services.Customers.ConfirmSignup(committed(c), session.Of(c).Key(), code.Value, origin(c))
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

// ResendCode sends the SMS code of a registration again.
func (p *Portal) ResendCode(c echo.Context) error {
	return p.withCode(c, customer.ForSignup, "/", func(number phone.Number) error {
		return p.submit(c, func() (form, error) {
			return &page.ConfirmPage{Frame: p.frame(c), Wallet: number.Pretty()}, nil
		}, func() (string, error) {
			return "/confirm", p.resendCode(c, customer.ForSignup)
		})
	})
}
