package page

import (
	"strconv"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// Template is a template in a list.
type Template struct {
	Name, Service string
	// Payee is the account holder's name, Number the whole account, Short what fits beside
	// a name; Payee may be empty.
	Payee, Number, Short string
	// Sum is the usual sum; 0: none.
	Sum money.Amount
	// PayHref is the form that it fills; empty: the service is no longer offered.
	PayHref, EditHref string
}

// TemplatesPage is `/templates?q=`.
type TemplatesPage struct {
	layout.Frame
	// Query is the search as typed; empty: all are shown.
	Query     string
	Templates []Template
	// Count is the number of all templates.
	Count int
}

// TemplatePage is `/receipt/ID/template`, which makes a template, and `/templates/ID`, which
// changes one. Posts name, amount and, of one that is changed, position to Href; nothing to
// DeleteHref.
type TemplatePage struct {
	layout.Frame
	Href, BackHref        string
	Service               string
	AccountLabel, Account string
	PayeeLabel, Payee     string
	Name, Amount          component.Input
	// Position is the place in the list of Count templates. Count is 0 for a new one, as
	// are DeleteHref and PayHref.
	Position            component.Input
	Count               int
	PayHref, DeleteHref string
	// Gone reports that the service is no longer offered.
	Gone bool
}

// searchFrom is the number of templates from which a search is shown.
const searchFrom = 8

func (p TemplatesPage) searched() bool { return p.Query != "" || p.Count >= searchFrom }

// payee returns the second line of a template: what its name doesn't say.
func (t Template) payee() string {
	if t.Payee == "" || t.Payee == t.Name {
		return t.Service
	}
	return t.Payee
}

// asServices returns the templates as services to pay.
func asServices(list []Template) []Service {
	rows := make([]Service, len(list))
	for i, t := range list {
		rows[i] = Service{Name: t.Name, Href: t.PayHref, Detail: t.payee() + " · " + t.Short, Sum: t.Sum}
	}
	return rows
}

// Fail implements Form.
func (p *TemplatePage) Fail(field, message string) {
	fail(&p.Frame, message, field, p.inputs())
}

func (p *TemplatePage) inputs() map[string]*component.Input {
	inputs := map[string]*component.Input{"name": &p.Name, "amount": &p.Amount}
	if p.Count > 0 {
		inputs["position"] = &p.Position
	}
	return inputs
}

func (p *TemplatePage) title() string {
	if p.Count > 0 {
		return p.T("template.edit")
	}
	return p.T("template.new")
}

func (p *TemplatePage) back() string {
	if p.Count > 0 {
		return p.T("template.title")
	}
	return p.T("portal.receipt.title")
}

func (p *TemplatePage) submit() string {
	if p.Count > 0 {
		return p.T("template.change")
	}
	return p.T("template.save")
}

func (p *TemplatePage) placeHint() string {
	return p.T("template.position_hint", i18n.Args{"Most": strconv.Itoa(p.Count)})
}
