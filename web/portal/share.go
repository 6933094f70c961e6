package portal

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/payment"
	"elsom/templates/page"
	"elsom/web/session"
)

// sharedPath begins the addresses of shared receipts.
const sharedPath = "/r/"

// ShowShare shows the link by which others see a receipt, or a button that makes one.
func (p *Portal) ShowShare(c echo.Context) error {
	view, err := p.sharePage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// Share makes the link of a receipt.
func (p *Portal) Share(c echo.Context) error {
	paid, err := p.ownPayment(c)
	if err != nil {
		return err
	}
	return p.submit(c, func() (form, error) { return p.sharePage(c) }, func() (string, error) {
		return receiptHref(paid.ID) + "/share", p.services.Links.Make(committed(c), holder(c).ID, paid.ID)
	})
}

// EndShare revokes the link of a receipt.
func (p *Portal) EndShare(c echo.Context) error {
	paid, err := p.ownPayment(c)
	if err != nil {
		return err
	}
	return p.submit(c, func() (form, error) { return p.sharePage(c) }, func() (string, error) {
		if err := p.services.Links.Revoke(committed(c), holder(c).ID, paid.ID); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.link_ended"))
		return receiptHref(paid.ID) + "/share", nil
	})
}

// ownPayment returns the payment of the address; fault.NotFound for that of another wallet.
func (p *Portal) ownPayment(c echo.Context) (payment.Payment, error) {
	id, err := strconv.ParseInt(c.Param("payment"), 10, 64)
	if err != nil {
		return payment.Payment{}, fault.New(fault.NotFound, "portal.payment", "")
	}
	return p.services.Payments.ByID(ctx(c), holder(c).ID, id)
}

func (p *Portal) sharePage(c echo.Context) (*page.SharePage, error) {
	paid, err := p.ownPayment(c)
	if err != nil {
		return nil, err
	}
	link, err := p.services.Links.Of(ctx(c), holder(c).ID, paid.ID)
	if err != nil {
		return nil, err
	}
	view := &page.SharePage{Frame: p.frame(c), Href: receiptHref(paid.ID) + "/share", ReceiptHref: receiptHref(paid.ID)}
	if link != nil {
		view.Link = p.services.BaseURL + sharedPath + p.services.Links.Token(*link)
		view.Until, view.Views = link.ExpiresAt, link.Views
	}
	return view, nil
}

// Shared shows a receipt by its link to people without a wallet, or sends it as PDF: the wallet's number
// and the account are masked. The owner's own views don't count.
func (p *Portal) Shared(c echo.Context) error {
	private(c)
	token, file := strings.CutSuffix(c.Param("token"), pdfSuffix)
	link, err := p.services.Links.Find(ctx(c), token)
	if err != nil {
		return err
	}
	paid, err := p.services.Payments.ByID(ctx(c), link.CustomerID, link.PaymentID)
	if err != nil {
		return err
	}
	service, err := p.services.Catalog.ServiceOfRecord(ctx(c), paid.Service)
	if err != nil {
		return err
	}
	owner, err := p.services.Customers.ByID(ctx(c), link.CustomerID)
	if err != nil {
		return err
	}
	view, err := p.receiptView(p.frame(c), paid, service)
	if err != nil {
		return err
	}
	view.Account, view.Wallet = maskedAccount(service, paid.Identifier), owner.Phone.Masked()
	view.PDFHref = sharedPath + token + pdfSuffix
	if reader, signedIn := session.Of(c).Customer(); c.Request().Method == http.MethodGet && (!signedIn || reader.ID != link.CustomerID) {
		if err := p.services.Links.CountView(committed(c), link); err != nil {
			return err
		}
	}
	if file {
		return sendReceiptPDF(c, view)
	}
	return render(c, http.StatusOK, page.SharedReceiptPage{ReceiptPage: view})
}

// maskedAccount returns the end of an account number.
func maskedAccount(service catalog.Service, identifier string) string {
	if service.Identifier == catalog.KindINN {
		return inn.INN(identifier).Masked()
	}
	const shown = 3
	letters := []rune(identifier)
	return "••••\u00a0" + string(letters[max(len(letters)-shown, len(letters)/2):])
}
