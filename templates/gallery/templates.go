package gallery

import (
	"strconv"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/page"
)

func savedTemplates(l i18n.Lang) []page.Template {
	name := localized{"Отчёты", "Отчёттор", "Reports"}
	list := []page.Template{
		{Name: name.in(l), Service: "DosTek group", Payee: payee, Number: companyINN, Short: "••••\u00a06100\u00a017", Sum: 1_240_00},
		{Name: "ОсОО «Кыргыз-Түндүк Логистика»", Service: "DosTek group", Payee: "ОсОО «Кыргыз-Түндүк Логистика»", Number: "0120\u00a07199\u00a06100\u00a099", Short: "••••\u00a06100\u00a099", Sum: money.Max},
		{Name: "Hoster", Service: "Hoster.kg", Number: "20451", Short: "20451"},
		{Name: "Акнет", Service: "Акнет", Number: "77120", Short: "77120", Sum: 890_00},
	}
	for i := range list {
		list[i].EditHref, list[i].PayHref = "/templates/1", "/pay/dostek?template=1"
	}
	return list
}

// newTemplate is the form that makes a template.
func newTemplate(l i18n.Lang) *page.TemplatePage {
	return &page.TemplatePage{
		Frame: holder(l, "/receipt/1/template"), Href: "/receipt/1/template", BackHref: "/receipt/1", Service: "DosTek group",
		AccountLabel: innLabel.in(l), Account: companyINN, PayeeLabel: l.T("portal.check.company"), Payee: payee,
		Name: component.Input{Value: payee}, Amount: component.Input{Value: "1240"},
	}
}

// savedTemplate is the form that changes a template.
func savedTemplate(l i18n.Lang) *page.TemplatePage {
	view := newTemplate(l)
	view.Frame = holder(l, "/templates/1")
	view.Href, view.BackHref, view.PayHref, view.DeleteHref = "/templates/1", "/templates", "/pay/dostek?template=1", "/templates/1/delete"
	view.Count, view.Position = 12, component.Input{Value: "3"}
	return view
}

func templates() []State {
	list := func(l i18n.Lang) page.TemplatesPage {
		saved := savedTemplates(l)
		return page.TemplatesPage{Frame: holder(l, "/templates"), Templates: saved, Count: len(saved)}
	}
	return []State{
		{"templates", "templates", func(l i18n.Lang) templ.Component {
			view := list(l)
			view.Flash = l.T("flash.template_saved")
			return view.Page()
		}},
		{"templates-many", "templates", func(l i18n.Lang) templ.Component {
			view := list(l)
			for i := range 8 {
				one := view.Templates[0]
				one.Name += " " + strconv.Itoa(i+2)
				view.Templates = append(view.Templates, one)
			}
			view.Templates[2].PayHref, view.Count = "", 12
			return view.Page()
		}},
		{"templates-none", "templates", func(l i18n.Lang) templ.Component {
			return page.TemplatesPage{Frame: holder(l, "/templates")}.Page()
		}},
		{"templates-missing", "templates", func(l i18n.Lang) templ.Component {
			return page.TemplatesPage{Frame: holder(l, "/templates?q=x"), Query: "электроэнергия", Count: 12}.Page()
		}},
		{"template-new", "templates", func(l i18n.Lang) templ.Component { return newTemplate(l).Page() }},
		{"template-new-wrong", "templates", func(l i18n.Lang) templ.Component {
			view := newTemplate(l)
			view.Name, view.Amount = wrong(l, "", "template.name_empty"), wrong(l, "1.234", "payment.amount_decimals")
			return view.Page()
		}},
		{"template", "templates", func(l i18n.Lang) templ.Component { return savedTemplate(l).Page() }},
		{"template-wrong", "templates", func(l i18n.Lang) templ.Component {
			view := savedTemplate(l)
			view.Position = component.Input{Value: "13", Error: l.T("template.position", i18n.Args{"Most": 12})}
			return view.Page()
		}},
		{"template-gone", "templates", func(l i18n.Lang) templ.Component {
			view := savedTemplate(l)
			view.PayHref, view.Gone = "", true
			return view.Page()
		}},
		{"cabinet-templates", "templates", func(l i18n.Lang) templ.Component {
			again := services(l)[:1]
			again[0].Detail, again[0].Sum = "ОсОО «Жаңы-Тоо» · ••••\u00a06100\u00a025", 640_00
			return page.CabinetPage{
				Frame: holder(l, "/cabinet"), Wallet: wallet, Balance: 749_50, Operations: operations(l), Payments: again,
				Templates: savedTemplates(l),
			}.Page()
		}},
	}
}
