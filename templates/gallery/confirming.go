package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/page"
)

// confirming returns the pages that ask for the PIN or an SMS code before an operation.
func confirming() []State {
	state := func(name string, view func(i18n.Lang) page.ConfirmDraftPage, change func(i18n.Lang, *page.ConfirmDraftPage)) State {
		return State{name, "confirm", func(l i18n.Lang) templ.Component {
			p := view(l)
			change(l, &p)
			return p.Page()
		}}
	}
	code := func(key string) func(i18n.Lang, *page.ConfirmDraftPage) {
		return func(l i18n.Lang, p *page.ConfirmDraftPage) { p.Code = wrong(l, "123456", key) }
	}
	return append([]State{
		state("confirm-payment", confirmPayment, func(_ i18n.Lang, p *page.ConfirmDraftPage) { p.UnknownBrowser = true }),
		state("confirm-payment-both", confirmPayment, func(_ i18n.Lang, p *page.ConfirmDraftPage) {
			p.Above, p.UnknownBrowser, p.Frame.Dev, p.Sum = above, true, true, 100_000_00
		}),
		state("confirm-payment-wrong", confirmPayment, code("customer.code_wrong")),
		state("confirm-payment-tries-wrong", confirmPayment, code("customer.code_tries")),
		state("confirm-payment-expired-wrong", confirmPayment, code("customer.code_expired")),
		state("confirm-payment-codes-wrong", confirmPayment, func(l i18n.Lang, p *page.ConfirmDraftPage) {
			p.Fail("", l.T("customer.operation_codes"))
		}),
		state("confirm-payment-pin", confirmPayment, func(_ i18n.Lang, p *page.ConfirmDraftPage) { p.AskPIN, p.Above, p.Sum = true, above, 12_000_00 }),
		state("confirm-payment-locked-wrong", confirmPayment, func(l i18n.Lang, p *page.ConfirmDraftPage) {
			p.AskPIN = true
			p.Fail("", l.T("customer.pin_locked", i18n.Args{"Until": "22.11.2026 21:45"}))
		}),
		state("confirm-payment-old-wrong", confirmPayment, func(l i18n.Lang, p *page.ConfirmDraftPage) {
			p.AskPIN = true
			p.Fail("", l.T("customer.pin_expired"))
		}),
		state("confirm-transfer", confirmTransfer, func(_ i18n.Lang, p *page.ConfirmDraftPage) { p.Above = above }),
		state("confirm-transfer-nameless", confirmTransfer, func(_ i18n.Lang, p *page.ConfirmDraftPage) { p.To, p.UnknownBrowser = "", true }),
		state("confirm-transfer-wrong", confirmTransfer, code("customer.code_format")),
		state("confirm-transfer-pin-wrong", confirmTransfer, func(l i18n.Lang, p *page.ConfirmDraftPage) {
			p.AskPIN, p.Above, p.UnknownBrowser = true, above, true
			p.PIN.Error = l.T("customer.pin_wrong", i18n.Args{"Left": 4})
		}),
	}, codes()...)
}

// above is the amount from which on operations are confirmed.
const above money.Amount = 5_000_00

func confirmPayment(l i18n.Lang) page.ConfirmDraftPage {
	p := check(l, page.Ready)
	return page.ConfirmDraftPage{
		Frame: holder(l, "/check/7/confirm"), Kind: page.ConfirmPayment, Path: "/check/7", Sum: p.Total, Wallet: p.Wallet,
		To: p.Service, AccountLabel: p.AccountLabel, Account: p.Account, PayeeLabel: p.PayeeLabel, Payee: p.Payee,
	}
}

func confirmTransfer(l i18n.Lang) page.ConfirmDraftPage {
	return page.ConfirmDraftPage{
		Frame: holder(l, "/transfer/7/confirm"), Kind: page.ConfirmTransfer, Path: "/transfer/7", Sum: 12_000_00, Wallet: wallet,
		To: otherName, AccountLabel: l.T("portal.confirm_draft.phone"), Account: otherNumber,
	}
}

// codes returns the pages that ask for the SMS code of a login or of a browser.
func codes() []State {
	login := func(l i18n.Lang, code component.Input) page.CodePage {
		return page.CodePage{
			Frame: visitor(l, "/login/code"), Login: true, Path: "/login/code", ResendPath: "/login/resend", Back: "/login",
			Wallet: wallet, Code: code,
		}
	}
	browser := func(l i18n.Lang, code component.Input) page.CodePage {
		return page.CodePage{
			Frame: holder(l, "/settings/browser"), Path: "/settings/browser", ResendPath: "/settings/browser/resend", Back: "/settings/pin",
			Wallet: wallet, Code: code,
		}
	}
	return []State{
		{"code-login", "confirm", func(l i18n.Lang) templ.Component { return login(l, component.Input{}).Page() }},
		{"code-login-wrong", "confirm", func(l i18n.Lang) templ.Component { return login(l, wrong(l, "123456", "customer.code_wrong")).Page() }},
		{"code-browser", "confirm", func(l i18n.Lang) templ.Component { return browser(l, component.Input{}).Page() }},
		{"code-browser-wrong", "confirm", func(l i18n.Lang) templ.Component { return browser(l, wrong(l, "123456", "customer.code_wrong")).Page() }},
	}
}
