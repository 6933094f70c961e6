package portal

import (
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/paylist"
	"elsom/internal/payment"
	"elsom/templates/page"
)

// listPauses are the seconds after which the page of a list is reloaded: while it is worked
// on, and while payments are processing.
const (
	listPause    = 2
	outcomePause = 5
	// outcomesFor is how long the page of a list that was paid reloads itself.
	outcomesFor = 10 * time.Minute
)

// listPage returns the page of the list in the address.
func (p *Portal) listPage(c echo.Context) (*page.ListPage, error) {
	owner, l := holder(c), lang(c)
	list, err := p.services.Lists.ByID(ctx(c), owner.ID, listID(c))
	if err != nil {
		return nil, err
	}
	service, err := p.services.Catalog.ServiceOfRecord(ctx(c), list.Service)
	if err != nil {
		return nil, err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), owner.ID)
	if err != nil {
		return nil, err
	}
	view := &page.ListPage{
		Frame: p.frame(c), State: page.ListState(list.State), Path: listHref(list.ID), Service: service.Name.In(string(l)),
		AccountLabel: service.Label.In(string(l)), PayeeLabel: payeeLabel(l, service), All: len(list.Lines),
		Wallet: owner.Phone.Pretty(), Balance: balance, AskPIN: owner.PINOwed,
		FormHref: listFormHref(service.Code) + "?from=" + c.Param("list"), MendHref: listFormHref(service.Code) + "?from=" + c.Param("list"),
	}
	payments, err := p.listPayments(c, list)
	if err != nil {
		return nil, err
	}
	addLines(l, view, service, list, payments)
	switch list.State {
	case paylist.Checking:
		view.Done, view.Refresh = view.All-list.Count(paylist.Waiting), listPause
	case paylist.Paying:
		view.All = len(view.Lines) + list.Count(paylist.Failed)
		view.Done, view.Refresh = view.All-list.Count(paylist.Good), listPause
	case paylist.Done:
		if processing(view.Lines) && p.services.Now().Before(list.MadeAt.Add(paylist.Lifetime+outcomesFor)) {
			view.Refresh = outcomePause
		}
	case paylist.Ready:
		return view, p.judgeList(c, view, list)
	}
	return view, nil
}

// judgeList completes the page of a list that can be paid, with what prevents it.
func (p *Portal) judgeList(c echo.Context, view *page.ListPage, list paylist.List) error {
	if p.services.Lists.Expired(list) {
		view.State = page.ListExpired
		return nil
	}
	view.Held = p.holdNotice(c)
	if len(view.Lines) == 0 {
		return nil
	}
	err := p.services.Lists.Judge(ctx(c), holder(c), list)
	switch f := fault.As(err); {
	case err == nil:
	case f.Kind == fault.Insufficient:
		view.Short, view.Problem = true, text(lang(c), f)
		view.AddLink(fillHref(list.Service), lang(c).T("portal.check.fill"))
	case f.Kind == fault.Limit:
		view.Short, view.Problem = true, text(lang(c), f)
		view.AddLink("/limits", lang(c).T("limits.link"))
	default:
		return err
	}
	return nil
}

// listPayments returns the payments of a list by id.
func (p *Portal) listPayments(c echo.Context, list paylist.List) (map[int64]payment.Payment, error) {
	var ids []int64
	for _, line := range list.Lines {
		if line.State == paylist.Paid {
			ids = append(ids, line.DraftID)
		}
	}
	return p.services.Payments.ByIDs(ctx(c), holder(c).ID, ids)
}

// addLines adds the lines of a list to its page, with the totals of those that are paid.
func addLines(l i18n.Lang, view *page.ListPage, service catalog.Service, list paylist.List, payments map[int64]payment.Payment) {
	for _, line := range list.Lines {
		row := page.ListLine{Line: line.Line, Number: line.Account, Payee: line.Payee, Sum: line.Sum, Waiting: line.State == paylist.Waiting}
		if line.Identifier != "" {
			row.Number, row.Sum = pretty(service, line.Identifier), line.Amount.Group()
		}
		if paid, ok := payments[line.DraftID]; ok && line.State == paylist.Paid {
			row.Status, row.ReceiptHref = page.Status(paid.State), receiptHref(paid.ID)
		}
		if line.State == paylist.Refused || line.State == paylist.Failed {
			row.Reason = l.T(string(line.Reason), i18n.Args(line.Args))
			view.Wrong = append(view.Wrong, row)
			continue
		}
		row.Waiting = row.Waiting || list.State == paylist.Paying && line.State == paylist.Good
		view.Lines = append(view.Lines, row)
		view.Amount, view.Fee, view.Total = view.Amount+line.Amount, view.Fee+line.Fee, view.Total+line.Total()
	}
}

func processing(lines []page.ListLine) bool {
	for _, line := range lines {
		if line.Status == page.Processing {
			return true
		}
	}
	return false
}
