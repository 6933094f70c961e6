package portal

import (
	"context"
	"errors"
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

// lastTransfer is the session value that holds the id of the newest transfer draft.
const lastTransfer = "transfer"

// ShowTransfer shows the form: empty, filled with a draft («Назад») or with the
// number of an earlier transfer. It only fills the fields; the user still has to
// send the form.
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
		// The browser's Back button requests the form again: it keeps the typed
		// values until something is sent.
		sentSince := func(at time.Time) (bool, error) { return p.services.Transfers.SentSince(ctx(c), holder(c).ID, at) }
		if draft, ok := p.transferDraft(c, session.Of(c).Get(lastTransfer)); ok && nonePaid(draft.MadeAt, sentSince) {
			view.Phone.Value, view.Amount.Value = draft.Phone.Pretty(), draft.Amount.Plain()
		}
		fillUnsent(c, transferPath, &view.Phone, &view.Amount, sentSince)
	}
	return render(c, http.StatusOK, view)
}

// Transfer handles the form («Далее») and creates the draft for the check page.
func (p *Portal) Transfer(c echo.Context) error {
	return p.submit(c, func() (form, error) {
		view, err := p.transferPage(c)
		if err != nil {
			return nil, err
		}
		view.Phone, view.Amount = typed(c, "phone"), typed(c, "amount")
		return view, nil
	}, func() (string, error) {
		draft, err := p.services.Transfers.Quote(ctx(c), holder(c), transfer.Order{
			Phone: c.FormValue("phone"), Amount: c.FormValue("amount"), Channel: customer.Web, Address: c.RealIP(),
		})
		if err != nil {
			if fault.Is(err, fault.Insufficient) {
				p.storeUnsent(c) // for the return from filling the wallet
			}
			return "", err
		}
		session.Of(c).Set(unsentForm, "")
		session.Of(c).Set(lastTransfer, strconv.FormatInt(draft.ID, 10))
		return transferHref(draft.ID), nil
	})
}

func (p *Portal) transferPage(c echo.Context) (*page.TransferPage, error) {
	balance, err := p.services.Wallets.Balance(ctx(c), holder(c).ID)
	if err != nil {
		return nil, err
	}
	return &page.TransferPage{Frame: p.frame(c), Balance: balance, Held: p.holdNotice(c), FillHref: fillHref(transferForm)}, nil
}

// transferDraft returns the customer's draft with the id in text.
func (p *Portal) transferDraft(c echo.Context, text string) (transfer.Draft, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return transfer.Draft{}, false
	}
	draft, err := p.services.Transfers.Draft(ctx(c), holder(c).ID, customer.Web, id)
	return draft, err == nil
}

// repeatTransfer fills the form with the other side of an earlier transfer, and
// with the amount if the customer was the sender.
func (p *Portal) repeatTransfer(c echo.Context, view *page.TransferPage) {
	id, err := strconv.ParseInt(c.QueryParam("repeat"), 10, 64)
	if err != nil {
		return
	}
	switch t, err := p.services.Transfers.ByID(ctx(c), holder(c).ID, id); {
	case err != nil:
	case t.SenderID == holder(c).ID:
		view.Phone.Value, view.Amount.Value = t.ReceiverPhone.Pretty(), t.Amount.Plain()
	default:
		view.Phone.Value = t.SenderPhone.Pretty()
	}
}

func (p *Portal) sent(c echo.Context, id int64) bool {
	_, err := p.services.Transfers.ByID(ctx(c), holder(c).ID, id)
	return err == nil
}

