package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/templates/page"
	"elsom/web/session"
)

// ShowEmail shows the form for another e-mail address.
func (p *Portal) ShowEmail(c echo.Context) error { return render(c, http.StatusOK, p.emailPage(c)) }

// ChangeEmail changes the customer's e-mail address after checking the password.
func (p *Portal) ChangeEmail(c echo.Context) error {
	email := typed(c, "email")
	return p.submit(c, func() (form, error) {
		view := p.emailPage(c)
		view.Email = email
		return view, nil
	}, func() (string, error) {
		if err := p.services.Customers.ChangeEmail(committed(c), holder(c).ID, c.FormValue("password"), email.Value); err != nil {
			return "", err
		}
		//mutant:drop ./web TestFurtherProofsRenewTheSession
		if err := session.Of(c).Renew(committed(c)); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.email_changed"))
		if p.services.Customers.MailsCodes() {
			return confirmEmailPath, nil
		}
		return "/settings", nil
	})
}

func (p *Portal) emailPage(c echo.Context) *page.EmailPage {
	owner := holder(c)
	return &page.EmailPage{Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Now: owner.Email}
}
