package portal

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/i18n"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowLogin asks for the password of the number entered on the first page.
func (p *Portal) ShowLogin(c echo.Context) error {
	number, ok := pendingNumber(c)
	if !ok {
		return redirect(c, "/")
	}
	return render(c, http.StatusOK, page.LoginPage{Frame: p.frame(c), Wallet: number.Pretty()})
}

// Login signs the customer in.
func (p *Portal) Login(c echo.Context) error {
	number, ok := pendingNumber(c)
	if !ok {
		return redirect(c, "/")
	}
	return p.submit(c, func() (form, error) {
		return &page.LoginPage{Frame: p.frame(c), Wallet: number.Pretty()}, nil
	}, func() (string, error) {
		holder, err := p.services.Customers.LogIn(ctx(c), number, c.FormValue("password"), origin(c))
		if errors.Is(err, customer.CodeNeeded) {
			return loginCodePath, nil
		}
		if err != nil {
			return "", err
		}
		return p.signIn(c, holder)
	})
}

// signIn starts a session for the customer and returns the address to continue
// at: the page that the login interrupted, otherwise the cabinet. A language that
// was switched to shortly before the login becomes the customer's.
func (p *Portal) signIn(c echo.Context, holder customer.Customer) (next string, err error) {
	s := session.Of(c)
	if err := s.LogIn(c, holder); err != nil {
		return "", err
	}
	s.Set(pendingPhone, "")
	if lang, ok := i18n.Parse(s.TakeChoice()); ok {
		p.storeLanguage(c, lang)
	}
	return s.TakeNext("/cabinet"), nil
}

// Logout ends the session on the server.
func (p *Portal) Logout(c echo.Context) error {
	if err := session.Of(c).LogOut(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
