package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowLogin asks the password of the number that the visitor began with.
func (p *Portal) ShowLogin(c echo.Context) error {
	number, ok := pending(c)
	if !ok {
		return redirect(c, "/")
	}
	return render(c, http.StatusOK, page.LoginPage{Frame: p.frame(c), Wallet: number.Pretty()})
}

// Login signs the holder in.
func (p *Portal) Login(c echo.Context) error {
	number, ok := pending(c)
	if !ok {
		return redirect(c, "/")
	}
	switching := p.switched(c)
	view := &page.LoginPage{Frame: p.frame(c), Wallet: number.Pretty()}
	if switching {
		return render(c, http.StatusOK, view)
	}
	who, err := p.Customers.LogIn(ctx(c), number, c.FormValue("password"), origin(c))
	if err != nil {
		return p.refused(c, view, err)
	}
	return p.enter(c, session.Of(c).LogIn(c, who))
}

// enter goes where the visitor wanted to before the login page came between,
// in the language that was switched to on the way.
func (p *Portal) enter(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	s := session.Of(c)
	s.Set(pendingPhone, "")
	if lang, ok := i18n.Parse(s.TakeChoice()); ok {
		p.keepLanguage(c, lang)
	}
	return redirect(c, s.TakeNext("/cabinet"))
}

// Logout ends the session on the server.
func (p *Portal) Logout(c echo.Context) error {
	if err := session.Of(c).LogOut(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
