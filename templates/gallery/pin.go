package gallery

import (
	"time"

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
		{"pin-expired", "pin", func(l i18n.Lang) templ.Component { return view(l, page.ExpiredPIN).Page() }},
		{"pin-issued", "pin", func(l i18n.Lang) templ.Component { return view(l, page.IssuedPIN).Page() }},
		{"pin-issued-always", "pin", func(l i18n.Lang) templ.Component {
			p := view(l, page.IssuedPIN)
			p.Until = time.Time{}
			return p.Page()
		}},
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
