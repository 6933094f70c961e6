package portal

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/transfer"
	"elsom/templates/page"
	"elsom/web/session"
)

const transferPath = "/transfer"

// lastTransfer is the session's name for the transfer's draft made last.
const lastTransfer = "transfer"

// ShowTransfer shows the form: empty, with what a draft holds («Назад»), or
// with the number of an earlier transfer. Nothing is sent by itself.
func (p *Portal) ShowTransfer(c echo.Context) error {
	view, err := p.transferPage(c)
	if err != nil {
		return err
	}
	switch {
	case c.QueryParam("draft") != "":
		if draft, ok := p.transferDraft(c, c.QueryParam("draft")); ok && !p.sent(c, draft.ID) {
			view.Phone.Value, view.Amount.Value = draft.Phone.Pretty(), draft.Amount.Plain()
		}
	case c.QueryParam("repeat") != "":
		p.repeatTransfer(c, view)
	default:
		// The browser's own Back gets the form anew: what was typed is kept,
		// until something is sent.
		since := func(at time.Time) (bool, error) { return p.Transfers.SentSince(ctx(c), holder(c).ID, at) }
		if draft, ok := p.transferDraft(c, session.Of(c).Get(lastTransfer)); ok && unspent(draft.MadeAt, since) {
			view.Phone.Value, view.Amount.Value = draft.Phone.Pretty(), draft.Amount.Plain()
		}
		takeTyped(c, transferPath, &view.Phone, &view.Amount, since)
	}
	return render(c, http.StatusOK, view)
}

// Transfer takes the form («Далее») and makes the draft that the check page shows.
func (p *Portal) Transfer(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.transferPage(c)
	if err != nil {
		return err
	}
	view.Phone, view.Amount = typed(c, "phone"), typed(c, "amount")
	if switching {
		return render(c, http.StatusOK, view)
	}
	draft, err := p.Transfers.Quote(ctx(c), holder(c), transfer.Order{
		Phone: c.FormValue("phone"), Amount: c.FormValue("amount"), Channel: transfer.Web, Address: c.RealIP(),
	})
	if err != nil {
		if fault.Is(err, fault.Insufficient) {
			p.keepTyped(c) // who goes to fill the wallet comes back to it
		}
		return p.refused(c, view, err)
	}
	session.Of(c).Set(lateForm, "")
	session.Of(c).Set(lastTransfer, strconv.FormatInt(draft.ID, 10))
	return redirect(c, transferHref(draft.ID))
}

func (p *Portal) transferPage(c echo.Context) (*page.TransferPage, error) {
	balance, err := p.Wallets.Balance(ctx(c), holder(c).ID)
	if err != nil {
		return nil, err
	}
	return &page.TransferPage{Frame: p.frame(c), Balance: balance, Held: p.held(c)}, nil
}

// transferDraft returns a draft of the holder.
func (p *Portal) transferDraft(c echo.Context, text string) (transfer.Draft, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return transfer.Draft{}, false
	}
	draft, err := p.Transfers.Draft(ctx(c), holder(c).ID, transfer.Web, id)
	return draft, err == nil
}

// repeatTransfer puts the other side of an earlier transfer into the form, and
// what was sent to it; what to send back to a sender is left open.
func (p *Portal) repeatTransfer(c echo.Context, view *page.TransferPage) {
	id, err := strconv.ParseInt(c.QueryParam("repeat"), 10, 64)
	if err != nil {
		return
	}
	switch t, err := p.Transfers.ByID(ctx(c), holder(c).ID, id); {
	case err != nil:
	case t.SenderID == holder(c).ID:
		view.Phone.Value, view.Amount.Value = t.ReceiverPhone.Pretty(), t.Amount.Plain()
	default:
		view.Phone.Value = t.SenderPhone.Pretty()
	}
}

func (p *Portal) sent(c echo.Context, id int64) bool {
	_, err := p.Transfers.ByID(ctx(c), holder(c).ID, id)
	return err == nil
}

