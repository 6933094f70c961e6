package portal

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/internal/payment"
	"elsom/templates/page"
)

const (
	cabinetOperations = 5
	cabinetPayments   = 3
)

// Cabinet shows the balance, the latest operations, and services to pay again.
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
	again := p.payAgain(ctx(c), lang(c), payment.Repeatable(newest, cabinetPayments))
	return render(c, http.StatusOK, page.CabinetPage{
		Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Balance: balance, Operations: operations, Payments: again,
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

func repeatHref(paid payment.Payment) string {
	return "/pay/" + paid.Service + "?repeat=" + strconv.FormatInt(paid.ID, 10)
}
