package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/paylist"
	"elsom/internal/payment"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowListForm shows the form of a list of payments for a service: empty, filled with the
// service's templates (?templates=) or with an earlier list (?from=).
func (p *Portal) ShowListForm(c echo.Context) error {
	view, service, err := p.listForm(c)
	if err != nil {
		return err
	}
	switch {
	case c.QueryParam("from") != "":
		id, _ := strconv.ParseInt(c.QueryParam("from"), 10, 64)
		l, err := p.services.Lists.ByID(ctx(c), holder(c).ID, id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil && l.Service == service.Code {
			view.List.Value, view.Mending = listText(l), true
		}
	case c.QueryParam("templates") != "":
		list, err := p.services.Templates.List(ctx(c), holder(c).ID)
		if err != nil {
			return err
		}
		for _, t := range list {
			if t.Service == service.Code {
				view.List.Value += listRow(t.Identifier, t.Amount) + "\n"
			}
		}
	}
	return render(c, http.StatusOK, view)
}

// listText returns the lines of a list that are not paid, as a text for its form.
func listText(l paylist.List) string {
	var text strings.Builder
	for _, line := range l.Lines {
		switch {
		case line.State == paylist.Paid:
		case line.Amount > 0:
			text.WriteString(listRow(line.Identifier, line.Amount) + "\n")
		default:
			text.WriteString(strings.ReplaceAll(line.Account, ";", " ") + "; " + strings.ReplaceAll(line.Sum, ";", " ") + "\n")
		}
	}
	return text.String()
}

func listRow(identifier string, amount money.Amount) string {
	if amount == 0 {
		return identifier + "; "
	}
	return identifier + "; " + amount.Plain()
}

func (p *Portal) listForm(c echo.Context) (*page.ListFormPage, catalog.Service, error) {
	service, err := p.services.Catalog.Service(ctx(c), c.Param("service"))
	if err != nil {
		return nil, service, err
	}
	list, err := p.services.Templates.List(ctx(c), holder(c).ID)
	if err != nil {
		return nil, service, err
	}
	view := &page.ListFormPage{
		Frame: p.frame(c), Href: listFormHref(service.Code), BackHref: payHref(service.Code), Service: service.Name.In(string(lang(c))),
		INN: service.Identifier == catalog.KindINN, Held: p.holdNotice(c),
	}
	for _, t := range list {
		if t.Service == service.Code {
			view.TemplatesHref = view.Href + "?templates=1"
		}
	}
	return view, service, nil
}

// MakeList handles the form («Проверить список»): it stores the list, which is checked in the
// background.
func (p *Portal) MakeList(c echo.Context) error {
	return p.submit(c, func() (form, error) {
		view, _, err := p.listForm(c)
		if err != nil {
			return nil, err
		}
		view.List = typed(c, "list")
		return view, nil
	}, func() (string, error) {
		file, err := listFile(c)
		if err != nil {
			return "", err
		}
		id, err := p.services.Lists.Make(committed(c), holder(c), c.Param("service"), paylist.Upload{Text: c.FormValue("list"), File: file, Address: c.RealIP()})
		return listHref(id), err
	})
}

// listFile returns the file of the form; nil if there is none.
func listFile(c echo.Context) ([]byte, error) {
	sent, err := c.FormFile("file")
	if err != nil || sent.Size == 0 { // none was chosen, or the form is not multipart: the text is used
		return nil, nil
	}
	file, err := sent.Open()
	if err != nil {
		return nil, fault.Wrap("portal.list", err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, paylist.MaxBytes+1))
	return data, fault.Wrap("portal.list", err)
}

// List shows a list: the progress of its check or payment, what it pays, or its result.
func (p *Portal) List(c echo.Context) error {
	view, err := p.listPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// AcceptList pays a list («Оплатить») and redirects to its page, or to the one that asks for
// the PIN or an SMS code.
func (p *Portal) AcceptList(c echo.Context) error {
	id := listID(c)
	ctx, cancel := context.WithTimeout(committed(c), acceptTimeout)
	defer cancel()
	err := p.withPIN(ctx, c, func(owner customer.Customer, proof customer.Proof) error {
		return p.services.Lists.Confirm(ctx, owner, id, proof, origin(c))
	}, func(owner customer.Customer) (now bool, err error) {
		return false, p.services.Lists.Accept(ctx, owner, id)
	})
	if session.IsReread(err) {
		return err
	}
	if errors.Is(err, payment.Unconfirmed) {
		d, err := p.listConfirming(c)
		return p.startConfirmation(c, d, err)
	}
	if err != nil {
		return p.listRefused(c, err)
	}
	return redirect(c, listHref(id))
}

// listRefused shows the list with the reason why it was not paid.
func (p *Portal) listRefused(c echo.Context, err error) error {
	view, pageErr := p.listPage(c)
	if pageErr != nil {
		return err
	}
	if view.Short { // the page says why
		return render(c, http.StatusUnprocessableEntity, view)
	}
	return p.refused(c, built(view), err)
}

// listConfirming returns the list of the request as a draft that is to be confirmed.
func (p *Portal) listConfirming(c echo.Context) (confirming, error) {
	list, err := p.listPage(c)
	if err != nil {
		return confirming{}, err
	}
	id, owner, from := listID(c), holder(c), origin(c)
	view := &page.ConfirmDraftPage{
		Frame: list.Frame, Kind: page.ConfirmList, Path: list.Path, Sum: list.Total, Wallet: list.Wallet,
		To: list.Service, AccountLabel: lang(c).T("paylist.payments"), Account: strconv.Itoa(len(list.Lines)),
	}
	if err := p.addReasons(c, view); err != nil {
		return confirming{}, err
	}
	return confirming{
		key: paylist.Key(id), path: list.Path, receipt: list.Path,
		ready: list.State == page.ListReady && !list.Short, paid: list.State == page.ListPaying || list.State == page.ListDone,
		view:   view,
		start:  func(ctx context.Context) error { return p.services.Lists.StartConfirmation(ctx, owner, id, from) },
		resend: func(ctx context.Context) error { return p.services.Lists.ResendConfirmation(ctx, owner, id, from) },
		confirm: func(ctx context.Context, owner customer.Customer) error {
			return p.services.Lists.Confirm(ctx, owner, id, proof(c), from)
		},
		accept: func(ctx context.Context, owner customer.Customer) error {
			return p.services.Lists.Accept(ctx, owner, id)
		},
		refused: func(err error) error { return p.listRefused(c, err) },
	}, nil
}

// ShowConfirmList asks for the PIN or the SMS code of a list.
func (p *Portal) ShowConfirmList(c echo.Context) error {
	d, err := p.listConfirming(c)
	return p.showConfirmation(c, d, err)
}

// ConfirmList pays a list after the PIN or the SMS code.
func (p *Portal) ConfirmList(c echo.Context) error {
	d, err := p.listConfirming(c)
	return p.confirmDraft(c, d, err)
}

// ResendListCode sends the SMS code of a list again.
func (p *Portal) ResendListCode(c echo.Context) error {
	d, err := p.listConfirming(c)
	return p.resendDraftCode(c, d, err)
}

// listID returns the id in the address; 0, which no list has, for another text.
func listID(c echo.Context) int64 {
	id, _ := strconv.ParseInt(c.Param("list"), 10, 64)
	return id
}

func listHref(id int64) string { return "/lists/" + strconv.FormatInt(id, 10) }

func listFormHref(service string) string { return payHref(service) + "/list" }
