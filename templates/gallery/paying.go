package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/component"
	"elsom/templates/portal"
)

const payee = "ОсОО «Ак-Булут Трейд»"

// held are the words of the hold after a password by SMS.
func held(l i18n.Lang) string { return l.T("customer.hold", i18n.Args{"Until": "01.12.2026 21:24"}) }

func pay(l i18n.Lang) portal.PayPage {
	return portal.PayPage{
		Frame: holder(l, "/pay/dostek"), Code: "dostek", Service: "DosTek group",
		CategoryName: other.in(l), CategoryHref: "/services/other",
		AccountLabel: innLabel.in(l), AccountHint: innHint.in(l), INN: true,
		Balance: 749_50, Minimum: 1_00, Maximum: 100_000_00,
	}
}

func check(l i18n.Lang, s portal.CheckState) portal.CheckPage {
	return portal.CheckPage{
		Frame: holder(l, "/check/7"), State: s, Draft: "7", Service: "DosTek group",
		AccountLabel: innLabel.in(l), Account: company, PayeeLabel: l.T("portal.check.company"), Payee: payee,
		Amount: 250_50, Total: 250_50, Wallet: wallet, Balance: 749_50, After: 499_00,
		BackHref: "/pay/dostek?draft=7",
	}
}

func paying() []State {
	return []State{
		{"pay", "pay", func(l i18n.Lang) templ.Component { return pay(l).Page() }},
		{"pay-typed", "pay", func(l i18n.Lang) templ.Component {
			page := pay(l)
			page.Account, page.Amount = typedINN, component.Input{Value: "250,50"}
			page.Fee = portal.FeeRule{BasisPoints: 150, Minimum: 5_00}
			return page.Page()
		}},
		{"pay-held", "pay", func(l i18n.Lang) templ.Component {
			page := pay(l)
			page.Held = held(l)
			return page.Page()
		}},
		{"check-held", "pay", func(l i18n.Lang) templ.Component {
			page := check(l, portal.Ready)
			page.Held = held(l)
			return page.Page()
		}},
		{"pay-wrong", "pay", func(l i18n.Lang) templ.Component {
			page := pay(l)
			page.Account = wrong(l, "0020 7199 6100 1", "catalog.inn_length")
			page.Amount = wrong(l, "1.234", "payment.amount_decimals")
			return page.Page()
		}},
		{"check", "pay", func(l i18n.Lang) templ.Component { return check(l, portal.Ready).Page() }},
		{"check-doubt", "pay", func(l i18n.Lang) templ.Component {
			page := check(l, portal.Ready)
			page.Account, page.Suspect, page.Payee = "9020\u00a07199\u00a06100\u00a017", true, ""
			page.Fee, page.Total, page.After = 5_00, 255_50, 494_00
			return page.Page()
		}},
		{"check-short", "pay", func(l i18n.Lang) templ.Component {
			page := check(l, portal.Short)
			page.Balance = 100_00
			return page.Page()
		}},
		{"check-fee", "pay", func(l i18n.Lang) templ.Component {
			page := check(l, portal.FeeChanged)
			page.OldFee, page.Fee, page.Total, page.After = 0, 5_00, 255_50, 494_00
			return page.Page()
		}},
		{"check-paid", "pay", func(l i18n.Lang) templ.Component {
			page := check(l, portal.Paid)
			page.ReceiptHref = "/receipt/1"
			return page.Page()
		}},
		{"check-expired", "pay", func(l i18n.Lang) templ.Component { return check(l, portal.Expired).Page() }},
	}
}

func receipt(l i18n.Lang, s portal.Status) portal.ReceiptPage {
	return portal.ReceiptPage{
		Frame: holder(l, "/receipt/1"), Status: s, Code: payCode, At: at, Service: "DosTek group",
		AccountLabel: innLabel.in(l), Account: company, PayeeLabel: l.T("portal.check.company"), Payee: payee,
		Amount: 250_50, Total: 250_50, Wallet: wallet, Balance: 499_00, RepeatHref: "/pay/dostek?repeat=1",
	}
}

func receipts() []State {
	return []State{
		{"receipt-processing", "receipt", func(l i18n.Lang) templ.Component {
			page := receipt(l, portal.Processing)
			page.Refresh, page.RepeatHref = 3, ""
			return page.Page()
		}},
		{"receipt", "receipt", func(l i18n.Lang) templ.Component {
			page := receipt(l, portal.Completed)
			page.EndedAt = at
			return page.Page()
		}},
		{"receipt-refunded", "receipt", func(l i18n.Lang) templ.Component {
			page := receipt(l, portal.Refunded)
			page.Fee, page.Total, page.Balance, page.EndedAt = 5_00, 255_50, 749_50, at
			page.Reason = l.T("payment.account_unknown")
			return page.Page()
		}},
	}
}
