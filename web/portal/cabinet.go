package portal

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
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
	balance, err := p.services.Wallets.Balance(ctx(c), owner.ID)
	if err != nil {
		return err
	}
	latest, err := p.services.Wallets.Latest(ctx(c), owner.ID, cabinetOperations)
	if err != nil {
		return err
	}
	operations, err := p.operations(ctx(c), owner, lang(c), latest)
	if err != nil {
		return err
	}
	again, err := p.payAgain(ctx(c), owner, lang(c))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, page.CabinetPage{
		Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Balance: balance, Operations: operations, Payments: again,
		Held: p.holdNotice(c),
	})
}

func (p *Portal) payAgain(ctx context.Context, owner customer.Customer, lang i18n.Lang) ([]page.Service, error) {
	latest, err := p.services.Payments.Latest(ctx, owner.ID, cabinetPayments)
	if err != nil {
		return nil, err
	}
	var list []page.Service
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
	return list, nil
}

func repeatHref(paid payment.Payment) string {
	return "/pay/" + paid.Service + "?repeat=" + strconv.FormatInt(paid.ID, 10)
}
