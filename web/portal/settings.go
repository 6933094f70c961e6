package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/templates/page"
	"elsom/web/session"
)

// Settings shows the customer's data and sessions.
func (p *Portal) Settings(c echo.Context) error {
	view, err := p.settingsPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// ChangePassword sets a new password and ends the other sessions.
func (p *Portal) ChangePassword(c echo.Context) error {
	return p.submit(c, func() (form, error) { return p.settingsPage(c) }, func() (string, error) {
		before := holder(c)
		owner, err := p.services.Customers.ChangePassword(committed(c), before.ID, c.FormValue("old_password"), c.FormValue("password"))
		if err != nil {
			return "", err
		}
		owner.Browser.Known = before.Browser.Known
		s := session.Of(c)
		if err := s.LogIn(c, owner); err != nil {
			return "", err
		}
		s.Flash(lang(c).T("flash.password_changed"))
		return "/settings", nil
	})
}

// EndSession ends the session in another browser, or in all others, after checking the
// password.
func (p *Portal) EndSession(c echo.Context) error {
	return p.submit(c, func() (form, error) { return p.settingsPage(c) }, func() (string, error) {
		//mutant:drop ./web TestEndingSessionsNeedsThePassword
		if err := p.services.Customers.ProvePassword(ctx(c), holder(c).ID, c.FormValue("end_password")); err != nil {
			if f := fault.As(err); f.Field == "password" {
				f.Field = "end_password"
			}
			return "", err
		}
		if err := p.services.Sessions.End(ctx(c), session.Of(c), c.FormValue("session")); err != nil {
			return "", err
		}
		//mutant:drop ./web TestFurtherProofsRenewTheSession
		if err := session.Of(c).Renew(committed(c)); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.session_ended"))
		return "/settings", nil
	})
}

func (p *Portal) settingsPage(c echo.Context) (*page.SettingsPage, error) {
	owner := holder(c)
	list, err := p.services.Sessions.List(ctx(c), session.Of(c))
	if err != nil {
		return nil, err
	}
	view := &page.SettingsPage{Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Email: owner.Email, HasPIN: owner.HasPIN}
	view.EmailConfirmed, view.Mails = owner.EmailConfirmed, p.services.Customers.MailsCodes()
	for _, s := range list {
		view.Sessions = append(view.Sessions, page.Session{
			ID: s.ID, Device: s.Device, Network: s.Network, LoggedIn: s.LoggedIn, Seen: s.Seen, Current: s.Current,
		})
	}
	return view, p.addNotices(c, view)
}