// ShowTransferCheck shows what will be sent, before it is.
func (p *Portal) ShowTransferCheck(c echo.Context) error {
	view, err := p.transferCheckPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// AcceptTransfer sends the draft's money and leads to the receipt, also when it
// had been sent before.
func (p *Portal) AcceptTransfer(c echo.Context) error {
	id, err := draftID(c)
	if err != nil {
		return err
	}
	acting, cancel := context.WithTimeout(committed(c), patience)
	defer cancel()
	err = p.proved(acting, c, transfer.Key(id), func(who customer.Customer) error {
		_, err := p.Transfers.Accept(acting, who, transfer.Web, id)
		return err
	})
	if err != nil {
		return p.notSent(c, err)
	}
	return redirect(c, transferReceiptHref(id))
}

// notSent shows what stands between the draft and its transfer.
func (p *Portal) notSent(c echo.Context, err error) error {
	view, checkErr := p.transferCheckPage(c)
	if checkErr != nil {
		return err
	}
	if view.State == page.Short || view.State == page.Expired {
		return render(c, http.StatusUnprocessableEntity, view) // the page says it itself
	}
	if fault.As(err).Kind == fault.Unknown {
		view.Fail("", p.lang(c).T("door.unknown"))
		return render(c, http.StatusServiceUnavailable, view)
	}
	return p.refused(c, view, err)
}

func (p *Portal) transferCheckPage(c echo.Context) (*page.TransferCheckPage, error) {
	id, err := draftID(c)
	if err != nil {
		return nil, err
	}
	who := holder(c)
	draft, err := p.Transfers.Draft(ctx(c), who.ID, transfer.Web, id)
	if err != nil {
		return nil, err
	}
	balance, err := p.Wallets.Balance(ctx(c), who.ID)
	if err != nil {
		return nil, err
	}
	view := &page.TransferCheckPage{
		Frame: p.frame(c), State: page.Ready, Draft: strconv.FormatInt(draft.ID, 10),
		Receiver: draft.Receiver, Phone: draft.Phone.Pretty(), Wallet: who.Phone.Pretty(),
		Amount: draft.Amount, Fee: draft.Fee, Balance: balance, AskPIN: who.PINOwed,
		BackHref: "/transfer?draft=" + strconv.FormatInt(draft.ID, 10), ReceiptHref: transferReceiptHref(draft.ID),
		Held: p.held(c),
	}
	switch _, err := p.Transfers.ByID(ctx(c), who.ID, draft.ID); {
	case err == nil:
		view.State = page.Paid
	case !fault.Is(err, fault.NotFound):
		return nil, err
	case p.Transfers.Expired(draft):
		view.State = page.Expired
	case draft.Total() > balance:
		view.State = page.Short
	}
	return view, nil
}

// TransferReceipt shows a transfer to either side.
func (p *Portal) TransferReceipt(c echo.Context) error {
	id, err := strconv.ParseInt(c.Param("transfer"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "portal.transfer", "")
	}
	who := holder(c)
	t, err := p.Transfers.ByID(ctx(c), who.ID, id)
	if err != nil {
		return err
	}
	balance, err := p.Wallets.Balance(ctx(c), who.ID)
	if err != nil {
		return err
	}
	number := strconv.FormatInt(t.ID, 10)
	view := page.TransferReceiptPage{
		Frame: p.frame(c), Number: number, Name: t.Receiver, Phone: t.ReceiverPhone.Pretty(), Wallet: who.Phone.Pretty(),
		Amount: t.Amount, At: t.AcceptedAt, Balance: balance, RepeatHref: "/transfer?repeat=" + number,
	}
	if t.SenderID != who.ID {
		view.Incoming, view.Name, view.Phone = true, t.Sender, t.SenderPhone.Pretty()
	}
	return render(c, http.StatusOK, view)
}

func transferHref(draft int64) string { return "/transfer/" + strconv.FormatInt(draft, 10) }

func transferReceiptHref(id int64) string { return "/transfer/done/" + strconv.FormatInt(id, 10) }
