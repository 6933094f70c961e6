package gallery

import (
	"time"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/page"
)

func confirmEmail(l i18n.Lang, sent bool) page.ConfirmEmailPage {
	return page.ConfirmEmailPage{Frame: holder(l, "/settings/email/confirm"), Wallet: wallet, Email: email, Sent: sent}
}

func notify(l i18n.Lang) page.NotifyPage {
	p := page.NotifyPage{Frame: holder(l, "/settings/messages"), Wallet: wallet, Push: true, Mails: true}
	for _, name := range []string{"topped_up", "payment_completed", "payment_refunded", "transfer_sent", "transfer_received"} {
		p.Kinds = append(p.Kinds, page.NotifyKind{
			Name: "notify." + name, Receipt: name[0] == 'p', SMS: page.Choice{Name: name + "_sms", On: true},
			Push: page.Choice{Name: name + "_push", On: name[0] == 'p'}, Email: page.Choice{Name: name + "_email"},
		})
	}
	return p
}

// profile returns the pages about e-mails, messages and logins.
func profile() []State {
	return []State{
		{"confirm-email", "account", func(l i18n.Lang) templ.Component { return confirmEmail(l, false).Page() }},
		{"confirm-email-sent", "account", func(l i18n.Lang) templ.Component { return confirmEmail(l, true).Page() }},
		{"confirm-email-wrong", "account", func(l i18n.Lang) templ.Component {
			p := confirmEmail(l, true)
			p.Receipt, p.Code = "1", wrong(l, "482916", "customer.email_code_wrong")
			return p.Page()
		}},
		{"confirm-email-many-wrong", "account", func(l i18n.Lang) templ.Component {
			p := confirmEmail(l, false)
			p.Problem = l.T("ratelimit.too_many", i18n.Args{"Count": 60})
			return p.Page()
		}},
		{"notify", "account", func(l i18n.Lang) templ.Component { return notify(l).Page() }},
		{"notify-sms", "account", func(l i18n.Lang) templ.Component {
			p := notify(l)
			p.Push, p.Mails = false, false
			return p.Page()
		}},
		{"notify-wrong", "account", func(l i18n.Lang) templ.Component {
			p := notify(l)
			p.EmailConfirmed, p.Kinds[0].SMS.On = true, false
			p.Password = wrong(l, "", "customer.password_wrong")
			return p.Page()
		}},
		{"logins", "account", func(l i18n.Lang) templ.Component { return logins(l).Page() }},
		{"logins-none", "account", func(l i18n.Lang) templ.Component {
			return page.LoginsPage{Frame: holder(l, "/settings/logins"), NewestHref: "/settings/logins"}.Page()
		}},
	}
}

func logins(l i18n.Lang) page.LoginsPage {
	return page.LoginsPage{Frame: holder(l, "/settings/logins"), OlderHref: "/settings/logins?before=1", Logins: []page.LoginEvent{
		{At: at, Device: "Chrome, Android", Network: "203.0.113.x", Result: "logins.ok", Good: true, Here: true, Count: 1},
		{At: at.Add(-time.Hour), Network: "2001:db8:4d:x", Result: "logins.failed", Count: 14},
		{At: at.Add(-2 * time.Hour), Device: "Firefox, Windows", Network: "198.51.100.x", Result: "logins.code", Count: 1},
		{At: at.Add(-30 * time.Hour), Device: "Safari, iPhone", Network: "198.51.100.x", Result: "logins.reset", Good: true, Count: 1},
		{At: at.Add(-31 * time.Hour), Device: "Safari, iPhone", Result: "logins.limited", Count: 1},
		{At: at.Add(-99 * time.Hour), Device: "Chrome, Android", Network: "203.0.113.x", Result: "logins.signup", Good: true, Count: 1},
	}}
}

// account returns the pages for limits, the e-mail address and closing the wallet.
func account() []State {
	limits := page.LimitsPage{
		Operation: 100_000_00, Day: 150_000_00, Month: 1_000_000_00, Balance: 800_000_00,
		DayLeft: 148_759_50, MonthLeft: 998_250_50, Receivable: 799_250_50, WalletBalance: 749_50,
	}
	closing := func(l i18n.Lang) page.ClosePage {
		return page.ClosePage{Frame: holder(l, "/settings/close"), Wallet: wallet, AskPIN: true}
	}
	return []State{
		{"limits", "account", func(l i18n.Lang) templ.Component {
			limits.Frame = holder(l, "/limits")
			return limits.Page()
		}},
		{"limits-none", "account", func(l i18n.Lang) templ.Component {
			return page.LimitsPage{Frame: holder(l, "/limits"), Operation: money.Max, WalletBalance: money.Max}.Page()
		}},
		{"email", "account", func(l i18n.Lang) templ.Component {
			return page.EmailPage{Frame: holder(l, "/settings/email"), Wallet: wallet, Now: email}.Page()
		}},
		{"email-wrong", "account", func(l i18n.Lang) templ.Component {
			p := page.EmailPage{Frame: holder(l, "/settings/email"), Wallet: wallet, Now: email}
			p.Email = wrong(l, "aida@\u200bexample.kg", "customer.email_invisible")
			p.Password = wrong(l, "", "customer.password_wrong")
			return p.Page()
		}},
		{"close", "account", func(l i18n.Lang) templ.Component { return closing(l).Page() }},
		{"close-wrong", "account", func(l i18n.Lang) templ.Component {
			p := closing(l)
			p.Password = wrong(l, "", "customer.password_wrong")
			p.PIN = wrong(l, "", "customer.pin_malformed")
			return p.Page()
		}},
		{"close-money", "account", func(l i18n.Lang) templ.Component {
			p := closing(l)
			p.Balance = 100_000_50
			return p.Page()
		}},
		{"close-open", "account", func(l i18n.Lang) templ.Component {
			p := closing(l)
			p.Open = 2
			return p.Page()
		}},
		{"closed", "account", func(l i18n.Lang) templ.Component {
			return page.ClosedPage{Frame: visitor(l, "/closed")}.Page()
		}},
		{"signup-closed", "account", func(l i18n.Lang) templ.Component {
			return page.SignupPage{Frame: visitor(l, "/signup"), Wallet: wallet, Edition: page.CurrentOffer(), Closed: at}.Page()
		}},
		{"pay-limit-wrong", "account", func(l i18n.Lang) templ.Component {
			p := pay(l)
			p.Amount = wrong(l, "150 000", "payment.limit_operation")
			p.Amount.Error = l.T("payment.limit_operation", i18n.Args{"Left": money.Amount(100_000_00)})
			p.AddLink("/limits", l.T("limits.link"))
			return p.Page()
		}},
	}
}
