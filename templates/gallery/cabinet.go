package gallery

import (
	"time"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/page"
)

func services(l i18n.Lang) []page.Service {
	return []page.Service{
		{Code: "dostek", Name: "DosTek group", Href: "/pay/dostek", Category: other.in(l)},
		{Code: "hoster", Name: "Hoster.kg", Href: "/pay/hoster", Category: other.in(l)},
		{Code: "aknet", Name: "Акнет", Href: "/pay/aknet", Category: internet.in(l)},
	}
}

func cabinet() []State {
	return append([]State{
		{"cabinet", "cabinet", func(l i18n.Lang) templ.Component {
			again := services(l)[:1]
			again[0].Detail, again[0].Sum = payee+" · ••••\u00a06100\u00a017", 1_240_00
			return page.CabinetPage{
				Frame: holder(l, "/cabinet"), Wallet: wallet, Balance: 749_50,
				Operations: operations(l), Payments: again,
			}.Page()
		}},
		{"cabinet-new", "cabinet", func(l i18n.Lang) templ.Component {
			f := holder(l, "/cabinet")
			f.Dev = true
			return page.CabinetPage{Frame: f, Wallet: wallet}.Page()
		}},
		{"cabinet-held", "cabinet", func(l i18n.Lang) templ.Component {
			return page.CabinetPage{Frame: holder(l, "/cabinet"), Wallet: wallet, Balance: 749_50, Operations: operations(l), Held: held(l)}.Page()
		}},
		{"cabinet-rich", "cabinet", func(l i18n.Lang) templ.Component {
			f := holder(l, "/cabinet")
			f.Flash = l.T("flash.password_changed")
			list := operations(l)[1:2]
			list[0].Amount = -money.Max
			return page.CabinetPage{Frame: f, Wallet: wallet, Balance: money.Max, Operations: list}.Page()
		}},
		{"history", "cabinet", func(l i18n.Lang) templ.Component {
			view := historyPage(l)
			view.Operations, view.In, view.Out, view.Count = operations(l), 2_890_00, 1_501_00, 21
			view.NewerHref, view.OlderHref = "/history", "/history?page=3"
			return view.Page()
		}},
		{"history-empty", "cabinet", func(l i18n.Lang) templ.Component {
			view := historyPage(l)
			view.Direction = "in"
			return view.Page()
		}},
		{"operation-cashin", "cabinet", func(l i18n.Lang) templ.Component {
			return page.OperationPage{Frame: holder(l, "/history/2"), Operation: operations(l)[2]}.Page()
		}},
		{"messages", "cabinet", func(l i18n.Lang) templ.Component {
			return messages(l).Page()
		}},
		{"messages-empty", "cabinet", func(l i18n.Lang) templ.Component {
			return page.MessagesPage{Frame: holder(l, "/messages")}.Page()
		}},
		{"settings", "cabinet", func(l i18n.Lang) templ.Component {
			view := settings(l)
			view.NoticesKey = "key"
			view.Notices = []page.NoticeDevice{{ID: "1", Device: "Chrome, Android", Since: at}}
			return view.Page()
		}},
		{"settings-wrong", "cabinet", func(l i18n.Lang) templ.Component {
			view := settings(l)
			view.Sessions = view.Sessions[:1]
			view.OldPassword = wrong(l, "", "customer.password_old_wrong")
			view.Password = wrong(l, "", "customer.password_common")
			return view.Page()
		}},
		{"settings-end-wrong", "cabinet", func(l i18n.Lang) templ.Component {
			view := settings(l)
			view.EndPassword = wrong(l, "", "customer.password_wrong")
			return view.Page()
		}},
	}, append(found(), append(choosing(), application()...)...)...)
}

func messages(l i18n.Lang) page.MessagesPage {
	paid := i18n.Args{"Code": payCode, "Service": "DosTek group", "Account": companyINN, "Amount": money.Amount(1_240_00)}
	return page.MessagesPage{
		Frame: holder(l, "/messages"), NewestHref: "/messages", OlderHref: "/messages?before=1",
		Messages: []page.Message{
			{Text: i18n.NoBreak(l.T("sms.code", i18n.Args{"Code": "••••••"})), State: page.MessageQueued, At: at},
			{Text: i18n.NoBreak(l.T("sms.payment_completed", paid)), State: page.MessageDelivered, At: at.Add(-time.Hour)},
			{Text: i18n.NoBreak(l.T("sms.topped_up", i18n.Args{"Amount": money.Max})), State: page.MessageSent, At: at.Add(-2 * time.Hour)},
			{Text: i18n.NoBreak(l.T("sms.password_changed")), State: page.MessageFailed, At: at.Add(-48 * time.Hour)},
			{Text: i18n.NoBreak(l.T("sms.new_browser", i18n.Args{"At": "20.11.2026 09:10"})), State: page.MessageDelivered, At: at.Add(-60 * time.Hour)},
		},
	}
}

func settings(l i18n.Lang) page.SettingsPage {
	return page.SettingsPage{
		Frame: holder(l, "/settings"), Wallet: wallet, Email: email, Mails: true,
		Sessions: []page.Session{
			{ID: "1", Device: "Chrome, Android", Network: "203.0.113.x", LoggedIn: at.Add(-time.Hour), Seen: at, Current: true},
			{ID: "2", Device: "Firefox, Windows", Network: "2001:db8:4d:x", LoggedIn: at.Add(-4 * time.Hour), Seen: at.Add(-3 * time.Hour)},
		},
	}
}

func choosing() []State {
	categories := func(l i18n.Lang) []page.Category {
		return []page.Category{
			{Code: "internet", Name: internet.in(l), Href: "/services/internet", Examples: "Акнет"},
			{Code: "other", Name: other.in(l), Href: "/services/other", Examples: "DosTek group, Hoster.kg"},
		}
	}
	return []State{
		{"services", "cabinet", func(l i18n.Lang) templ.Component {
			return page.ServicesPage{Frame: holder(l, "/services"), Categories: categories(l)}.Page()
		}},
		{"services-found", "cabinet", func(l i18n.Lang) templ.Component {
			return page.ServicesPage{Frame: holder(l, "/services?q=достэк"), Query: "достэк", Found: services(l)[:1]}.Page()
		}},
		{"services-none", "cabinet", func(l i18n.Lang) templ.Component {
			return page.ServicesPage{Frame: holder(l, "/services?q=x"), Query: "электроэнергия"}.Page()
		}},
		{"category", "cabinet", func(l i18n.Lang) templ.Component {
			return page.CategoryPage{Frame: holder(l, "/services/other"), Name: other.in(l), Services: bare(services(l)[:2])}.Page()
		}},
	}
}

// bare removes the category from services, for a category's own page.
func bare(list []page.Service) []page.Service {
	for i := range list {
		list[i].Category = ""
	}
	return list
}

var typedINN = component.Input{Value: typed}
