package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/qr"
	"elsom/templates/component"
	"elsom/templates/page"
)

func receipt(l i18n.Lang, s page.Status) page.ReceiptPage {
	return page.ReceiptPage{
		Frame: holder(l, "/receipt/1"), Status: s, Code: payCode, At: at, Service: "DosTek group",
		AccountLabel: innLabel.in(l), Account: companyINN, PayeeLabel: l.T("portal.check.company"), Payee: payee,
		Amount: 250_50, Total: 250_50, Wallet: wallet, Balance: 499_00, RepeatHref: "/pay/dostek?repeat=1", ShareHref: "/receipt/1/share", PDFHref: "/receipt/1.pdf",
	}
}

// ended returns the receipt of a payment that has ended.
func ended(l i18n.Lang, s page.Status) page.ReceiptPage {
	view := receipt(l, s)
	view.EndedAt, view.ProofHref, view.MailHref, view.Email = at, "/receipt/1/proof", "/receipt/1/email", email
	if s == page.Completed {
		view.TemplateHref = "/receipt/1/template"
	}
	view.VerifyHref, view.VerifySite = "/verify/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ", "elsom.example/verify"
	if code, err := qr.New("https://" + view.VerifySite + "/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ"); err == nil {
		view.VerifyCode = code
	}
	return view
}

func receipts() []State {
	return []State{
		{"receipt-processing", "receipt", func(l i18n.Lang) templ.Component {
			view := receipt(l, page.Processing)
			view.Refresh, view.RepeatHref = 3, ""
			return view.Page()
		}},
		{"receipt", "receipt", func(l i18n.Lang) templ.Component {
			view := ended(l, page.Completed)
			view.Fresh = true
			return view.Page()
		}},
		{"receipt-unproved", "receipt", func(l i18n.Lang) templ.Component {
			view := ended(l, page.Completed)
			view.ProofHref, view.RepeatHref, view.TemplateHref, view.MailHref = "", "", "", ""
			return view.Page()
		}},
		{"proof-soon", "receipt", func(l i18n.Lang) templ.Component { return proof(l, true).Page() }},
		{"proof-later", "receipt", func(l i18n.Lang) templ.Component { return proof(l, false).Page() }},
		{"receipt-refunded", "receipt", func(l i18n.Lang) templ.Component {
			view := ended(l, page.Refunded)
			view.Fee, view.Total, view.Balance = 5_00, 255_50, 749_50
			view.Reason = l.T("payment.account_unknown")
			return view.Page()
		}},
		{"receipt-mail-wrong", "receipt", func(l i18n.Lang) templ.Component {
			view := ended(l, page.Completed)
			view.Problem = l.T("ratelimit.too_many", i18n.Args{"Count": 60})
			return view.Page()
		}},
		{"share", "receipt", func(l i18n.Lang) templ.Component { return share(l, "").Page() }},
		{"share-link", "receipt", func(l i18n.Lang) templ.Component {
			return share(l, "https://elsom.example/r/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ").Page()
		}},
		{"share-many-wrong", "receipt", func(l i18n.Lang) templ.Component {
			view := share(l, "")
			view.Problem = l.T("receiptlink.too_many", i18n.Args{"Most": 50})
			return view.Page()
		}},
		{"shared", "receipt", func(l i18n.Lang) templ.Component {
			view := ended(l, page.Completed)
			view.Frame = visitor(l, "/r/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ")
			view.Account, view.Wallet, view.PDFHref = "••••\u00a06100\u00a017", "+996\u00a0700\u00a0•••\u00a0456", "/r/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ.pdf"
			return page.SharedReceiptPage{ReceiptPage: view}.Page()
		}},
		{"verify", "receipt", func(l i18n.Lang) templ.Component { return page.VerifyPage{Frame: visitor(l, "/verify")}.Page() }},
		{"verify-wrong", "receipt", func(l i18n.Lang) templ.Component {
			view := page.VerifyPage{Frame: visitor(l, "/verify"), Day: component.Input{Value: "22.11.2026"}}
			view.Code = wrong(l, "4829 1573", "payment.receipt_code")
			view.Amount = wrong(l, "1.234", "payment.receipt_sum")
			return view.Page()
		}},
		{"verify-unknown-wrong", "receipt", func(l i18n.Lang) templ.Component {
			view := page.VerifyPage{Frame: visitor(l, "/verify"), Day: component.Input{Value: "22.11.2026"}}
			view.Code, view.Amount = component.Input{Value: "4829 1573 0264"}, component.Input{Value: "250,50"}
			view.Problem = l.T("payment.receipt_unknown")
			return view.Page()
		}},
		{"verified", "receipt", func(l i18n.Lang) templ.Component { return verified(l, page.Completed, page.Sealed).Page() }},
		{"verified-soon", "receipt", func(l i18n.Lang) templ.Component { return verified(l, page.Completed, page.Soon).Page() }},
		{"verified-refunded", "receipt", func(l i18n.Lang) templ.Component { return verified(l, page.Refunded, page.Unsealed).Page() }},
	}
}

func proof(l i18n.Lang, soon bool) page.ProofPage {
	return page.ProofPage{Frame: holder(l, "/receipt/1/proof"), ReceiptHref: "/receipt/1", Soon: soon}
}

func verified(l i18n.Lang, s page.Status, seal page.Seal) page.VerifiedPage {
	view := page.VerifiedPage{Frame: visitor(l, "/verify/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ"), Status: s, Amount: 250_50, Total: 250_50, Day: at, Seal: seal}
	if s == page.Refunded {
		view.Total = 255_50
	}
	if seal == page.Sealed {
		view.Records, view.SignedAt = 12_345_678, at
	}
	return view
}

func share(l i18n.Lang, link string) *page.SharePage {
	return &page.SharePage{Frame: holder(l, "/receipt/1/share"), Href: "/receipt/1/share", ReceiptHref: "/receipt/1", Link: link, Until: at, Views: 3}
}
