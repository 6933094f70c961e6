package portal

import (
	"context"
	"strings"

	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/notify/email"
	"elsom/internal/payment"
	"elsom/templates/layout"
	"elsom/templates/mail"
)

// LetterHTML returns an e-mail as HTML.
func (p *Portal) LetterHTML(ctx context.Context, l email.Letter) (string, error) {
	language, _ := i18n.Parse(l.Lang)
	_, site, _ := strings.Cut(p.services.BaseURL, "://")
	view := mail.Letter{Lang: language, Subject: l.Subject, Paragraphs: l.Paragraphs, Code: l.Code, Site: site}
	for _, f := range l.Facts {
		view.Facts = append(view.Facts, mail.Fact(f))
	}
	var b strings.Builder
	err := view.Page().Render(ctx, &b)
	return b.String(), fault.Wrap("portal.letter", err)
}

// ReceiptLetter composes the receipt of a customer's payment, in the customer's language,
// with the PDF. It returns email.ErrDropped if the customer has no confirmed address, or no
// wallet, any more.
func (p *Portal) ReceiptLetter(ctx context.Context, customerID, paymentID int64) (email.Letter, error) {
	owner, err := p.services.Customers.ByID(ctx, customerID)
	if err != nil {
		return email.Letter{}, err
	}
	//mutant:drop ./web TestReceiptGoesToConfirmedAddressOnly
	if !owner.EmailConfirmed || owner.Closed {
		return email.Letter{}, email.ErrDropped
	}
	paid, err := p.services.Payments.ByID(ctx, customerID, paymentID)
	if err != nil {
		return email.Letter{}, err
	}
	service, err := p.services.Catalog.ServiceOfRecord(ctx, paid.Service)
	if err != nil {
		return email.Letter{}, err
	}
	language, _ := i18n.Parse(owner.Lang)
	view, err := p.receiptView(layout.Frame{Lang: language}, paid, service)
	if err != nil {
		return email.Letter{}, err
	}
	view.Account, view.Wallet = pretty(service, paid.Identifier), owner.Phone.Pretty()
	file, err := receiptPDF(view)
	if err != nil {
		return email.Letter{}, fault.Wrap("portal.letter", err)
	}
	args := i18n.Args{"Service": view.Service, "Amount": paid.Total().Group()}
	l := email.Letter{
		To: owner.Email, Lang: owner.Lang, Subject: language.T("email.receipt.subject_"+string(paid.State), args),
		Paragraphs: []string{view.Note()},
		Files:      []email.File{{Name: "receipt-" + view.Code + pdfSuffix, Type: "application/pdf", Content: file}},
	}
	if paid.State == payment.Refunded && view.Reason != "" {
		l.Paragraphs[0] += " " + view.Reason
	}
	for _, f := range receiptFacts(view) {
		l.Facts = append(l.Facts, email.Fact{Label: f.Label, Value: f.Value})
	}
	l.Paragraphs = append(l.Paragraphs, language.T("email.receipt.attached"), language.T("email.receipt.help"))
	return l, nil
}
