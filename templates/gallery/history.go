package gallery

import (
	"time"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/page"
)

func historyPage(l i18n.Lang) page.HistoryPage {
	return page.HistoryPage{
		Frame: holder(l, "/history"), StatementHref: "/statement", Periods: usual(l, "/history"),
		Filter: page.HistoryFilter{
			Kinds:    []page.Option{{Code: "payment", Name: l.T("portal.kind.payment")}, {Code: "cashin", Name: l.T("portal.kind.cashin")}},
			Services: []page.Option{{Code: "dostek", Name: "DosTek group"}, {Code: "hoster", Name: "Hoster.kg"}},
			States:   []page.Option{{Code: "completed", Name: l.T("portal.state.completed")}, {Code: "refunded", Name: l.T("portal.state.refunded")}},
		},
	}
}

func usual(l i18n.Lang, path string) []page.Option {
	return []page.Option{
		{Code: path + "?from=2026-11-01&to=2026-11-22", Name: l.T("history.this_month")},
		{Code: path + "?from=2026-10-01&to=2026-10-31", Name: l.T("history.last_month")},
		{Code: path + "?from=2025-11-22&to=2026-11-22", Name: l.T("history.year")},
	}
}

// filtered is the history of a year.
func filtered(l i18n.Lang) page.HistoryPage {
	view := historyPage(l)
	view.Period = "22.11.2025\u00a0– 22.11.2026"
	view.Filter.From.Value, view.Filter.To.Value = "2025-11-22", "2026-11-22"
	view.Operations, view.In, view.Out, view.Returned, view.Count = operations(l), 32_890_00, 27_501_00, 640_00, 121
	view.CSVHref, view.XLSXHref, view.OlderHref = "/history.csv", "/history.xlsx", "/history?before=1"
	for i := range 13 {
		view.Months = append(view.Months, page.Month{
			First: time.Date(2025, time.Month(11+i), 1, 0, 0, 0, 0, time.UTC),
			In:    money.Amount((i*7)%13) * 421_50, Out: money.Amount((i*5)%11) * 377_25, Count: i * 3,
		})
	}
	return view
}

func statementPage(l i18n.Lang) page.StatementPage {
	return page.StatementPage{
		Frame: holder(l, "/statement"), Ready: true, Periods: usual(l, "/statement"), Period: "01.11.2026\u00a0– 22.11.2026", Made: at,
		From: component.Input{Value: "2026-11-01"}, To: component.Input{Value: "2026-11-22"},
		Holder: otherName, Wallet: wallet, Opening: 1_240_50, In: 2_890_00, Out: 2_290_50, Closing: 1_840_00, Count: 7,
		Operations: operations(l), PDFHref: "/statement.pdf",
	}
}

// found are the history with a filter, and statements.
func found() []State {
	return []State{
		{"history-year", "cabinet", func(l i18n.Lang) templ.Component { return filtered(l).Page() }},
		{"history-nothing", "cabinet", func(l i18n.Lang) templ.Component {
			view := historyPage(l)
			view.Period, view.Filter.Query.Value = "01.11.2026\u00a0– 22.11.2026", "Ала-Тоо"
			return view.Page()
		}},
		{"history-filter-wrong", "cabinet", func(l i18n.Lang) templ.Component {
			view := historyPage(l)
			view.Filter.From = wrong(l, "31.02.2026", "history.date")
			view.Filter.State = wrong(l, "lost", "history.choice")
			return view.Page()
		}},
		{"statement", "cabinet", func(l i18n.Lang) templ.Component { return statementPage(l).Page() }},
		{"statement-empty", "cabinet", func(l i18n.Lang) templ.Component {
			view := statementPage(l)
			view.In, view.Out, view.Closing, view.Count, view.Operations, view.Holder = 0, 0, view.Opening, 0, nil, ""
			return view.Page()
		}},
		{"statement-wrong", "cabinet", func(l i18n.Lang) templ.Component {
			view := statementPage(l)
			view.Ready, view.To = false, wrong(l, "2026-10-01", "history.order")
			return view.Page()
		}},
	}
}
