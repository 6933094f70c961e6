package portal

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/templates/page"
	"elsom/web/session"
)

const (
	confirmEmailPath = "/settings/email/confirm"
	sendCodePath     = "/settings/email/send"
)

// ShowConfirmEmail asks for the code that confirms the e-mail address, or shows the button
// that sends one.
func (p *Portal) ShowConfirmEmail(c echo.Context) error {
	view, err := p.confirmEmailPage(c)
	if err != nil {
		return err
	}
	if holder(c).EmailConfirmed || !p.services.Customers.MailsCodes() {
		return redirect(c, "/settings")
	}
	return render(c, http.StatusOK, view)
}

// SendEmailCode sends the code to the e-mail address, for the first time or again.
func (p *Portal) SendEmailCode(c echo.Context) error {
	return p.submit(c, func() (form, error) { return p.confirmEmailPage(c) }, func() (string, error) {
		if err := p.services.Customers.SendEmailCode(committed(c), holder(c).ID); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.code_sent"))
		return confirmEmailHref(awaitedReceipt(c)), nil
	})
}

// ConfirmEmail confirms the e-mail address, and sends the receipt for which it was confirmed.
func (p *Portal) ConfirmEmail(c echo.Context) error {
	code := typed(c, "code")
	return p.submit(c, func() (form, error) {
		view, err := p.confirmEmailPage(c)
		view.Code = code
		return view, err
	}, func() (string, error) {
		owner, receipt := holder(c), awaitedReceipt(c)
		err := p.services.Customers.ConfirmEmail(committed(c), owner.ID, code.Value)
		if fault.Is(err, fault.NotFound) { // no code was sent, or its time is long over
			return confirmEmailHref(receipt), nil
		}
		if err != nil {
			return "", err
		}
		owner.EmailConfirmed = true
		if receipt != 0 && p.services.Payments.MailReceipt(committed(c), owner, receipt) == nil {
			session.Of(c).Flash(lang(c).T("flash.email_confirmed_sent"))
			return receiptHref(receipt), nil
		}
		session.Of(c).Flash(lang(c).T("flash.email_confirmed"))
		return "/settings", nil
	})
}

// MailReceipt sends a receipt to the customer's e-mail address. An address that isn't
// confirmed is confirmed first.
func (p *Portal) MailReceipt(c echo.Context) error {
	paid, err := p.ownPayment(c)
	if err != nil {
		return err
	}
	owner := holder(c)
	//mutant:drop ./web TestReceiptByEmail
	if !p.mailable(paid) {
		return fault.New(fault.NotFound, "portal.receipt_mail", "")
	}
	return p.submit(c, func() (form, error) {
		view, err := p.receiptPage(c, paid)
		return &view, err
	}, func() (string, error) {
		if !owner.EmailConfirmed {
			return confirmEmailHref(paid.ID), nil
		}
		if err := p.services.Payments.MailReceipt(committed(c), owner, paid.ID); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.receipt_mailed"))
		return receiptHref(paid.ID), nil
	})
}

// mailable reports whether the receipt of a payment can be sent by e-mail.
func (p *Portal) mailable(paid payment.Payment) bool {
	return paid.State != payment.Processing && p.services.Customers.MailsCodes()
}

// awaitedReceipt returns the payment whose receipt is sent once the address is confirmed; 0:
// none.
func awaitedReceipt(c echo.Context) int64 {
	id, err := strconv.ParseInt(c.FormValue("receipt"), 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

func confirmEmailHref(receipt int64) string {
	if receipt == 0 {
		return confirmEmailPath
	}
	return confirmEmailPath + "?" + url.Values{"receipt": {strconv.FormatInt(receipt, 10)}}.Encode()
}

func (p *Portal) confirmEmailPage(c echo.Context) (*page.ConfirmEmailPage, error) {
	owner := holder(c)
	view := &page.ConfirmEmailPage{Frame: p.frame(c), Email: owner.Email, Wallet: owner.Phone.Pretty()}
	if receipt := awaitedReceipt(c); receipt != 0 {
		view.Receipt = strconv.FormatInt(receipt, 10)
	}
	var err error
	view.Sent, err = p.services.Customers.AwaitsEmailCode(ctx(c), owner)
	return view, err
}
