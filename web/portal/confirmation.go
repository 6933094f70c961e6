package portal

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/transfer"
	"elsom/templates/page"
	"elsom/web/session"
)

// confirming is a draft that is paid only after the PIN or an SMS code: its sum is
// large, or the browser is not known (customer.Browser).
type confirming struct {
	key           string // of the operation, as for customer.CheckPIN
	path, receipt string // of the check page and the receipt
	// ready reports whether the draft can still be accepted, and paid whether it was.
	ready, paid     bool
	view            *page.ConfirmDraftPage
	start, resend   func(ctx context.Context) error
	confirm, accept func(ctx context.Context, owner customer.Customer) error
	// refused answers an acceptance that was refused.
	refused func(err error) error
}

// paymentConfirming returns the payment draft of the request.
func (p *Portal) paymentConfirming(c echo.Context) (confirming, error) {
	draft, err := p.draft(c)
	if err != nil {
		return confirming{}, err
	}
	check, err := p.checkPage(c, draft)
	if err != nil {
		return confirming{}, err
	}
	owner, from := holder(c), origin(c)
	view := &page.ConfirmDraftPage{
		Frame: check.Frame, Kind: page.ConfirmPayment, Path: checkHref(draft.ID), Sum: check.Total, Wallet: check.Wallet,
		To: check.Service, AccountLabel: check.AccountLabel, Account: check.Account, PayeeLabel: check.PayeeLabel, Payee: check.Payee,
	}
	if err := p.addReasons(c, view); err != nil {
		return confirming{}, err
	}
	return confirming{
		key: payment.PINKey(draft.ID), path: checkHref(draft.ID), receipt: receiptHref(draft.ID),
		ready: check.State == page.Ready, paid: check.State == page.Paid,
		view: view,
		start: func(ctx context.Context) error {
			return p.services.Payments.StartConfirmation(ctx, owner, draft.ID, from)
		},
		resend: func(ctx context.Context) error {
			return p.services.Payments.ResendConfirmation(ctx, owner, draft.ID, from)
		},
		confirm: func(ctx context.Context, owner customer.Customer) error {
			return p.services.Payments.Confirm(ctx, owner, draft.ID, proof(c), from)
		},
		accept: func(ctx context.Context, owner customer.Customer) error {
			_, err := p.services.Payments.Accept(ctx, owner, customer.Web, draft.ID)
			return err
		},
		refused: func(err error) error { return p.notAccepted(c, draft.ID, err) },
	}, nil
}

// transferConfirming returns the transfer draft of the request.
func (p *Portal) transferConfirming(c echo.Context) (confirming, error) {
	id, err := draftID(c)
	if err != nil {
		return confirming{}, err
	}
	check, err := p.transferCheckPage(c)
	if err != nil {
		return confirming{}, err
	}
	owner, from := holder(c), origin(c)
	view := &page.ConfirmDraftPage{
		Frame: check.Frame, Kind: page.ConfirmTransfer, Path: transferHref(id), Sum: check.Amount + check.Fee, Wallet: check.Wallet,
		To: check.Receiver, AccountLabel: lang(c).T("portal.confirm_draft.phone"), Account: check.Phone,
	}
	if err := p.addReasons(c, view); err != nil {
		return confirming{}, err
	}
	return confirming{
		key: transfer.Key(id), path: transferHref(id), receipt: transferReceiptHref(id),
		ready: check.State == page.Ready, paid: check.State == page.Paid,
		view:   view,
		start:  func(ctx context.Context) error { return p.services.Transfers.StartConfirmation(ctx, owner, id, from) },
		resend: func(ctx context.Context) error { return p.services.Transfers.ResendConfirmation(ctx, owner, id, from) },
		confirm: func(ctx context.Context, owner customer.Customer) error {
			return p.services.Transfers.Confirm(ctx, owner, id, proof(c), from)
		},
		accept: func(ctx context.Context, owner customer.Customer) error {
			_, err := p.services.Transfers.Accept(ctx, owner, customer.Web, id)
			return err
		},
		refused: func(err error) error { return p.notSent(c, err) },
	}, nil
}

// addReasons sets the kind of proof that the page asks for, and the reasons of
// draft.Terms.CheckConfirmed.
func (p *Portal) addReasons(c echo.Context, view *page.ConfirmDraftPage) error {
	owner := holder(c)
	level, err := p.services.Catalog.Level(ctx(c), owner.Level)
	if err != nil {
		return err
	}
	view.AskPIN, view.UnknownBrowser = owner.HasPIN, !owner.Browser.Known
	if view.Sum > level.ConfirmAbove {
		view.Above = level.ConfirmAbove
	}
	return nil
}

