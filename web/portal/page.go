package portal

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/transfer"
	"elsom/templates/page"
	"elsom/web/session"
)

// origin is where a request comes from.
func origin(c echo.Context) customer.Origin {
	return customer.Origin{Address: c.RealIP(), Device: session.Of(c).Device()}
}

// Offer shows the public offer.
func (p *Portal) Offer(c echo.Context) error {
	return render(c, http.StatusOK, page.OfferPage{Frame: p.frame(c), Edition: page.CurrentOffer()})
}

// Fill tells how to fill the wallet, and leads back to the payment that waits
// for it.
func (p *Portal) Fill(c echo.Context) error {
	view := page.FillPage{Frame: p.frame(c)}
	if who, ok := session.Of(c).Customer(); ok {
		view.Wallet = who.Phone.Pretty()
		if err := p.waiting(c, who, &view); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, view)
}

// waiting puts the draft that ?back= names into the page, while it is the
// holder's own and can be paid yet.
func (p *Portal) waiting(c echo.Context, who customer.Customer, view *page.FillPage) error {
	// What is no number is no draft's: nothing waits.
	id, _ := strconv.ParseInt(c.QueryParam("back"), 10, 64)
	draft, err := p.Payments.Draft(ctx(c), who.ID, payment.Web, id)
	if fault.Is(err, fault.NotFound) {
		return p.waitingTransfer(c, who, id, view)
	} else if err != nil {
		return err
	}
	balance, err := p.Wallets.Balance(ctx(c), who.ID)
	if err != nil {
		return err
	}
	state, err := p.checkState(c, who, draft, balance)
	if err != nil {
		return err
	}
	if state == page.Short || state == page.Ready {
		view.BackHref, view.Missing = checkHref(draft.ID), max(draft.Total()-balance, 0)
	}
	return nil
}

// waitingTransfer does the same for a transfer.
func (p *Portal) waitingTransfer(c echo.Context, who customer.Customer, id int64, view *page.FillPage) error {
	draft, err := p.Transfers.Draft(ctx(c), who.ID, transfer.Web, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	balance, err := p.Wallets.Balance(ctx(c), who.ID)
	if err != nil {
		return err
	}
	if !p.Transfers.Expired(draft) && !p.sent(c, id) {
		view.Transfer, view.BackHref, view.Missing = true, transferHref(id), max(draft.Total()-balance, 0)
	}
	return nil
}

// Help tells how to get help.
func (p *Portal) Help(c echo.Context) error {
	return render(c, http.StatusOK, page.HelpPage{Frame: p.frame(c)})
}
