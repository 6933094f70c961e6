package page

import (
	"time"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/internal/qr"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// ReceiptPage is `/receipt/ID`.
type ReceiptPage struct {
	layout.Frame
	Status Status
	// Fresh reports that the payment has just ended.
	Fresh bool
	// Code is the payment code; see OperationPage.
	Code string
	// At is the time of acceptance, EndedAt that of completion or refund.
	At, EndedAt           time.Time
	Service               string
	AccountLabel, Account string
	PayeeLabel, Payee     string
	Amount, Fee, Total    money.Amount
	Wallet                string
	// Reason is the reason of a refund; empty: the biller returned none.
	Reason string
	// Balance is the current balance.
	Balance    money.Amount
	RepeatHref string
	// ShareHref has the link for others, PDFHref is the receipt as PDF.
	ShareHref, PDFHref string
	// TemplateHref makes a template of the payment; empty: it can't be one.
	TemplateHref string
	// MailHref sends the receipt to Email; empty: it can't be sent.
	MailHref, Email string
	// ProofHref is the file that proves the payment; empty: there is none.
	ProofHref string
	// VerifyHref is the page that verifies the receipt, which VerifyCode leads to, and
	// VerifySite that where its data can be typed, for reading; empty while the payment
	// is processing.
	VerifyHref, VerifySite string
	VerifyCode             qr.Code
}

// ProofPage is `/receipt/ID/proof` while the file is not ready.
type ProofPage struct {
	layout.Frame
	ReceiptHref string
	// Soon reports that the page asks for the file again by itself.
	Soon bool
}

// Fail implements Form. The receipt's forms have no fields.
func (p *ReceiptPage) Fail(_, message string) { fail(&p.Frame, message, "", nil) }

// Note returns the sentence below the state.
func (p ReceiptPage) Note() string {
	return p.T("portal.receipt.note_"+string(p.Status), i18n.Args{"Service": p.Service})
}

// Ended reports whether the end has a time of its own.
func (p ReceiptPage) Ended() bool {
	return !p.EndedAt.IsZero() && component.Stamp(p.EndedAt) != component.Stamp(p.At)
}

// look returns the class of a button that is the main one in the given state.
func (p ReceiptPage) look(main Status) string {
	if p.Status == main {
		return ""
	}
	return "button-quiet"
}

func (p ReceiptPage) repeat() string {
	if p.Status == Refunded {
		return p.T("portal.receipt.mend")
	}
	return p.T("portal.receipt.repeat")
}

func (p ReceiptPage) repeatIcon() string {
	if p.Status == Refunded {
		return "pencil"
	}
	return "repeat"
}
