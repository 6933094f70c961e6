package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/templates/page"
	"elsom/web/session"
)

// Settings shows who the holder is to us and where they are signed in.
func (p *Portal) Settings(c echo.Context) error {
	view, err := p.settingsPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// ChooseLanguage keeps the language that was chosen among the settings.
func (p *Portal) ChooseLanguage(c echo.Context) error {
	if lang, ok := i18n.Parse(c.FormValue("lang")); ok {
		p.keepLanguage(c, lang)
	}
	return redirect(c, "/settings")
}

// ChangePassword sets a new password and ends the other sessions.
func (p *Portal) ChangePassword(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.settingsPage(c)
	if err != nil {
		return err
	}
	if switching {
		return render(c, http.StatusOK, view)
	}
	who, err := p.Customers.ChangePassword(committed(c), holder(c).ID, c.FormValue("old_password"), c.FormValue("password"))
	if err != nil {
		return p.refused(c, view, err)
	}
	s := session.Of(c)
	if err := s.LogIn(c, who); err != nil {
		return err
	}
	s.Flash(p.lang(c).T("door.password_changed"))
	return redirect(c, "/settings")
}

// EndSession signs the holder out in another browser, or in all others.
func (p *Portal) EndSession(c echo.Context) error {
	if err := p.Sessions.End(ctx(c), session.Of(c), c.FormValue("session")); err != nil {
		return err
	}
	session.Of(c).Flash(p.lang(c).T("door.session_ended"))
	return redirect(c, "/settings")
}

func (p *Portal) settingsPage(c echo.Context) (*page.SettingsPage, error) {
	who := holder(c)
	list, err := p.Sessions.List(ctx(c), session.Of(c))
	if err != nil {
		return nil, err
	}
	view := &page.SettingsPage{Frame: p.frame(c), Wallet: who.Phone.Pretty(), Email: who.Email, HasPIN: who.HasPIN}
	for _, s := range list {
		view.Sessions = append(view.Sessions, page.Session{
			ID: s.ID, Device: s.Device, Network: s.Network, LoggedIn: s.LoggedIn, Seen: s.Seen, Current: s.Current,
		})
	}
	return view, p.putNotices(c, view)
}
