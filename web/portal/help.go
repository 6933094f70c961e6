package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/templates/page"
)

// Help shows how to reach support.
func (p *Portal) Help(c echo.Context) error {
	return render(c, http.StatusOK, page.HelpPage{Frame: p.frame(c)})
}
