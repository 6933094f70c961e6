package portal

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/wallet"
	"elsom/templates/page"
)

const historyPageSize = 20

// History lists a wallet's operations, newest first, page by page: all of them or those of
// a direction, or what a filter selects.
func (p *Portal) History(c echo.Context) error {
	if isFiltered(c) {
		return p.filtered(c)
	}
	direction := wallet.Direction(c.QueryParam("direction"))
	if direction != wallet.In && direction != wallet.Out {
		direction = wallet.Both
	}
	owner := holder(c)
	statement, err := p.services.Wallets.Statement(ctx(c), owner.ID, direction, cursor(c), historyPageSize)
	if err != nil {
		return err
	}
	operations, err := p.operations(ctx(c), owner, lang(c), statement.Operations)
	if err != nil {
		return err
	}
	view, err := p.historyPage(c)
	if err != nil {
		return err
	}
	view.Operations, view.In, view.Out, view.Count = operations, statement.In, statement.Out, statement.Count
	if statement.HasOlder {
		view.OlderHref = historyHref(direction, statement.Older)
	}
	if statement.HasNewer {
		view.NewerHref = historyHref(direction, statement.Newer)
	}
	return render(c, http.StatusOK, view)
}

func historyHref(direction wallet.Direction, before int64) string {
	query := url.Values{}
	if direction != wallet.Both {
		query.Set("direction", string(direction))
	}
	if before != 0 {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	if len(query) == 0 {
		return "/history"
	}
	return "/history?" + query.Encode()
}

// Operation shows one operation of the wallet.
func (p *Portal) Operation(c echo.Context) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "portal.operation", "")
	}
	owner := holder(c)
	found, err := p.services.Wallets.Operation(ctx(c), owner.ID, id)
	if err != nil {
		return err
	}
	switch {
	case found.TransferID != 0:
		return redirect(c, transferReceiptHref(found.TransferID))
	case found.PaymentID != 0:
		return redirect(c, receiptHref(found.PaymentID))
	}
	list, err := p.operations(ctx(c), owner, lang(c), []wallet.Operation{found})
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, page.OperationPage{Frame: p.frame(c), Operation: list[0]})
}
