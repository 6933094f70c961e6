package portal

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/history"
	"elsom/templates/component"
	"elsom/templates/page"
)

// filterFields are the parameters of a filter; direction alone is none.
var filterFields = []string{"from", "to", "kind", "service", "state", "q"}

// isFiltered reports whether a request has a filter.
func isFiltered(c echo.Context) bool {
	for _, name := range filterFields {
		if c.QueryParam(name) != "" {
			return true
		}
	}
	return false
}

// typedFilter returns the filter as it was typed.
func typedFilter(c echo.Context) history.Typed {
	return history.Typed{
		From: c.QueryParam("from"), To: c.QueryParam("to"), Direction: c.QueryParam("direction"), Kind: c.QueryParam("kind"),
		Service: c.QueryParam("service"), State: c.QueryParam("state"), Query: c.QueryParam("q"),
	}
}

// filtered lists the operations that a filter selects, with their totals.
func (p *Portal) filtered(c echo.Context) error {
	view, err := p.historyPage(c)
	if err != nil {
		return err
	}
	f, err := p.services.History.Parse(typedFilter(c))
	if err != nil {
		return p.refused(c, built(view), err)
	}
	owner := holder(c).ID
	totals, err := p.services.History.Totals(ctx(c), owner, f)
	if err != nil {
		return p.refused(c, built(view), err)
	}
	before := cursor(c)
	list, err := p.services.History.List(ctx(c), owner, f, before, historyPageSize)
	if err != nil {
		return err
	}
	if view.Operations, err = p.found(c, list.Operations); err != nil {
		return err
	}
	view.In, view.Out, view.Returned, view.Count = totals.In, totals.Out, totals.Returned, totals.Count
	view.Period = days(f.From, f.Last())
	view.Filter.From.Value, view.Filter.To.Value = date(f.From), date(f.Last())
	for _, m := range totals.Months {
		view.Months = append(view.Months, page.Month{First: m.First, In: m.In, Out: m.Out, Count: m.Count})
	}
	query := filterQuery(f)
	if before == 0 && totals.Count > 0 {
		view.CSVHref, view.XLSXHref = "/history.csv?"+query.Encode(), "/history.xlsx?"+query.Encode()
	}
	if before != 0 {
		view.NewerHref = "/history?" + query.Encode()
	}
	if list.Older != 0 {
		query.Set("before", strconv.FormatInt(list.Older, 10))
		view.OlderHref = "/history?" + query.Encode()
	}
	return render(c, http.StatusOK, view)
}

// cursor returns the cursor of a request; 0: the first page.
func cursor(c echo.Context) int64 {
	before, err := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	if err != nil || before < 0 {
		return 0
	}
	return before
}

// historyPage returns the page with the fields of the filter as they were typed.
func (p *Portal) historyPage(c echo.Context) (*page.HistoryPage, error) {
	value := func(name string) component.Input {
		return component.Input{Value: strings.ToValidUTF8(c.QueryParam(name), "\uFFFD")}
	}
	l := lang(c)
	view := &page.HistoryPage{
		Frame: p.frame(c), Direction: c.QueryParam("direction"),
		Filter: page.HistoryFilter{
			From: value("from"), To: value("to"), Kind: value("kind"), Service: value("service"), State: value("state"), Query: value("q"),
		},
		StatementHref: "/statement",
	}
	if view.Direction != "in" && view.Direction != "out" {
		view.Direction = ""
	}
	for _, kind := range []history.Kind{history.Payment, history.CashIn, history.Sent, history.Received, history.Other} {
		view.Filter.Kinds = append(view.Filter.Kinds, page.Option{Code: string(kind), Name: l.T("portal.kind." + string(pageKind(kind)))})
	}
	for _, state := range []history.State{history.Completed, history.Processing, history.Refunded} {
		view.Filter.States = append(view.Filter.States, page.Option{Code: string(state), Name: l.T("portal.state." + string(state))})
	}
	services, err := p.services.Catalog.Services(ctx(c), "")
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		view.Filter.Services = append(view.Filter.Services, page.Option{Code: s.Code, Name: s.Name.In(string(l))})
	}
	query := url.Values{}
	for _, name := range filterFields {
		if text := c.QueryParam(name); text != "" {
			query.Set(name, text)
		}
	}
	for _, direction := range []string{"", "in", "out"} {
		with := url.Values{}
		for name, values := range query {
			with[name] = values
		}
		if direction != "" {
			with.Set("direction", direction)
		}
		view.Directions = append(view.Directions, "/history"+question(with))
	}
	if view.Direction != "" {
		query.Set("direction", view.Direction)
	}
	view.Periods = p.periods(c, "/history", query)
	return view, nil
}

// question returns a query with its question mark, if it is not empty.
func question(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

func pageKind(kind history.Kind) page.Kind {
	if kind == history.Other {
		return page.Correction
	}
	return page.Kind(kind)
}

// filterQuery returns the parameters of a filter.
func filterQuery(f history.Filter) url.Values {
	query := url.Values{"from": {date(f.From)}, "to": {date(f.Last())}}
	for name, value := range map[string]string{
		"direction": string(f.Direction), "kind": string(f.Kind), "service": f.Service, "state": string(f.State), "q": f.Query,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}