// ShowTransferCheck shows a draft before it is sent.
func (p *Portal) ShowTransferCheck(c echo.Context) error {
	view, err := p.transferCheckPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// AcceptTransfer sends the draft's money and redirects to the receipt, or to the page
// that asks for the PIN or an SMS code. A draft that was sent before leads to the same
// receipt.
func (p *Portal) AcceptTransfer(c echo.Context) error {
	id, err := draftID(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(committed(c), acceptTimeout)
	defer cancel()
	err = p.withPIN(ctx, c, func(owner customer.Customer, proof customer.Proof) error {
		return p.services.Transfers.Confirm(ctx, owner, id, proof, origin(c))
	}, func(owner customer.Customer) (now bool, err error) {
		accepted, err := p.services.Transfers.Accept(ctx, owner, customer.Web, id)
		return err == nil && !accepted.AlreadyAccepted, err
	})
	if session.IsReread(err) {
		return err
	}
	if errors.Is(err, transfer.Unconfirmed) {
		d, err := p.transferConfirming(c)
		return p.startConfirmation(c, d, err)
	}
	if err != nil {
		return p.notSent(c, err)
	}
	return redirect(c, transferReceiptHref(id))
}

// notSent shows the check page with the reason why the draft was not sent.
func (p *Portal) notSent(c echo.Context, err error) error {
	view, checkErr := p.transferCheckPage(c)
	if checkErr != nil {
		return err
	}
	if view.State == page.Short || view.State == page.Expired { // the page shows this state
		return render(c, http.StatusUnprocessableEntity, view)
	}
	if fault.Is(err, fault.Unknown) {
		view.Fail("", lang(c).T("outcome.unknown_transfer"))
		return render(c, http.StatusServiceUnavailable, view)
	}
	return p.refused(c, built(view), err)
}

func (p *Portal) transferCheckPage(c echo.Context) (*page.TransferCheckPage, error) {
	id, err := draftID(c)
	if err != nil {
		return nil, err
	}
	owner := holder(c)
	draft, err := p.services.Transfers.Draft(ctx(c), owner.ID, customer.Web, id)
	if err != nil {
		return nil, err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), owner.ID)
	if err != nil {
		return nil, err
	}
	view := &page.TransferCheckPage{
		Frame: p.frame(c), State: page.Ready, Draft: strconv.FormatInt(draft.ID, 10),
		Receiver: draft.Receiver, Phone: draft.Phone.Pretty(), Wallet: owner.Phone.Pretty(),
		Amount: draft.Amount, Fee: draft.Fee, Balance: balance, AskPIN: owner.PINOwed,
		BackHref: "/transfer?draft=" + strconv.FormatInt(draft.ID, 10), ReceiptHref: transferReceiptHref(draft.ID),
		Held: p.holdNotice(c),
	}
	switch _, err := p.services.Transfers.ByID(ctx(c), owner.ID, draft.ID); {
	case err == nil:
		view.State = page.Paid
	case !fault.Is(err, fault.NotFound):
		return nil, err
	case p.services.Transfers.Expired(draft):
		view.State = page.Expired
	case draft.Total() > balance:
		view.State = page.Short
	}
	return view, nil
}

// TransferReceipt shows a transfer to its sender or receiver.
func (p *Portal) TransferReceipt(c echo.Context) error {
	id, err := strconv.ParseInt(c.Param("transfer"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "portal.transfer", "")
	}
	owner := holder(c)
	t, err := p.services.Transfers.ByID(ctx(c), owner.ID, id)
	if err != nil {
		return err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), owner.ID)
	if err != nil {
		return err
	}
	number := strconv.FormatInt(t.ID, 10)
	view := page.TransferReceiptPage{
		Frame: p.frame(c), Number: number, Name: t.Receiver, Phone: t.ReceiverPhone.Pretty(), Wallet: owner.Phone.Pretty(),
		Amount: t.Amount, At: t.AcceptedAt, Balance: balance, RepeatHref: "/transfer?repeat=" + number,
	}
	if t.SenderID != owner.ID {
		view.Incoming, view.Name, view.Phone = true, t.Sender, t.SenderPhone.Pretty()
	}
	return render(c, http.StatusOK, view)
}

func transferHref(draft int64) string { return "/transfer/" + strconv.FormatInt(draft, 10) }

func transferReceiptHref(id int64) string { return "/transfer/done/" + strconv.FormatInt(id, 10) }
