package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/templates/page"
	"elsom/web/session"
)

// ShowClose shows the form that closes the wallet, or why it can't be closed.
func (p *Portal) ShowClose(c echo.Context) error {
	view, err := p.closePage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// Close closes the wallet for good and logs the customer out.
func (p *Portal) Close(c echo.Context) error {
	// The page reads the balance again: money may have arrived meanwhile.
	return p.submit(c, func() (form, error) { return p.closePage(c) }, func() (string, error) {
		if err := p.services.Closing.Close(committed(c), holder(c), c.FormValue("password"), c.FormValue("pin")); err != nil {
			return "", err
		}
		if err := session.Of(c).LogOut(c); err != nil {
			return "", err
		}
		session.Of(c).SetNote(string(session.EndedByClosing) + " read")
		return "/closed", nil
	})
}

func (p *Portal) closePage(c echo.Context) (*page.ClosePage, error) {
	owner := holder(c)
	obstacles, err := p.services.Closing.Obstacles(ctx(c), owner)
	if err != nil {
		return nil, err
	}
	return &page.ClosePage{
		Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Balance: obstacles.Balance, Open: obstacles.Open, AskPIN: owner.HasPIN,
	}, nil
}

// Closed confirms that the wallet is closed, in the browser that closed it.
func (p *Portal) Closed(c echo.Context) error {
	if !strings.HasPrefix(session.Of(c).Note(), string(session.EndedByClosing)+" ") {
		return redirect(c, "/")
	}
	return render(c, http.StatusOK, page.ClosedPage{Frame: p.frame(c)})
}
