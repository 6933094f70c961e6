package document

import (
	"io"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/internal/pdf"
	"elsom/templates/component"
	"elsom/templates/page"
)

// Statement writes a statement as PDF; its operations are those of the whole period,
// oldest first.
func Statement(w io.Writer, p page.StatementPage) error {
	l := p.Language()
	d := pdf.New(pdf.Options{
		Size: pdf.A4, Lang: string(l), At: p.Made, Author: l.T("statement.issuer_name"),
		Title: l.T("statement.title") + " " + p.Period,
		Head:  l.T("frame.brand"), HeadRight: l.T("statement.title") + " · " + p.Wallet,
		Foot: l.T("statement.foot"),
	})
	d.Text(pdf.Heading, l.T("statement.title"))
	d.Text(pdf.Section, l.T("statement.period", i18n.Args{"Period": p.Period}))
	d.Space(4)
	facts := []pdf.Fact{{Label: l.T("statement.issuer"), Value: l.T("statement.issuer_name")}}
	if p.Holder != "" {
		facts = append(facts, pdf.Fact{Label: l.T("statement.holder"), Value: p.Holder})
	}
	d.Facts(append(facts,
		pdf.Fact{Label: l.T("statement.wallet"), Value: p.Wallet},
		pdf.Fact{Label: l.T("statement.made"), Value: component.Stamp(p.Made) + " " + component.Zone(l, p.Made)},
	))
	d.Rule()
	som := func(a money.Amount) string { return a.Group() + "\u00a0" + l.T("component.som") }
	d.Facts([]pdf.Fact{
		{Label: l.T("statement.opening"), Value: som(p.Opening)},
		{Label: l.T("portal.history.sum_in"), Value: som(p.In)},
		{Label: l.T("portal.history.sum_out"), Value: som(p.Out)},
		{Label: l.T("statement.closing"), Value: som(p.Closing), Bold: true},
	})
	d.Space(3)
	d.Text(pdf.Section, l.T("portal.history.operations", i18n.Args{"Count": p.Count}))
	d.Space(1)
	if len(p.Operations) == 0 {
		d.Text(pdf.Body, l.T("statement.none"))
	} else {
		operations(d, l, p.Operations)
	}
	d.Text(pdf.Small, l.T("statement.hint"))
	_, err := d.WriteTo(w)
	return err
}

// operations draws the table of operations.
func operations(d *pdf.Document, l i18n.Lang, list []page.Operation) {
	table := d.Table([]pdf.Column{
		{Title: l.T("history.col.at"), Share: 0.17}, {Title: l.T("history.col.what"), Share: 0.25},
		{Title: l.T("history.col.who"), Share: 0.23}, {Title: l.T("history.col.number"), Share: 0.2},
		{Title: l.T("history.col.sum"), Share: 0.15, Align: pdf.Right},
	})
	for _, o := range list {
		what := o.Name
		if kind := l.T("portal.kind." + string(o.Kind)); o.Kind != page.Payment {
			what = kind + ": " + what
		}
		table.Row(component.Stamp(o.At), what, o.Party, o.Number, o.Amount.Group())
	}
	table.End()
}
