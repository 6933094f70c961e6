package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/templates/page"
)

// Offer shows the public offer.
func (p *Portal) Offer(c echo.Context) error {
	return render(c, http.StatusOK, page.OfferPage{Frame: p.frame(c), Edition: page.CurrentOffer()})
}
