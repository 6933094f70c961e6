package portal

import (
	"context"
	"errors"
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
	"elsom/web/session"
)

// ShowCheck shows a draft before it is paid.
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

// acceptTimeout bounds an acceptance. After it the user reads that the payment is
// being checked; the server's own timeout would only cut the connection.
const acceptTimeout = 20 * time.Second

// Accept pays the draft («Оплатить») and redirects to its receipt, or to the page that
// asks for the PIN or an SMS code. A draft that was paid before leads to the same
// receipt.
func (p *Portal) Accept(c echo.Context) error {
	//mutant:replace draftID(c) => strconv.ParseInt(c.FormValue("draft"), 10, 64) ./web TestOnlyTheDraftIsPaid
	id, err := draftID(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(committed(c), acceptTimeout)
	defer cancel()
	err = p.withPIN(ctx, c, func(owner customer.Customer, proof customer.Proof) error {
		return p.services.Payments.Confirm(ctx, owner, id, proof, origin(c))
	}, func(owner customer.Customer) (now bool, err error) {
		accepted, err := p.services.Payments.Accept(ctx, owner, customer.Web, id)
		return err == nil && !accepted.AlreadyAccepted, err
	})
	if session.IsReread(err) {
		return err
	}
	if errors.Is(err, payment.Unconfirmed) {
		d, err := p.paymentConfirming(c)
		return p.startConfirmation(c, d, err)
	}
	if err != nil {
		return p.notAccepted(c, id, err)
	}
	return redirect(c, receiptHref(id))
}

// notAccepted shows the check page with the reason why the draft was not paid.
func (p *Portal) notAccepted(c echo.Context, id int64, err error) error {
	draft, draftErr := p.services.Payments.Draft(ctx(c), holder(c).ID, customer.Web, id)
	if draftErr != nil {
		return err
	}
	if errors.Is(err, payment.FeeChanged) {
		return p.renewDraft(c, draft)
	}
	view, checkErr := p.checkPage(c, draft)
	if checkErr != nil {
		return err
	}
	if view.State == page.Short || view.State == page.Expired { // the page shows this state
		return render(c, http.StatusUnprocessableEntity, view)
	}
	if fault.Is(err, fault.Unknown) {
		view.Fail("", lang(c).T("outcome.unknown"))
		return render(c, http.StatusServiceUnavailable, view)
	}
	return p.refused(c, built(view), err)
}

// renewDraft shows a new draft at the current fee, which the user has to accept.
func (p *Portal) renewDraft(c echo.Context, old payment.Draft) error {
	renewed, err := p.services.Payments.Renew(ctx(c), holder(c), customer.Web, old.ID)
	if err != nil {
		view, checkErr := p.checkPage(c, old)
		if checkErr != nil {
			return err
		}
		return p.refused(c, built(view), err)
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
	return p.services.Payments.Draft(ctx(c), holder(c).ID, customer.Web, id)
}

func draftID(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("draft"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "portal.check", "")
	}
	return id, nil
}

func (p *Portal) checkPage(c echo.Context, draft payment.Draft) (*page.CheckPage, error) {
	owner := holder(c)
	service, err := p.services.Catalog.ServiceOfRecord(ctx(c), draft.Service)
	if err != nil {
		return nil, err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), owner.ID)
	if err != nil {
		return nil, err
	}
	state, err := p.checkState(c, owner, draft, balance)
	if err != nil {
		return nil, err
	}
	id := strconv.FormatInt(draft.ID, 10)
	l := lang(c)
	return &page.CheckPage{
		Frame: p.frame(c), State: state, Draft: id, Service: service.Name.In(string(l)),
		AccountLabel: service.Label.In(string(l)), Account: pretty(service, draft.Identifier), PayeeLabel: payeeLabel(l, service), Payee: draft.Payee,
		Suspect: service.Identifier == catalog.KindINN && inn.INN(draft.Identifier).Suspect(),
		Amount:  draft.Amount, Fee: draft.Fee, Total: draft.Total(), Wallet: owner.Phone.Pretty(),
		Balance: balance, After: balance - draft.Total(),
		AskPIN:   owner.PINOwed && (state == page.Ready || state == page.FeeChanged),
		BackHref: "/pay/" + draft.Service + "?draft=" + id, ReceiptHref: receiptHref(draft.ID),
		Held: p.holdNotice(c),
	}, nil
}

// checkState returns the draft's state: ready, paid, expired, or short of money.
func (p *Portal) checkState(c echo.Context, owner customer.Customer, draft payment.Draft, balance money.Amount) (page.CheckState, error) {
	_, err := p.services.Payments.ByID(ctx(c), owner.ID, draft.ID)
	switch {
	case err == nil:
		return page.Paid, nil
	case !fault.Is(err, fault.NotFound):
		return "", err
	case p.services.Payments.Expired(draft):
		return page.Expired, nil
	case draft.Total() > balance:
		return page.Short, nil
	}
	return page.Ready, nil
}
