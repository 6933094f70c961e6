package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/page"
)

func pins() []State {
	view := func(l i18n.Lang, s page.PINState) page.PINPage {
		return page.PINPage{Frame: holder(l, "/settings/pin"), Wallet: wallet, State: s, Until: at}
	}
	return []State{
		{"pin", "pin", func(l i18n.Lang) templ.Component { return view(l, page.NoPIN).Page() }},
		{"pin-issued", "pin", func(l i18n.Lang) templ.Component { return view(l, page.IssuedPIN).Page() }},
		{"pin-used", "pin", func(l i18n.Lang) templ.Component { return view(l, page.UsedPIN).Page() }},
		{"pin-closed", "pin", func(l i18n.Lang) templ.Component { return view(l, page.ClosedPIN).Page() }},
		{"pin-wrong", "pin", func(l i18n.Lang) templ.Component {
			p := view(l, page.OwnPIN)
			p.OldPIN.Error = l.T("customer.pin_wrong", i18n.Args{"Left": 3})
			p.PIN = wrong(l, "", "customer.pin_weak")
			return p.Page()
		}},
		{"pin-locked", "pin", func(l i18n.Lang) templ.Component { return view(l, page.LockedPIN).Page() }},
		{"pin-locked-wrong", "pin", func(l i18n.Lang) templ.Component {
			p := view(l, page.LockedPIN)
			p.Password = wrong(l, "", "customer.password_wrong")
			return p.Page()
		}},
		{"pin-unlock", "pin", func(l i18n.Lang) templ.Component {
			return page.UnlockPage{Frame: holder(l, "/settings/pin/unlock"), Wallet: wallet}.Page()
		}},
		{"confirm-payment", "pin", func(l i18n.Lang) templ.Component { return confirmDraft(l, false).Page() }},
		{"confirm-payment-wrong", "pin", func(l i18n.Lang) templ.Component {
			p := confirmDraft(l, false)
			p.Code = wrong(l, "123456", "customer.code_wrong")
			return p.Page()
		}},
		{"confirm-payment-pin", "pin", func(l i18n.Lang) templ.Component { return confirmDraft(l, true).Page() }},
		{"confirm-transfer-pin-wrong", "pin", func(l i18n.Lang) templ.Component {
			p := confirmDraft(l, true)
			p.Kind, p.Path, p.To, p.AccountLabel, p.Account = page.ConfirmTransfer, "/transfer/7", "Бакыт А.", l.T("portal.confirm_draft.phone"), "+996 700 123 457"
			p.PIN.Error = l.T("customer.pin_wrong", i18n.Args{"Left": 4})
			return p.Page()
		}},
		{"code-login", "pin", func(l i18n.Lang) templ.Component {
			return page.CodePage{Frame: visitor(l, "/login/code"), Login: true, Path: "/login/code", ResendPath: "/login/resend", Back: "/login", Wallet: wallet}.Page()
		}},
		{"code-browser-wrong", "pin", func(l i18n.Lang) templ.Component {
			return page.CodePage{
				Frame: holder(l, "/settings/browser"), Path: "/settings/browser", ResendPath: "/settings/browser/resend", Back: "/settings/pin",
				Wallet: wallet, Code: wrong(l, "123456", "customer.code_wrong"),
			}.Page()
		}},
		{"check-pin", "pin", func(l i18n.Lang) templ.Component {
			p := check(l, page.Ready)
			p.AskPIN = true
			return p.Page()
		}},
		{"check-pin-wrong", "pin", func(l i18n.Lang) templ.Component {
			p := check(l, page.Ready)
			p.AskPIN = true
			p.PIN.Error = l.T("customer.pin_wrong", i18n.Args{"Left": 4})
			return p.Page()
		}},
	}
}

func confirmDraft(l i18n.Lang, pin bool) page.ConfirmDraftPage {
	p := check(l, page.Ready)
	return page.ConfirmDraftPage{
		Frame: holder(l, "/check/7/confirm"), Kind: page.ConfirmPayment, Path: "/check/7", AskPIN: pin, Sum: p.Total,
		To: p.Service, AccountLabel: p.AccountLabel, Account: p.Account, Wallet: p.Wallet,
	}
}
