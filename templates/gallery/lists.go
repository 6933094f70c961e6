package gallery

import (
	"strconv"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/page"
)

func listForm(l i18n.Lang) *page.ListFormPage {
	return &page.ListFormPage{
		Frame: holder(l, "/pay/dostek/list"), Href: "/pay/dostek/list", BackHref: "/pay/dostek", Service: "DosTek group", INN: true,
		TemplatesHref: "/pay/dostek/list?templates=1",
	}
}

func list(l i18n.Lang, s page.ListState) *page.ListPage {
	view := &page.ListPage{
		Frame: holder(l, "/lists/1"), State: s, Path: "/lists/1", Service: "DosTek group", AccountLabel: innLabel.in(l), PayeeLabel: l.T("portal.check.company"),
		All: 12, Wallet: wallet, Balance: 25_000_00, FormHref: "/pay/dostek/list?from=1", MendHref: "/pay/dostek/list?from=1",
	}
	names := []string{payee, "ОсОО «Кыргыз-Түндүк Логистика»", "", "ИП Асанова Ң. Ө.", "ОсОО «Жаңы-Тоо»"}
	for i, name := range names {
		view.Lines = append(view.Lines, page.ListLine{Line: i + 1, Number: companyINN, Payee: name, Sum: "1\u00a0240,00"})
	}
	view.Lines[4].Line, view.Lines[3].Sum = 100, money.Amount(100_000_00).Group()
	view.Amount, view.Total = 12_400_00, 12_400_00
	return view
}

func wrongLines(l i18n.Lang) []page.ListLine {
	return []page.ListLine{
		{Line: 6, Number: "0020 7199 6100 1", Sum: "250", Reason: l.T("catalog.inn_length")},
		{Line: 7, Number: "0020\u00a07199\u00a06100\u00a099", Sum: "250,50", Reason: l.T("paylist.twice", i18n.Args{"Line": "2"})},
		{Line: 8, Number: "00207199610088", Reason: l.T("paylist.formula")},
	}
}

// lists are the pages of a list of payments.
func lists() []State { return append(listForms(), append(listChecks(), listResults()...)...) }

func listForms() []State {
	return []State{
		{"list-form", "lists", func(l i18n.Lang) templ.Component { return listForm(l).Page() }},
		{"list-form-wrong", "lists", func(l i18n.Lang) templ.Component {
			view := listForm(l)
			view.List = component.Input{Value: "00207199610017; 250,50\n", Error: l.T("paylist.empty")}
			view.File = component.Input{Error: l.T("paylist.form")}
			view.TemplatesHref = ""
			return view.Page()
		}},
		{"list-form-mend", "lists", func(l i18n.Lang) templ.Component {
			view := listForm(l)
			view.Mending, view.List.Value = true, "0020 7199 6100 1; 250\n00207199610099; 250,50\n"
			return view.Page()
		}},
		{"list-form-held", "lists", func(l i18n.Lang) templ.Component {
			view := listForm(l)
			view.Held = held(l)
			return view.Page()
		}},
	}
}

func listChecks() []State {
	return []State{
		{"list-checking", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListChecking)
			view.Done, view.Refresh = 3, 2
			for i := range view.Lines {
				if i > 2 {
					view.Lines[i].Payee, view.Lines[i].Waiting = "", true
				}
			}
			return view.Page()
		}},
		{"list-ready", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListReady)
			view.Wrong = wrongLines(l)
			return view.Page()
		}},
		{"list-pin-wrong", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListReady)
			view.AskPIN, view.PIN = true, component.Input{Error: l.T("customer.pin_malformed")}
			return view.Page()
		}},
		{"list-short-wrong", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListReady)
			view.Short, view.Balance = true, 100_00
			view.Problem = l.T("payment.insufficient", i18n.Args{"Balance": money.Amount(100_00), "Missing": money.Amount(12_300_00)})
			view.AddLink("/fill?form=dostek", l.T("portal.check.fill"))
			return view.Page()
		}},
		{"list-held", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListReady)
			view.Held = held(l)
			return view.Page()
		}},
		{"list-nothing", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListReady)
			view.Lines, view.Wrong = nil, wrongLines(l)
			return view.Page()
		}},
		{"list-expired", "lists", func(l i18n.Lang) templ.Component { return list(l, page.ListExpired).Page() }},
		{"list-confirm", "lists", func(l i18n.Lang) templ.Component {
			return page.ConfirmDraftPage{
				Frame: holder(l, "/lists/1/confirm"), Kind: page.ConfirmList, Path: "/lists/1", Sum: 12_400_00, Above: 5_000_00, Wallet: wallet,
				To: "DosTek group", AccountLabel: l.T("paylist.payments"), Account: "12",
			}.Page()
		}},
	}
}

func listResults() []State {
	return []State{
		{"list-paying", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListPaying)
			view.Done, view.Refresh = 3, 2
			paid(view, 3)
			for i := range view.Lines {
				view.Lines[i].Waiting = i > 2
			}
			return view.Page()
		}},
		{"list-done", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListDone)
			paid(view, len(view.Lines))
			return view.Page()
		}},
		{"list-done-some", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListDone)
			paid(view, len(view.Lines))
			view.Lines[1].Status, view.Lines[2].Status, view.Wrong, view.Refresh = page.Processing, page.Refunded, wrongLines(l), 5
			return view.Page()
		}},
		{"list-done-none", "lists", func(l i18n.Lang) templ.Component {
			view := list(l, page.ListDone)
			view.Lines, view.Wrong = nil, wrongLines(l)
			return view.Page()
		}},
	}
}

// paid sets the payments of the first n lines.
func paid(view *page.ListPage, n int) {
	for i := range n {
		view.Lines[i].Status, view.Lines[i].ReceiptHref = page.Completed, "/receipt/"+strconv.Itoa(i+1)
	}
}
