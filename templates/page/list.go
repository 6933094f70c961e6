package page

import (
	"strconv"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// ListFormPage is `/pay/CODE/list`. Posts list (a text) and file, of which the file counts.
type ListFormPage struct {
	layout.Frame
	Href, BackHref string
	Service        string
	List, File     component.Input
	// INN reports that accounts are ИНН.
	INN bool
	// TemplatesHref fills the list with the templates of the service.
	TemplatesHref string
	// Mending reports that the list is an earlier one that is being mended.
	Mending bool
	Held    string
}

// Fail implements Form.
func (p *ListFormPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"list": &p.List, "file": &p.File})
}

func (p *ListFormPage) example() string {
	if p.INN {
		return "00207199610017; 1240,50"
	}
	return "20451; 640"
}

// described returns the ids of a field's error and hint.
func described(name, wrong string) string {
	if wrong != "" {
		return name + "-error " + name + "-hint"
	}
	return name + "-hint"
}

// ListState is the state of a list of payments.
type ListState string

// The states. An expired list can't be confirmed any more.
const (
	ListChecking ListState = "checking"
	ListReady    ListState = "ready"
	ListExpired  ListState = "expired"
	ListPaying   ListState = "paying"
	ListDone     ListState = "done"
)

// ListLine is a line of a list.
type ListLine struct {
	Line int
	// Number is the account in readable form, or as typed if it is wrong.
	Number, Payee string
	Sum           string
	// Reason says why the line isn't paid; empty: it is.
	Reason string
	// Waiting lines are not checked, or not paid yet.
	Waiting bool
	// Status and ReceiptHref are of the line's payment; empty: there is none yet.
	Status      Status
	ReceiptHref string
}

// ListPage is `/lists/ID`. Posts pin if AskPIN is set, else nothing, to Path.
type ListPage struct {
	layout.Frame
	State   ListState
	Path    string
	Service string
	// AccountLabel and PayeeLabel are titles of columns.
	AccountLabel, PayeeLabel string
	// Lines are those that are paid, Wrong those that are not.
	Lines, Wrong []ListLine
	// Done of All lines are checked or paid.
	Done, All int
	// Amount, Fee and Total are the sums of Lines.
	Amount, Fee, Total money.Amount
	Wallet             string
	// Balance is the current balance; Short reports that the list can't be paid with it,
	// or not within the limits: Problem says why.
	Balance money.Amount
	Short   bool
	// MendHref is the form filled with the lines that are not paid, or with all.
	MendHref, FormHref string
	AskPIN             bool
	PIN                component.Input
	Held               string
}

// Fail implements Form.
func (p *ListPage) Fail(field, message string) {
	if !p.AskPIN {
		field = ""
	}
	fail(&p.Frame, message, field, map[string]*component.Input{"pin": &p.PIN})
}

func (p *ListPage) progress() string {
	return p.T("paylist.progress_"+string(p.State), i18n.Args{"Done": strconv.Itoa(p.Done), "All": strconv.Itoa(p.All)})
}

// payable reports whether the page has the button that pays.
func (p *ListPage) payable() bool {
	return p.State == ListReady && len(p.Lines) > 0 && !p.Short && p.Held == ""
}

// summed reports whether the page has totals.
func (p *ListPage) summed() bool { return p.State != ListChecking && len(p.Lines) > 0 }

func (p *ListPage) after() money.Amount { return p.Balance - p.Total }

// count returns the number of lines whose payment is in a state.
func (p *ListPage) count(s Status) (n int) {
	for _, l := range p.Lines {
		if l.Status == s {
			n++
		}
	}
	return n
}

// outcome is the title of a list that was paid.
func (p *ListPage) outcome() string {
	switch {
	case len(p.Lines) == 0:
		return p.T("paylist.outcome_none")
	case p.count(Completed) < len(p.Lines):
		return p.T("paylist.outcome_some", i18n.Args{"Done": strconv.Itoa(p.count(Completed)), "All": strconv.Itoa(len(p.Lines))})
	}
	return p.T("paylist.outcome_all")
}

func (p *ListPage) title() string {
	if p.State == ListDone {
		return p.outcome()
	}
	return p.T("paylist.title_" + string(p.State))
}

func (p *ListPage) back() string {
	if p.State == ListDone {
		return "/history"
	}
	return p.FormHref
}

func (p *ListPage) backName() string {
	if p.State == ListDone {
		return p.T("portal.history.title")
	}
	return p.T("paylist.form_title")
}
