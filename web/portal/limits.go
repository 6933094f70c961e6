package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/templates/page"
)

// Limits shows the limits of the customer's level and what is left of them.
func (p *Portal) Limits(c echo.Context) error {
	left, err := p.services.Transfers.Left(ctx(c), holder(c))
	if err != nil {
		return err
	}
	level := left.Level
	return render(c, http.StatusOK, page.LimitsPage{
		Frame: p.frame(c), Operation: level.Operation, Day: level.Day, Month: level.Month, Balance: level.Balance,
		DayLeft: left.Day, MonthLeft: left.Month, Receivable: left.Receivable, WalletBalance: left.Balance,
	})
}
