package portal

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/qr"
	"elsom/templates/layout"
	"elsom/templates/page"
	"elsom/web/session"
)

// outcomeWait is how long after the acceptance the receipt waits for the payment's
// outcome. Most billers answer within it, so that "processing" is seldom shown.
const outcomeWait = 1500 * time.Millisecond

// freshFor is how long a payment has just ended: the sign of its receipt is drawn then.
const freshFor = 10 * time.Second

// Receipt shows a payment's receipt, or sends it as PDF.
func (p *Portal) Receipt(c echo.Context) error {
	number, file := strings.CutSuffix(c.Param("payment"), pdfSuffix)
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "portal.receipt", "")
	}
	owner := holder(c)
	paid, err := p.services.Payments.ByID(ctx(c), owner.ID, id)
	if err != nil {
		return err
	}
	// min, since the clock may have been set back.
	if left := min(outcomeWait, paid.AcceptedAt.Add(outcomeWait).Sub(p.services.Now())); paid.State == payment.Processing && left > 0 {
		if paid, err = p.services.Payments.Await(ctx(c), owner.ID, id, left); err != nil {
			return err
		}
	}
	view, err := p.receiptPage(c, paid)
	if err != nil {
		return err
	}
	if file {
		return sendReceiptPDF(c, view)
	}
	return render(c, http.StatusOK, view)
}

func (p *Portal) receiptPage(c echo.Context, paid payment.Payment) (page.ReceiptPage, error) {
	owner := holder(c)
	service, err := p.services.Catalog.ServiceOfRecord(ctx(c), paid.Service)
	if err != nil {
		return page.ReceiptPage{}, err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), owner.ID)
	if err != nil {
		return page.ReceiptPage{}, err
	}
	view, err := p.receiptView(p.frame(c), paid, service)
	view.Account, view.Wallet, view.Balance = pretty(service, paid.Identifier), owner.Phone.Pretty(), balance
	view.ShareHref, view.PDFHref = receiptHref(paid.ID)+"/share", receiptHref(paid.ID)+pdfSuffix
	if p.mailable(paid) {
		view.MailHref, view.Email = receiptHref(paid.ID)+"/email", owner.Email
	}
	view.RepeatHref, view.ProofHref = p.repeatable(c, paid), p.proofHref(paid)
	if paid.State == payment.Completed && view.RepeatHref != "" {
		view.TemplateHref = newTemplateHref(paid.ID)
	}
	if paid.State == payment.Processing {
		view.Refresh = p.refresh(paid)
	}
	return view, err
}

// receiptView returns what a receipt shows to its owner and to others, without the account
// and the wallet's number.
func (p *Portal) receiptView(frame layout.Frame, paid payment.Payment, service catalog.Service) (page.ReceiptPage, error) {
	l := frame.Language()
	view := page.ReceiptPage{
		Frame: frame, Status: page.Status(paid.State), Code: paid.Code, At: paid.AcceptedAt, EndedAt: paid.EndedAt,
		Service: service.Name.In(string(l)), AccountLabel: service.Label.In(string(l)), PayeeLabel: payeeLabel(l, service), Payee: paid.Payee,
		Amount: paid.Amount, Fee: paid.Fee, Total: paid.Total(),
	}
	if token := paid.VerificationToken(); token != "" {
		if err := p.addVerification(&view, token); err != nil {
			return view, err
		}
		view.Fresh = p.services.Now().Before(paid.EndedAt.Add(freshFor))
	}
	if paid.State == payment.Refunded {
		if key := payment.RefusalKey(paid.Result); key != "" {
			view.Reason = l.T(key)
		}
	}
	return view, nil
}

// addVerification adds the page on which others verify the receipt, and its QR code.
func (p *Portal) addVerification(view *page.ReceiptPage, token string) error {
	view.VerifyHref = verifyPath + "/" + token
	var err error
	if view.VerifyCode, err = qr.New(p.services.BaseURL + view.VerifyHref); err != nil {
		return fault.Wrap("portal.receipt", err)
	}
	_, site, _ := strings.Cut(p.services.BaseURL, "://")
	view.VerifySite = site + verifyPath
	return nil
}

// proofHref returns the address of the receipt's file; empty while the payment is
// processing, and for one that can't be proved.
func (p *Portal) proofHref(paid payment.Payment) string {
	if mac, _ := paid.Signature(); paid.State == payment.Processing || mac == nil || p.services.Proof == nil {
		return ""
	}
	return receiptHref(paid.ID) + "/proof"
}

// The file is usually ready a second after the payment's end. Within proofWait of it the
// page asks for it again every proofPause seconds.
const (
	proofWait  = 2 * time.Minute
	proofPause = "2"
)

// Proof sends the receipt of a payment as a file that proves itself. Until its end is
// sealed in the log, the answer is a page that asks again, without scripts too, and
// stays open when the download begins.
func (p *Portal) Proof(c echo.Context) error {
	id, err := strconv.ParseInt(c.Param("payment"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "portal.proof", "")
	}
	paid, err := p.services.Payments.ByID(ctx(c), holder(c).ID, id)
	if err != nil {
		return err
	}
	if p.proofHref(paid) == "" {
		return fault.New(fault.NotFound, "portal.proof", "")
	}
	file, err := p.services.Proof(ctx(c), paid.ID)
	//mutant:drop ./web TestReceiptProof
	if fault.Is(err, fault.NotFound) {
		return p.proofLater(c, paid)
	}
	if err != nil {
		return err
	}
	//mutant:replace paid.Code => c.Param("payment") ./web TestReceiptProof
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="receipt-`+paid.Code+`.json"`)
	return c.Blob(http.StatusOK, "application/json", file)
}

// proofLater answers 202: the file is not ready.
func (p *Portal) proofLater(c echo.Context, paid payment.Payment) error {
	view := page.ProofPage{Frame: p.frame(c), ReceiptHref: receiptHref(paid.ID), Soon: p.services.Now().Before(paid.EndedAt.Add(proofWait))}
	if view.Soon {
		c.Response().Header().Set("Refresh", proofPause+"; url="+p.proofHref(paid)+"?"+session.PollParameter+"=1")
	}
	return render(c, http.StatusAccepted, view)
}

// refresh returns the seconds until the receipt is reloaded: few at first, more
// later.
func (p *Portal) refresh(paid payment.Payment) int {
	switch age := p.services.Now().Sub(paid.AcceptedAt); {
	case age < 30*time.Second:
		return 2
	case age < 5*time.Minute:
		return 5
	}
	return 30
}

// repeatable returns the address of the form that repeats the payment; empty while
// it is processing, and for a service that is no longer offered.
func (p *Portal) repeatable(c echo.Context, paid payment.Payment) string {
	if paid.State == payment.Processing {
		return ""
	}
	if _, err := p.services.Catalog.Service(ctx(c), paid.Service); err != nil {
		return ""
	}
	return repeatHref(paid)
}

func receiptHref(id int64) string { return "/receipt/" + strconv.FormatInt(id, 10) }
