package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/templates/portal"
	"elsom/web/session"
)

// Offer shows the public offer.
func (p *Portal) Offer(c echo.Context) error {
	return render(c, http.StatusOK, portal.OfferPage{Frame: p.frame(c), Edition: portal.CurrentOffer()})
}

// Fill tells how to fill the wallet.
func (p *Portal) Fill(c echo.Context) error {
	page := portal.FillPage{Frame: p.frame(c)}
	if who, ok := session.Of(c).Customer(); ok {
		page.Wallet = who.Phone.Pretty()
	}
	return render(c, http.StatusOK, page)
}

// Help tells how to get help.
func (p *Portal) Help(c echo.Context) error {
	return render(c, http.StatusOK, portal.HelpPage{Frame: p.frame(c)})
}
