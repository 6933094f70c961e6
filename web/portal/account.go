package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/templates/page"
	"elsom/web/session"
)

// Limits shows the limits of the holder's level and what is left of them.
func (p *Portal) Limits(c echo.Context) error {
	left, err := p.Transfers.Left(ctx(c), holder(c))
	if err != nil {
		return err
	}
	level := left.Level
	return render(c, http.StatusOK, page.LimitsPage{
		Frame: p.frame(c), Operation: level.Operation, Day: level.Day, Month: level.Month, Balance: level.Balance,
		DayLeft: left.Day, MonthLeft: left.Month, Room: left.Receivable, Holds: left.Balance,
	})
}

// ShowEmail shows the form for another e-mail address.
func (p *Portal) ShowEmail(c echo.Context) error { return render(c, http.StatusOK, p.emailPage(c)) }

// ChangeEmail changes the holder's e-mail address after checking the password.
func (p *Portal) ChangeEmail(c echo.Context) error {
	switching, view := p.switched(c), p.emailPage(c)
	view.Frame, view.Email = p.frame(c), typed(c, "email")
	if switching {
		return render(c, http.StatusOK, view)
	}
	if err := p.Customers.ChangeEmail(committed(c), holder(c).ID, c.FormValue("password"), view.Email.Value); err != nil {
		return p.refused(c, view, err)
	}
	session.Of(c).Flash(p.lang(c).T("door.email_changed"))
	return redirect(c, "/settings")
}

func (p *Portal) emailPage(c echo.Context) *page.EmailPage {
	who := holder(c)
	return &page.EmailPage{Frame: p.frame(c), Wallet: who.Phone.Pretty(), Now: who.Email}
}

// ShowClose shows the form that closes the wallet, or why it can't be closed.
func (p *Portal) ShowClose(c echo.Context) error {
	view, err := p.closePage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// Close closes the wallet for good and logs the holder out.
func (p *Portal) Close(c echo.Context) error {
	switching := p.switched(c)
	if switching {
		return p.ShowClose(c)
	}
	if err := p.Closing.Close(committed(c), holder(c), c.FormValue("password"), c.FormValue("pin")); err != nil {
		// Read again: money may have arrived meanwhile.
		view, readErr := p.closePage(c)
		if readErr != nil {
			return readErr
		}
		return p.refused(c, view, err)
	}
	if err := session.Of(c).LogOut(c); err != nil {
		return err
	}
	session.Of(c).SetNote(string(session.EndedByClosing) + " read")
	return c.Redirect(http.StatusSeeOther, "/closed")
}

func (p *Portal) closePage(c echo.Context) (*page.ClosePage, error) {
	who := holder(c)
	obstacles, err := p.Closing.Obstacles(ctx(c), who)
	if err != nil {
		return nil, err
	}
	return &page.ClosePage{
		Frame: p.frame(c), Wallet: who.Phone.Pretty(), Balance: obstacles.Balance, Open: obstacles.Open, AskPIN: who.HasPIN,
	}, nil
}

// Closed says that the wallet is closed, in the browser that closed it.
func (p *Portal) Closed(c echo.Context) error {
	if !strings.HasPrefix(session.Of(c).Note(), string(session.EndedByClosing)+" ") {
		return redirect(c, "/")
	}
	return render(c, http.StatusOK, page.ClosedPage{Frame: p.frame(c)})
}
