package portal

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/money"
	"elsom/internal/pdf"
	"elsom/internal/qr"
	"elsom/templates/component"
	"elsom/templates/layout"
	"elsom/templates/page"
)

// pdfSuffix ends the address of a receipt as PDF.
const pdfSuffix = ".pdf"

// sendReceiptPDF sends a receipt as PDF, to be stored or printed.
func sendReceiptPDF(c echo.Context, view page.ReceiptPage) error {
	file, err := receiptPDF(view)
	if err != nil {
		return fault.Wrap("portal.receipt_pdf", err)
	}
	//mutant:replace view.Code => c.Param("payment") ./web TestReceiptPDF
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="receipt-`+view.Code+`.pdf"`)
	return c.Blob(http.StatusOK, "application/pdf", file)
}

// receiptPDF draws what the receipt's page shows, on one page of A5.
func receiptPDF(view page.ReceiptPage) ([]byte, error) {
	at := view.EndedAt
	if at.IsZero() {
		at = view.At
	}
	d := pdf.New(pdf.Options{
		Size: pdf.A5, Lang: string(view.Language()), Title: view.T("portal.receipt.title") + " " + inn.Group(view.Code), Author: view.T("frame.brand"), At: at,
		Head: view.T("frame.brand"), HeadRight: view.T("portal.receipt.title"), Foot: helpLine(view.Frame),
	})
	center := func(s pdf.Style) pdf.Style { s.Align = pdf.Center; return s }
	d.Text(center(pdf.Heading), view.T("portal.receipt.status_"+string(view.Status)))
	d.Text(center(pdf.Small), view.Note())
	d.Space(1.5)
	d.Text(center(pdf.Figure), som(view.Frame, view.Total))
	if view.Reason != "" {
		d.Text(center(pdf.Small), view.Reason)
	}
	d.Rule()
	d.Facts(receiptFacts(view))
	if view.VerifyHref != "" {
		d.Rule()
		drawVerification(d, view)
	}
	var file bytes.Buffer
	_, err := d.WriteTo(&file)
	return file.Bytes(), err
}

func receiptFacts(view page.ReceiptPage) []pdf.Fact {
	fee := view.T("portal.fee.none")
	if view.Fee != 0 {
		fee = som(view.Frame, view.Fee)
	}
	facts := []pdf.Fact{
		{Label: view.T("portal.receipt.code"), Value: inn.Group(view.Code), Bold: true},
		{Label: view.T("portal.check.service"), Value: view.Service},
		{Label: view.AccountLabel, Value: view.Account},
		{Label: view.PayeeLabel, Value: view.Payee},
		{Label: view.T("portal.check.amount"), Value: som(view.Frame, view.Amount)},
		{Label: view.T("portal.check.fee"), Value: fee},
		{Label: view.T("portal.check.total"), Value: som(view.Frame, view.Total), Bold: true},
		{Label: view.T("portal.check.wallet"), Value: view.Wallet},
		{Label: view.T("portal.receipt.accepted"), Value: stamp(view.At)},
	}
	if view.Ended() {
		facts = append(facts, pdf.Fact{Label: view.T("portal.receipt.ended_" + string(view.Status)), Value: stamp(view.EndedAt)})
	}
	shown := facts[:0]
	for _, fact := range facts {
		if fact.Value != "" {
			shown = append(shown, fact)
		}
	}
	return shown
}

// qrSide is the side of a printed QR code in mm.
const qrSide = 30

// drawVerification draws the QR code of the page that verifies the receipt, and what it is
// for beside it.
func drawVerification(d *pdf.Document, view page.ReceiptPage) {
	d.Need(qrSide + 2)
	x, y, width := d.At()
	drawQR(d, x, y, view.VerifyCode)
	strong := pdf.Section
	strong.Color = pdf.Accent
	d.Put(x+qrSide+6, y+5, width-qrSide-6, strong, view.T("verify.title"))
	d.Put(x+qrSide+6, y+12, width-qrSide-6, pdf.Small, view.T("verify.point"))
	address := pdf.Small
	address.Color, address.Bold = pdf.Ink, true
	d.Put(x+qrSide+6, y+17, width-qrSide-6, address, view.VerifySite)
	d.Space(qrSide + 2)
}

// drawQR draws the dark modules of a code; the paper is its border.
func drawQR(d *pdf.Document, x, y float64, code qr.Code) {
	module := float64(qrSide) / float64(code.Size)
	code.Runs(func(column, row, length int) {
		d.Box(x+float64(column)*module, y+float64(row)*module, float64(length)*module, module, pdf.Color{})
	})
}

func som(f layout.Frame, a money.Amount) string { return a.Group() + " " + f.T("component.som") }

// stamp writes a time with its zone.
func stamp(t time.Time) string { return component.Stamp(t) + " (UTC+6)" }

// helpLine returns the numbers of the call centers in one line.
func helpLine(f layout.Frame) string {
	var numbers []string
	for _, h := range layout.Help(f) {
		numbers = append(numbers, h.Who+" "+h.Number)
	}
	return strings.Join(numbers, " · ")
}
