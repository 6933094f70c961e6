package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/internal/payment"
	"elsom/internal/paytemplate"
	"elsom/templates/page"
)

const (
	cabinetOperations = 5
	cabinetPayments   = 3
	cabinetTemplates  = 4
)

// Cabinet shows the balance, the latest operations, templates, and services to pay again.
func (p *Portal) Cabinet(c echo.Context) error {
	owner := holder(c)
	balance, latest, err := p.services.Wallets.Latest(ctx(c), owner.ID, cabinetOperations)
	if err != nil {
		return err
	}
	newest, err := p.services.Payments.Newest(ctx(c), owner.ID)
	if err != nil {
		return err
	}
	operations, err := p.operations(ctx(c), owner, lang(c), latest, newest...)
	if err != nil {
		return err
	}
	templates, err := p.services.Templates.List(ctx(c), owner.ID)
	if err != nil {
		return err
	}
	saved, shown, err := p.offeredTemplates(ctx(c), lang(c), templates)
	if err != nil {
		return err
	}
	again := p.payAgain(ctx(c), lang(c), payment.Repeatable(withoutTemplates(newest, shown), cabinetPayments))
	return render(c, http.StatusOK, page.CabinetPage{
		Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Balance: balance, Operations: operations, Payments: again, Templates: saved,
		Held: p.holdNotice(c),
	})
}

func (p *Portal) payAgain(ctx context.Context, lang i18n.Lang, latest []payment.Payment) (list []page.Service) {
	for _, paid := range latest {
		service, err := p.services.Catalog.Service(ctx, paid.Service)
		if err != nil {
			continue // no longer offered
		}
		list = append(list, page.Service{
			Code: service.Code, Name: service.Name.In(string(lang)),
			Href: repeatHref(paid), Detail: paymentDetail(service, paid), Sum: paid.Amount,
		})
	}
	return list
}

// templateRows returns templates as rows.
func (p *Portal) templateRows(ctx context.Context, l i18n.Lang, list []paytemplate.Template) (rows []page.Template, err error) {
	for _, t := range list {
		row, err := p.templateRow(ctx, l, t)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// offeredTemplates returns the first templates whose services are offered.
func (p *Portal) offeredTemplates(ctx context.Context, l i18n.Lang, list []paytemplate.Template) (rows []page.Template, shown []paytemplate.Template, err error) {
	for _, t := range list {
		row, err := p.templateRow(ctx, l, t)
		if err != nil {
			return nil, nil, err
		}
		if row.PayHref == "" {
			continue
		}
		rows, shown = append(rows, row), append(shown, t)
		if len(rows) == cabinetTemplates {
			break
		}
	}
	return rows, shown, nil
}

// withoutTemplates returns the payments that none of the templates repeats.
func withoutTemplates(paid []payment.Payment, templates []paytemplate.Template) []payment.Payment {
	return slices.DeleteFunc(slices.Clone(paid), func(one payment.Payment) bool {
		_, ok := paytemplate.Of(templates, one.Service, one.Identifier)
		return ok
	})
}

func repeatHref(paid payment.Payment) string {
	return "/pay/" + paid.Service + "?repeat=" + strconv.FormatInt(paid.ID, 10)
}
