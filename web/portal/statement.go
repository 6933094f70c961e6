package portal

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/history"
	"elsom/templates/component"
	"elsom/templates/document"
	"elsom/templates/page"
)

const statementPageSize = 50

// Statement shows an account statement of a period, by default of this month.
func (p *Portal) Statement(c echo.Context) error {
	view := p.statementPage(c)
	from, to, err := p.period(c)
	if err != nil {
		return p.refused(c, built(view), err)
	}
	owner := holder(c).ID
	s, err := p.services.History.Statement(ctx(c), owner, from, to)
	if err != nil {
		return err
	}
	before := cursor(c)
	list, err := p.services.History.StatementPage(ctx(c), owner, s, before, statementPageSize)
	if err != nil {
		return err
	}
	if view.Operations, err = p.found(c, list.Operations); err != nil {
		return err
	}
	p.fillStatement(c, view, s)
	query := url.Values{"from": {view.From.Value}, "to": {view.To.Value}}
	if s.Count <= history.MaxStated {
		view.PDFHref = "/statement.pdf?" + query.Encode()
	}
	if before != 0 {
		view.NewestHref = "/statement?" + query.Encode()
	}
	if list.Older != 0 {
		query.Set("before", strconv.FormatInt(list.Older, 10))
		view.OlderHref = "/statement?" + query.Encode()
	}
	return render(c, http.StatusOK, view)
}

// StatementPDF sends the statement of a period as PDF.
func (p *Portal) StatementPDF(c echo.Context) error {
	view := p.statementPage(c)
	from, to, err := p.period(c)
	if err != nil {
		return p.refused(c, built(view), err)
	}
	s, list, err := p.services.History.Whole(ctx(c), holder(c).ID, from, to)
	if err != nil {
		return p.refused(c, built(view), err)
	}
	if view.Operations, err = p.found(c, list); err != nil {
		return err
	}
	p.fillStatement(c, view, s)
	name := "elsom-" + view.From.Value + "-" + view.To.Value + ".pdf"
	return p.file(c, name, "application/pdf", func(_ context.Context, w io.Writer) error { return document.Statement(w, *view) })
}

// period returns the period that was typed; nothing is this month.
func (p *Portal) period(c echo.Context) (from, to time.Time, err error) {
	first, last, now := c.QueryParam("from"), c.QueryParam("to"), p.services.Now()
	if first == "" && last == "" {
		first = date(monthOf(now))
	}
	return history.ParsePeriod(first, last, now)
}

// statementPage returns the page with the period as it was typed.
func (p *Portal) statementPage(c echo.Context) *page.StatementPage {
	value := func(name string) component.Input {
		return component.Input{Value: strings.ToValidUTF8(c.QueryParam(name), "\uFFFD")}
	}
	return &page.StatementPage{Frame: p.frame(c), From: value("from"), To: value("to"), Periods: p.periods(c, "/statement", nil)}
}

// fillStatement sets what a statement says besides its operations.
func (p *Portal) fillStatement(c echo.Context, view *page.StatementPage, s history.Statement) {
	owner := holder(c)
	view.Ready, view.Made = true, p.services.Now()
	view.From.Value, view.To.Value = date(s.From), date(s.Last())
	view.Period = days(s.From, s.Last())
	view.Holder, view.Wallet = owner.Name, owner.Phone.Pretty()
	view.Opening, view.In, view.Out, view.Closing, view.Count = s.Opening, s.In, s.Out, s.Closing, s.Count
}

// periods returns links to usual periods, with other conditions.
func (p *Portal) periods(c echo.Context, path string, others url.Values) []page.Option {
	today := history.Day(p.services.Now())
	month := monthOf(today)
	list := []page.Option{}
	for _, o := range []struct {
		name     string
		from, to time.Time
	}{
		{"history.this_month", month, today},
		{"history.last_month", month.AddDate(0, -1, 0), month.AddDate(0, 0, -1)},
		{"history.year", today.AddDate(0, 0, 1-history.MaxDays), today},
	} {
		query := url.Values{}
		for name, values := range others {
			query[name] = values
		}
		query.Set("from", date(o.from))
		query.Set("to", date(o.to))
		list = append(list, page.Option{Code: path + "?" + query.Encode(), Name: lang(c).T(o.name)})
	}
	return list
}

// monthOf returns the first day of a time's month in Bishkek.
func monthOf(t time.Time) time.Time {
	day := history.Day(t)
	return day.AddDate(0, 0, 1-day.Day())
}

// date is a day as forms have it.
func date(t time.Time) string { return t.Format("2006-01-02") }

// days is a period in figures: one day, or the first and the last.
func days(first, last time.Time) string {
	if first.Equal(last) {
		return component.Date(first)
	}
	return component.Date(first) + "\u00a0– " + component.Date(last)
}
