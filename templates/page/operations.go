package page

import (
	"strconv"
	"time"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// Option is a choice of a list, or a link with its name.
type Option struct{ Code, Name string }

// HistoryPage is `/history`.
type HistoryPage struct {
	layout.Frame
	// Direction is "in", "out" or empty for both.
	Direction  string
	Operations []Operation
	// In and Out are the sums over all pages of the filter, without sign; Returned is
	// what refunded payments gave back, which is in neither.
	In, Out, Returned money.Amount
	// Count is the number of operations on all pages of the filter.
	Count int
	// NewerHref and OlderHref are empty on the first and last page.
	NewerHref, OlderHref string

	// Period is the period of the filter in words; empty: the whole life of the wallet,
	// without a filter.
	Period string
	// Filter has the fields of the filter as they were typed.
	Filter HistoryFilter
	// Periods are links to usual periods, with the other conditions.
	Periods []Option
	// Directions are the addresses of the three directions, with the other conditions:
	// both, in, out. Empty: without conditions.
	Directions []string
	// Months is the chart; empty: none.
	Months []Month
	// CSVHref and XLSXHref are the same operations as files; empty: none.
	CSVHref, XLSXHref string
	StatementHref     string
}

// HistoryFilter has the fields of a filter.
type HistoryFilter struct {
	From, To, Kind, Service, State, Query component.Input
	Kinds, Services, States               []Option
}

// Fail implements Form.
func (p *HistoryPage) Fail(field, message string) {
	f := &p.Filter
	fail(&p.Frame, message, field, map[string]*component.Input{
		"from": &f.From, "to": &f.To, "kind": &f.Kind, "service": &f.Service, "state": &f.State, "q": &f.Query,
	})
}

func (p HistoryPage) problems() []component.Problem {
	f := p.Filter
	return component.Problems(p.Problem, component.Named{Name: "from", Input: f.From}, component.Named{Name: "to", Input: f.To},
		component.Named{Name: "q", Input: f.Query}, component.Named{Name: "kind", Input: f.Kind},
		component.Named{Name: "service", Input: f.Service}, component.Named{Name: "state", Input: f.State})
}

// wrong reports whether a field of the filter is wrong: the fields are shown then.
func (p HistoryPage) wrong() bool { return len(p.problems()) > 0 }

// dateType is the type of a date's field. A browser shows no date that doesn't exist in a
// field for dates, and what was typed would be lost.
func dateType(in component.Input) string {
	if in.Error != "" {
		return "text"
	}
	return "date"
}

// directions returns the three directions with their addresses.
func (p HistoryPage) directions() []direction {
	list := make([]direction, len(directions))
	for i, d := range directions {
		list[i] = d
		if len(p.Directions) == len(directions) {
			list[i].href = p.Directions[i]
		}
	}
	return list
}

// Month is a month of the chart.
type Month struct {
	First   time.Time
	In, Out money.Amount
	Count   int
}

// name returns the month's name with its year: "Декабрь 2026".
func (m Month) name(f layout.Frame) string {
	return f.T("history.month.m"+strconv.Itoa(int(m.First.Month()))) + " " + strconv.Itoa(m.First.Year())
}

// short returns the first letters of the month's name.
func (m Month) short(f layout.Frame) string {
	return string([]rune(f.T("history.month.m" + strconv.Itoa(int(m.First.Month()))))[:3])
}

// The chart's measures, in its own units.
const (
	chartHeight = 120 // of the longest bar
	chartMonth  = 52  // width of a month
	chartBar    = 18
)

// bar is a bar of the chart.
type bar struct {
	class               string
	x, y, width, height int
}

func (b bar) text(n int) string { return strconv.Itoa(n) }

// chart is the months as bars: In and Out side by side.
type chart struct {
	bars   []bar
	months []Month
	width  int
}

func newChart(months []Month) chart {
	c := chart{months: months, width: chartMonth * len(months)}
	longest := money.Amount(1)
	for _, m := range months {
		longest = max(longest, m.In, m.Out)
	}
	for i, m := range months {
		left := i*chartMonth + (chartMonth-2*chartBar-4)/2
		for n, sum := range []money.Amount{m.In, m.Out} {
			height := int(float64(sum) / float64(longest) * chartHeight)
			if sum > 0 {
				height = max(height, 3)
			}
			c.bars = append(c.bars, bar{
				class: []string{"bar-in", "bar-out"}[n], x: left + n*(chartBar+4), y: 10 + chartHeight - height, width: chartBar, height: height,
			})
		}
	}
	return c
}

func (c chart) viewBox() string {
	return "0 0 " + strconv.Itoa(c.width) + " " + strconv.Itoa(chartHeight+40)
}

func (c chart) middle(i int) string { return strconv.Itoa(i*chartMonth + chartMonth/2) }

// StatementPage is `/statement`.
type StatementPage struct {
	layout.Frame
	From, To component.Input
	// Ready reports that the fields were accepted and the rest is set.
	Ready   bool
	Periods []Option
	// Period is the period in words; Made is when the statement was made.
	Period         string
	Made           time.Time
	Holder, Wallet string
	Opening        money.Amount
	In, Out        money.Amount
	Closing        money.Amount
	Count          int
	Operations     []Operation
	// OlderHref and NewestHref are empty on the last and first page.
	OlderHref, NewestHref string
	PDFHref               string
}

// Fail implements Form.
func (p *StatementPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"from": &p.From, "to": &p.To})
}

func (p StatementPage) problems() []component.Problem {
	return component.Problems(p.Problem, component.Named{Name: "from", Input: p.From}, component.Named{Name: "to", Input: p.To})
}

// operations returns a count in words.
func operationsInWords(f layout.Frame, n int) string {
	return f.T("portal.history.operations", i18n.Args{"Count": n})
}

func number(n int) string { return strconv.Itoa(n) }

// title is the title of the totals.
func (p HistoryPage) title() string {
	if p.Period != "" {
		return p.Period
	}
	return p.T("portal.history.ever")
}
