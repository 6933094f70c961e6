package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/component"
	"elsom/templates/page"
)

const (
	otherName   = "Бакыт А."
	otherNumber = "+996\u00a0550\u00a0123\u00a0456"
)

func transferCheck(l i18n.Lang, s page.CheckState) page.TransferCheckPage {
	return page.TransferCheckPage{
		Frame: holder(l, "/transfer/7"), State: s, Draft: "7", Receiver: otherName, Phone: otherNumber, Wallet: wallet,
		Amount: 250_50, Balance: 749_50, BackHref: "/transfer?draft=7", ReceiptHref: "/transfer/done/7",
	}
}

func transferReceipt(l i18n.Lang) page.TransferReceiptPage {
	return page.TransferReceiptPage{
		Frame: holder(l, "/transfer/done/7"), Number: "118058099700478336", Name: otherName, Phone: otherNumber, Wallet: wallet,
		Amount: 250_50, At: at, Balance: 499_00, RepeatHref: "/transfer?repeat=7",
	}
}

// sending returns the pages of a transfer.
func sending() []State {
	return []State{
		{"transfer", "transfer", func(l i18n.Lang) templ.Component {
			return page.TransferPage{Frame: holder(l, "/transfer"), FillHref: "/fill?form=transfer", Balance: 749_50}.Page()
		}},
		{"transfer-held", "transfer", func(l i18n.Lang) templ.Component {
			return page.TransferPage{Frame: holder(l, "/transfer"), FillHref: "/fill?form=transfer", Balance: 749_50, Held: held(l)}.Page()
		}},
		{"transfer-check-held", "transfer", func(l i18n.Lang) templ.Component {
			view := transferCheck(l, page.Ready)
			view.Held = held(l)
			return view.Page()
		}},
		{"transfer-wrong", "transfer", func(l i18n.Lang) templ.Component {
			return page.TransferPage{
				Frame: holder(l, "/transfer"), FillHref: "/fill?form=transfer", Balance: 749_50, Phone: wrong(l, "0555 555 555", "wallet.receiver_unknown"),
				Amount: component.Input{Value: "250", Error: l.T("payment.amount_zero")},
			}.Page()
		}},
		{"transfer-check", "transfer", func(l i18n.Lang) templ.Component { return transferCheck(l, page.Ready).Page() }},
		{"transfer-pin-wrong", "transfer", func(l i18n.Lang) templ.Component {
			view := transferCheck(l, page.Ready)
			view.AskPIN, view.Receiver = true, ""
			view.PIN = wrong(l, "", "customer.pin_malformed")
			return view.Page()
		}},
		{"transfer-full-wrong", "transfer", func(l i18n.Lang) templ.Component {
			view := transferCheck(l, page.Ready)
			view.Fail("amount", l.T("wallet.receiver_full"))
			return view.Page()
		}},
		{"transfer-check-short", "transfer", func(l i18n.Lang) templ.Component {
			view := transferCheck(l, page.Short)
			view.Balance = 100_00
			return view.Page()
		}},
		{"transfer-check-sent", "transfer", func(l i18n.Lang) templ.Component { return transferCheck(l, page.Paid).Page() }},
		{"transfer-check-expired", "transfer", func(l i18n.Lang) templ.Component { return transferCheck(l, page.Expired).Page() }},
		{"transfer-sent", "transfer", func(l i18n.Lang) templ.Component { return transferReceipt(l).Page() }},
		{"transfer-got", "transfer", func(l i18n.Lang) templ.Component {
			view := transferReceipt(l)
			view.Incoming = true
			return view.Page()
		}},
		{"transfer-got-nameless", "transfer", func(l i18n.Lang) templ.Component {
			view := transferReceipt(l)
			view.Incoming, view.Name = true, ""
			return view.Page()
		}},
		{"fill-transfer", "transfer", func(l i18n.Lang) templ.Component {
			return page.FillPage{
				Frame: holder(l, "/fill?back=7"), Wallet: wallet, Digits: digits, Code: numberCode(), BackHref: "/transfer/7", Missing: 150_50, Transfer: true,
			}.Page()
		}},
	}
}