func proof(c echo.Context) customer.Proof {
	return customer.Proof{PIN: c.FormValue("pin"), Code: c.FormValue("code")}
}

// startConfirmation sends the code, if the wallet has no PIN, and redirects to the
// page that asks for it.
func (p *Portal) startConfirmation(c echo.Context, d confirming, err error) error {
	if err != nil {
		return err
	}
	if !d.ready {
		return redirect(c, d.path) // the check page shows the state
	}
	if err := d.start(committed(c)); err != nil {
		return d.refused(err)
	}
	return redirect(c, d.path+"/confirm")
}

// ShowConfirmPayment asks for the PIN or the SMS code of a payment.
func (p *Portal) ShowConfirmPayment(c echo.Context) error {
	d, err := p.paymentConfirming(c)
	return p.showConfirmation(c, d, err)
}

// ShowConfirmTransfer asks for the PIN or the SMS code of a transfer.
func (p *Portal) ShowConfirmTransfer(c echo.Context) error {
	d, err := p.transferConfirming(c)
	return p.showConfirmation(c, d, err)
}

func (p *Portal) showConfirmation(c echo.Context, d confirming, err error) error {
	return p.withConfirmation(c, d, err, func() error { return render(c, http.StatusOK, d.view) })
}

// withConfirmation calls next if the draft awaits its confirmation. Otherwise it
// redirects: to the receipt of a draft that was paid, or to the check page.
func (p *Portal) withConfirmation(c echo.Context, d confirming, err error, next func() error) error {
	switch {
	case err != nil:
		return err
	case d.paid:
		return redirect(c, d.receipt)
	case !d.ready:
		return redirect(c, d.path)
	case holder(c).HasPIN:
		return next()
	}
	awaits, err := p.services.Customers.AwaitsCode(ctx(c), session.Of(c).Key(), d.key)
	if err != nil {
		return err
	}
	if !awaits {
		return redirect(c, d.path)
	}
	return next()
}

// ConfirmPayment pays a draft after the PIN or the SMS code.
func (p *Portal) ConfirmPayment(c echo.Context) error {
	d, err := p.paymentConfirming(c)
	return p.confirmDraft(c, d, err)
}

// ConfirmTransfer sends a draft's money after the PIN or the SMS code.
func (p *Portal) ConfirmTransfer(c echo.Context) error {
	d, err := p.transferConfirming(c)
	return p.confirmDraft(c, d, err)
}

func (p *Portal) confirmDraft(c echo.Context, d confirming, err error) error {
	if err != nil {
		return err
	}
	if d.paid {
		return redirect(c, d.receipt)
	}
	if !d.ready {
		return redirect(c, d.path)
	}
	d.view.Code = typed(c, "code")
	view := built(d.view)
	if languageSwitched(c) {
		return p.submit(c, view, nil)
	}
	ctx, cancel := context.WithTimeout(committed(c), acceptTimeout)
	defer cancel()
	switch err := d.confirm(ctx, holder(c)); {
	case confirmedTwice(err): // or no code was sent: «Оплатить» sends one
		return redirect(c, d.path)
	case err != nil:
		return p.refused(c, view, err)
	}
	if err := session.Of(c).Confirmed(ctx); err != nil {
		return err
	}
	if err := d.accept(ctx, holder(c)); err != nil {
		return d.refused(err)
	}
	return redirect(c, d.receipt)
}

// ResendPaymentCode sends the SMS code of a payment again.
func (p *Portal) ResendPaymentCode(c echo.Context) error {
	d, err := p.paymentConfirming(c)
	return p.resendDraftCode(c, d, err)
}

// ResendTransferCode sends the SMS code of a transfer again.
func (p *Portal) ResendTransferCode(c echo.Context) error {
	d, err := p.transferConfirming(c)
	return p.resendDraftCode(c, d, err)
}

func (p *Portal) resendDraftCode(c echo.Context, d confirming, err error) error {
	return p.withConfirmation(c, d, err, func() error {
		return p.submit(c, built(d.view), func() (string, error) {
			err := d.resend(committed(c))
			if fault.Is(err, fault.NotFound) {
				return d.path, nil
			}
			if err != nil {
				return "", err
			}
			session.Of(c).Flash(lang(c).T("flash.code_sent"))
			return d.path + "/confirm", nil
		})
	})
}
