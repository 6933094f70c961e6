package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/component"
	"elsom/templates/page"
)

const email = "aizada@example.kg"

func entering() []State {
	return []State{
		{"phone", "enter", func(l i18n.Lang) templ.Component {
			return page.PhonePage{Frame: visitor(l, "/")}.Page()
		}},
		{"phone-wrong", "enter", func(l i18n.Lang) templ.Component {
			return page.PhonePage{Frame: visitor(l, "/"), Phone: wrong(l, "0312 960 888", "portal.wrong.phone_landline")}.Page()
		}},
		{"phone-ended", "enter", func(l i18n.Lang) templ.Component {
			f := visitor(l, "/")
			f.Note = l.T("session.ended.device") + " " + l.T("portal.check.nothing_paid")
			return page.PhonePage{Frame: f, Phone: component.Input{Value: wallet}}.Page()
		}},
		{"login", "enter", func(l i18n.Lang) templ.Component {
			return page.LoginPage{Frame: visitor(l, "/login"), Wallet: wallet}.Page()
		}},
		{"login-wrong", "enter", func(l i18n.Lang) templ.Component {
			return page.LoginPage{
				Frame: visitor(l, "/login"), Wallet: wallet,
				Password: wrong(l, "", "customer.password_wrong"),
			}.Page()
		}},
		{"signup", "enter", func(l i18n.Lang) templ.Component {
			return page.SignupPage{Frame: visitor(l, "/signup"), Wallet: wallet, Edition: page.CurrentOffer()}.Page()
		}},
		{"signup-wrong", "enter", func(l i18n.Lang) templ.Component {
			return page.SignupPage{
				Frame: visitor(l, "/signup"), Wallet: wallet, Edition: page.CurrentOffer(),
				Email:    component.Input{Value: email},
				Password: wrong(l, "", "customer.password_short"),
				Offer:    wrong(l, "", "customer.offer_missing"),
			}.Page()
		}},
		{"confirm", "enter", func(l i18n.Lang) templ.Component {
			return page.ConfirmPage{Frame: visitor(l, "/confirm"), Wallet: wallet}.Page()
		}},
		{"confirm-wrong", "enter", func(l i18n.Lang) templ.Component {
			f := visitor(l, "/confirm")
			f.Dev = true
			return page.ConfirmPage{Frame: f, Wallet: wallet, Code: wrong(l, "123456", "customer.code_wrong")}.Page()
		}},
		{"reset", "enter", func(l i18n.Lang) templ.Component {
			return page.ResetPage{Frame: visitor(l, "/reset"), HoldHours: 24, Phone: component.Input{Value: "0700 123 456"}}.Page()
		}},
		{"reset-confirm", "enter", func(l i18n.Lang) templ.Component {
			return page.ResetConfirmPage{Frame: visitor(l, "/reset/confirm"), Wallet: wallet, HoldHours: 24}.Page()
		}},
	}
}
