package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/templates/page"
)

// verifyPath is the address of the form that verifies a receipt.
const verifyPath = "/verify"

// ShowVerify shows the form that verifies a receipt.
func (p *Portal) ShowVerify(c echo.Context) error { return render(c, http.StatusOK, p.verifyPage(c)) }

// Verify verifies a receipt by its code, sum and day.
func (p *Portal) Verify(c echo.Context) error {
	view := p.verifyPage(c)
	view.Code, view.Amount, view.Day = typed(c, "code"), typed(c, "amount"), typed(c, "day")
	return p.submit(c, built(view), func() (string, error) {
		claim := payment.ReceiptClaim{Code: c.FormValue("code"), Sum: c.FormValue("amount"), Day: c.FormValue("day")}
		paid, err := p.services.Payments.Verify(committed(c), claim, c.RealIP())
		return verifyPath + "/" + paid.VerificationToken(), err
	})
}

func (p *Portal) verifyPage(c echo.Context) *page.VerifyPage {
	return &page.VerifyPage{Frame: p.frame(c)}
}

// Verified shows strangers that the receipt of a verification token is genuine.
func (p *Portal) Verified(c echo.Context) error {
	paid, err := p.services.Payments.ByToken(ctx(c), c.Param("token"))
	if err != nil {
		return err
	}
	view := page.VerifiedPage{
		Frame: p.frame(c), Status: page.Status(paid.State), Amount: paid.Amount, Total: paid.Total(), Day: paid.AcceptedAt, Seal: page.Unsealed,
	}
	if p.services.Sealed != nil {
		seal, err := p.services.Sealed(ctx(c), paid.ID)
		switch {
		//mutant:drop ./web TestVerifiedReceipt
		case fault.Is(err, fault.NotFound) || err == nil && seal.State == payment.Processing:
			view.Seal = page.Soon
		case err != nil:
			return err
		//mutant:drop ./web TestVerificationContradictsTheLog
		case seal.State != paid.State:
			return fault.New(fault.Unavailable, "portal.verified", "")
		default:
			view.Seal, view.Records, view.SignedAt = page.Sealed, seal.Records, seal.At
		}
	}
	private(c)
	return render(c, http.StatusOK, view)
}

// private keeps a page that is known by its address out of search engines.
func private(c echo.Context) { c.Response().Header().Set("X-Robots-Tag", "noindex, nofollow") }
