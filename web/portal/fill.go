package portal

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/qr"
	"elsom/templates/page"
	"elsom/web/session"
)

// Fill shows how to fill the wallet. With ?back= it links to the draft that the
// customer wants to continue with, with ?form= to a service's form or, for "transfer",
// to that of transfers.
func (p *Portal) Fill(c echo.Context) error {
	view := page.FillPage{Frame: p.frame(c)}
	if holder, ok := session.Of(c).Customer(); ok {
		view.Wallet, view.Digits = holder.Phone.Pretty(), "0"+holder.Phone.National()
		var err error
		if view.Code, err = qr.New(view.Digits); err != nil {
			return err
		}
		if err := p.linkDraft(c, holder, &view); err != nil {
			return err
		}
		if err := p.linkForm(c, &view); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, view)
}

// linkDraft links the page to the draft named by ?back= if it belongs to the
// customer and can still be paid.
func (p *Portal) linkDraft(c echo.Context, holder customer.Customer, view *page.FillPage) error {
	// An invalid number is 0, which no draft has.
	id, _ := strconv.ParseInt(c.QueryParam("back"), 10, 64)
	draft, err := p.services.Payments.Draft(ctx(c), holder.ID, customer.Web, id)
	if fault.Is(err, fault.NotFound) {
		return p.linkTransferDraft(c, holder, id, view)
	} else if err != nil {
		return err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), holder.ID)
	if err != nil {
		return err
	}
	state, err := p.checkState(c, holder, draft, balance)
	if err != nil {
		return err
	}
	if state == page.Short || state == page.Ready {
		view.BackHref, view.Missing = checkHref(draft.ID), max(draft.Total()-balance, 0)
	}
	return nil
}

// linkForm links the page to the form named by ?form=.
func (p *Portal) linkForm(c echo.Context, view *page.FillPage) error {
	form := c.QueryParam("form")
	switch {
	case form == "" || view.BackHref != "":
		return nil
	case form == transferForm:
		view.Transfer, view.BackHref = true, transferPath
		return nil
	}
	service, err := p.services.Catalog.Service(ctx(c), form)
	if fault.Is(err, fault.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	view.BackHref = payHref(service.Code)
	return nil
}

// transferForm is the name of the form of transfers, which no service has.
const transferForm = "transfer"

// fillHref returns the page about filling the wallet that leads back to a form.
func fillHref(form string) string { return "/fill?form=" + form }

// linkTransferDraft does the same for a transfer's draft.
func (p *Portal) linkTransferDraft(c echo.Context, holder customer.Customer, id int64, view *page.FillPage) error {
	draft, err := p.services.Transfers.Draft(ctx(c), holder.ID, customer.Web, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), holder.ID)
	if err != nil {
		return err
	}
	if !p.services.Transfers.Expired(draft) && !p.sent(c, id) {
		view.Transfer, view.BackHref, view.Missing = true, transferHref(id), max(draft.Total()-balance, 0)
	}
	return nil
}
