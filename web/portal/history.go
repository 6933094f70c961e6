package portal

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/payment"
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
	if found.TransferID != 0 {
		return redirect(c, transferReceiptHref(found.TransferID))
	}
	view := page.OperationPage{Frame: p.frame(c), Sum: abs(found.Amount)}
	if found.PaymentID == 0 {
		list, err := p.operations(ctx(c), owner, lang(c), []wallet.Operation{found})
		if err != nil {
			return err
		}
		view.Operation = list[0]
		return render(c, http.StatusOK, view)
	}
	paid, err := p.services.Payments.ByID(ctx(c), owner.ID, found.PaymentID)
	if err != nil {
		return err
	}
	if view.Operation, err = p.operation(ctx(c), lang(c), found, references{payments: map[int64]payment.Payment{paid.ID: paid}}); err != nil {
		return err
	}
	service, err := p.services.Catalog.ServiceOfRecord(ctx(c), paid.Service)
	if err != nil {
		return err
	}
	view.AccountLabel, view.Account = service.Label.In(string(lang(c))), pretty(service, paid.Identifier)
	view.PayeeLabel, view.Payee = payeeLabel(lang(c), service), paid.Payee
	view.Code, view.Sum, view.Fee = paid.Code, paid.Amount, paid.Fee
	view.ReceiptHref = receiptHref(paid.ID)
	if found.Kind == wallet.Payment && paid.State == payment.Completed {
		view.RepeatHref = p.repeatable(c, paid)
	}
	return render(c, http.StatusOK, view)
}
