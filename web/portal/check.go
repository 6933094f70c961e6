package portal

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/templates/page"
)

// ShowCheck shows what will be paid, before it is.
func (p *Portal) ShowCheck(c echo.Context) error {
	draft, err := p.draft(c)
	if err != nil {
		return err
	}
	view, err := p.checkPage(c, draft)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// patience is how long accepting may take, in a bad hour of the database. Who
// waits longer is told that it is being checked; the server's own limit would
// only cut the connection.
const patience = 20 * time.Second

// Accept pays the draft («Оплатить») and leads to its receipt, also when it
// had been paid before.
func (p *Portal) Accept(c echo.Context) error {
	id, err := draftID(c)
	if err != nil {
		return err
	}
	acting, cancel := context.WithTimeout(committed(c), patience)
	defer cancel()
	err = p.proved(acting, c, payment.PINKey(id), func(who customer.Customer) error {
		_, err := p.Payments.Accept(acting, who, payment.Web, id)
		return err
	})
	if err != nil {
		return p.notAccepted(c, id, err)
	}
	return redirect(c, receiptHref(id))
}

// notAccepted shows what stands between the draft and its payment.
func (p *Portal) notAccepted(c echo.Context, id int64, err error) error {
	draft, draftErr := p.Payments.Draft(ctx(c), holder(c).ID, payment.Web, id)
	if draftErr != nil {
		return err
	}
	f := fault.As(err)
	if f.Message == "payment.fee_changed" {
		return p.feeChanged(c, draft)
	}
	view, checkErr := p.checkPage(c, draft)
	if checkErr != nil {
		return err
	}
	if view.State == page.Short || view.State == page.Expired {
		return render(c, http.StatusUnprocessableEntity, view) // the page says it itself
	}
	if f.Kind == fault.Unknown {
		view.Fail("", p.lang(c).T("door.unknown"))
		return render(c, http.StatusServiceUnavailable, view)
	}
	return p.refused(c, view, err)
}

// feeChanged shows a new draft at today's fee, to be confirmed anew.
func (p *Portal) feeChanged(c echo.Context, old payment.Draft) error {
	renewed, err := p.Payments.Renew(ctx(c), holder(c), payment.Web, old.ID)
	if err != nil {
		view, checkErr := p.checkPage(c, old)
		if checkErr != nil {
			return err
		}
		return p.refused(c, view, err)
	}
	view, err := p.checkPage(c, renewed)
	if err != nil {
		return err
	}
	if view.State == page.Ready {
		view.State, view.OldFee = page.FeeChanged, old.Fee
	}
	return render(c, http.StatusUnprocessableEntity, view)
}

func (p *Portal) draft(c echo.Context) (payment.Draft, error) {
	id, err := draftID(c)
	if err != nil {
		return payment.Draft{}, err
	}
	return p.Payments.Draft(ctx(c), holder(c).ID, payment.Web, id)
}

func draftID(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("draft"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "portal.check", "")
	}
	return id, nil
}

func (p *Portal) checkPage(c echo.Context, draft payment.Draft) (*page.CheckPage, error) {
	who := holder(c)
	service, err := p.Catalog.ServiceOfRecord(ctx(c), draft.Service)
	if err != nil {
		return nil, err
	}
	balance, err := p.Wallets.Balance(ctx(c), who.ID)
	if err != nil {
		return nil, err
	}
	state, err := p.checkState(c, who, draft, balance)
	if err != nil {
		return nil, err
	}
	id := strconv.FormatInt(draft.ID, 10)
	lang := string(p.lang(c))
	return &page.CheckPage{
		Frame: p.frame(c), State: state, Draft: id, Service: service.Name.In(lang),
		AccountLabel: service.Label.In(lang), Account: shown(service, draft.Identifier), PayeeLabel: payeeLabel(p.lang(c), service), Payee: draft.Payee,
		Suspect: service.Identifier == catalog.KindINN && inn.INN(draft.Identifier).Suspect(),
		Amount:  draft.Amount, Fee: draft.Fee, Total: draft.Total(), Wallet: who.Phone.Pretty(),
		Balance: balance, After: balance - draft.Total(),
		AskPIN:   who.PINOwed && (state == page.Ready || state == page.FeeChanged),
		BackHref: "/pay/" + draft.Service + "?draft=" + id, ReceiptHref: receiptHref(draft.ID),
		Held: p.held(c),
	}, nil
}

// checkState tells what stands between a draft and its payment today.
func (p *Portal) checkState(c echo.Context, who customer.Customer, draft payment.Draft, balance money.Amount) (page.CheckState, error) {
	_, err := p.Payments.ByID(ctx(c), who.ID, draft.ID)
	switch {
	case err == nil:
		return page.Paid, nil
	case !fault.Is(err, fault.NotFound):
		return "", err
	case p.Payments.Expired(draft):
		return page.Expired, nil
	case draft.Total() > balance:
		return page.Short, nil
	}
	return page.Ready, nil
}
