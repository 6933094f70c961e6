package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/component"
	"elsom/templates/page"
)

const payee = "ОсОО «Ак-Булут Трейд»"

// held is the text of the hold after a reset.
func held(l i18n.Lang) string { return l.T("customer.hold", i18n.Args{"Until": "01.12.2026 21:24"}) }

func pay(l i18n.Lang) page.PayPage {
	return page.PayPage{
		Frame: holder(l, "/pay/dostek"), Code: "dostek", Service: "DosTek group",
		CategoryName: other.in(l), CategoryHref: "/services/other",
		AccountLabel: innLabel.in(l), AccountHint: innHint.in(l), INN: true, FillHref: "/fill?form=dostek",
		Balance: 749_50, Minimum: 1_00, Maximum: 100_000_00,
	}
}

func check(l i18n.Lang, s page.CheckState) page.CheckPage {
	return page.CheckPage{
		Frame: holder(l, "/check/7"), State: s, Draft: "7", Service: "DosTek group",
		AccountLabel: innLabel.in(l), Account: companyINN, PayeeLabel: l.T("portal.check.company"), Payee: payee,
		Amount: 250_50, Total: 250_50, Wallet: wallet, Balance: 749_50, After: 499_00,
		BackHref: "/pay/dostek?draft=7",
	}
}

func paying() []State {
	return []State{
		{"pay", "pay", func(l i18n.Lang) templ.Component { return pay(l).Page() }},
		{"pay-typed", "pay", func(l i18n.Lang) templ.Component {
			view := pay(l)
			view.Account, view.Amount = typedINN, component.Input{Value: "250,50"}
			view.Fee = page.FeeRule{BasisPoints: 150, Minimum: 5_00}
			return view.Page()
		}},
		{"pay-held", "pay", func(l i18n.Lang) templ.Component {
			view := pay(l)
			view.Held = held(l)
			return view.Page()
		}},
		{"check-held", "pay", func(l i18n.Lang) templ.Component {
			view := check(l, page.Ready)
			view.Held = held(l)
			return view.Page()
		}},
		{"pay-wrong", "pay", func(l i18n.Lang) templ.Component {
			view := pay(l)
			view.Account = wrong(l, "0020 7199 6100 1", "catalog.inn_length")
			view.Amount = wrong(l, "1.234", "payment.amount_decimals")
			return view.Page()
		}},
		{"check", "pay", func(l i18n.Lang) templ.Component { return check(l, page.Ready).Page() }},
		{"check-doubt", "pay", func(l i18n.Lang) templ.Component {
			view := check(l, page.Ready)
			view.Account, view.Suspect, view.Payee = "9020\u00a07199\u00a06100\u00a017", true, ""
			view.Fee, view.Total, view.After = 5_00, 255_50, 494_00
			return view.Page()
		}},
		{"check-short", "pay", func(l i18n.Lang) templ.Component {
			view := check(l, page.Short)
			view.Balance = 100_00
			return view.Page()
		}},
		{"check-fee", "pay", func(l i18n.Lang) templ.Component {
			view := check(l, page.FeeChanged)
			view.OldFee, view.Fee, view.Total, view.After = 0, 5_00, 255_50, 494_00
			return view.Page()
		}},
		{"check-paid", "pay", func(l i18n.Lang) templ.Component {
			view := check(l, page.Paid)
			view.ReceiptHref = "/receipt/1"
			return view.Page()
		}},
		{"check-expired", "pay", func(l i18n.Lang) templ.Component { return check(l, page.Expired).Page() }},
	}
}
