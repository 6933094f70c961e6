package portal

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/payment"
	"elsom/internal/paytemplate"
	"elsom/templates/component"
	"elsom/templates/page"
	"elsom/web/session"
)

const templatesPath = "/templates"

// Templates lists the customer's templates, with ?q= those that match.
func (p *Portal) Templates(c echo.Context) error {
	list, err := p.services.Templates.List(ctx(c), holder(c).ID)
	if err != nil {
		return err
	}
	view := page.TemplatesPage{Frame: p.frame(c), Query: searchedFor(c), Count: len(list)}
	if view.Templates, err = p.templateRows(ctx(c), lang(c), paytemplate.Matching(list, view.Query)); err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// templateRow returns a template with the address of the form that it fills, which is empty
// for a service that is no longer offered.
func (p *Portal) templateRow(ctx context.Context, l i18n.Lang, t paytemplate.Template) (page.Template, error) {
	service, err := p.services.Catalog.ServiceOfRecord(ctx, t.Service)
	if err != nil {
		return page.Template{}, err
	}
	row := page.Template{
		Name: t.Name, Service: service.Name.In(string(l)), Payee: t.Payee, Number: pretty(service, t.Identifier), Short: shortAccount(service, t.Identifier), Sum: t.Amount,
		EditHref: templateHref(t.ID),
	}
	//mutant:replace err == nil => true ./web TestTemplateOfAServiceThatIsGone
	if _, err := p.services.Catalog.Service(ctx, t.Service); err == nil {
		row.PayHref = payHref(t.Service) + "?template=" + strconv.FormatInt(t.ID, 10)
	} else if !fault.Is(err, fault.NotFound) {
		return page.Template{}, err
	}
	return row, nil
}

// ShowNewTemplate shows the form that makes a template of a completed payment.
func (p *Portal) ShowNewTemplate(c echo.Context) error {
	paid, service, err := p.templatePayment(c)
	if err != nil {
		return err
	}
	list, err := p.services.Templates.List(ctx(c), holder(c).ID)
	if err != nil {
		return err
	}
	if before, ok := paytemplate.Of(list, paid.Service, paid.Identifier); ok {
		session.Of(c).Flash(lang(c).T("flash.template_exists"))
		return redirect(c, templateHref(before.ID))
	}
	view := p.newTemplatePage(c, paid, service)
	view.Name.Value = firstLetters(cmp.Or(paid.Payee, view.Service), paytemplate.MaxName)
	view.Amount.Value = paid.Amount.Plain()
	return render(c, http.StatusOK, view)
}

// SaveTemplate makes a template of a completed payment.
func (p *Portal) SaveTemplate(c echo.Context) error {
	paid, service, err := p.templatePayment(c)
	if err != nil {
		return err
	}
	return p.submit(c, func() (form, error) {
		view := p.newTemplatePage(c, paid, service)
		view.Name, view.Amount = typed(c, "name"), typed(c, "amount")
		return view, nil
	}, func() (string, error) {
		saved, made, err := p.services.Templates.Save(committed(c), paytemplate.Template{
			CustomerID: holder(c).ID, Service: paid.Service, Identifier: paid.Identifier, Payee: paid.Payee,
		}, typedTemplate(c))
		if err != nil {
			return "", err
		}
		if !made {
			session.Of(c).Flash(lang(c).T("flash.template_exists"))
			return templateHref(saved.ID), nil
		}
		session.Of(c).Flash(lang(c).T("flash.template_saved"))
		return templatesPath, nil
	})
}

// templatePayment returns the completed payment of the address and its service;
// fault.NotFound for others, and for a service that is no longer offered.
func (p *Portal) templatePayment(c echo.Context) (payment.Payment, catalog.Service, error) {
	paid, err := p.ownPayment(c)
	//mutant:replace err == nil && paid.State != payment.Completed => false ./web TestTemplateOfAPaymentThatFailed
	if err == nil && paid.State != payment.Completed {
		err = fault.New(fault.NotFound, "portal.template", "")
	}
	if err != nil {
		return paid, catalog.Service{}, err
	}
	service, err := p.services.Catalog.Service(ctx(c), paid.Service)
	return paid, service, err
}

func (p *Portal) newTemplatePage(c echo.Context, paid payment.Payment, service catalog.Service) *page.TemplatePage {
	view := p.templatePage(c, service, paid.Identifier, paid.Payee)
	view.Href, view.BackHref = newTemplateHref(paid.ID), receiptHref(paid.ID)
	return view
}

func (p *Portal) templatePage(c echo.Context, service catalog.Service, identifier, payee string) *page.TemplatePage {
	l := lang(c)
	return &page.TemplatePage{
		Frame: p.frame(c), Service: service.Name.In(string(l)), AccountLabel: service.Label.In(string(l)), Account: pretty(service, identifier),
		PayeeLabel: payeeLabel(l, service), Payee: payee, Position: component.Input{Value: "1"},
	}
}

// ShowTemplate shows the form that changes a template.
func (p *Portal) ShowTemplate(c echo.Context) error {
	view, err := p.changeTemplatePage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// ChangeTemplate changes a template.
func (p *Portal) ChangeTemplate(c echo.Context) error {
	view, err := p.changeTemplatePage(c)
	if err != nil {
		return err
	}
	return p.submit(c, func() (form, error) {
		view.Name, view.Amount, view.Position = typed(c, "name"), typed(c, "amount"), typed(c, "position")
		return view, nil
	}, func() (string, error) {
		if err := p.services.Templates.Change(committed(c), holder(c).ID, templateID(c), typedTemplate(c)); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.template_changed"))
		return templatesPath, nil
	})
}

// DeleteTemplate deletes a template.
func (p *Portal) DeleteTemplate(c echo.Context) error {
	if err := p.services.Templates.Delete(committed(c), holder(c).ID, templateID(c)); err != nil {
		return err
	}
	session.Of(c).Flash(lang(c).T("flash.template_deleted"))
	return redirect(c, templatesPath)
}

// changeTemplatePage returns the form filled with the template of the address.
func (p *Portal) changeTemplatePage(c echo.Context) (*page.TemplatePage, error) {
	list, err := p.services.Templates.List(ctx(c), holder(c).ID)
	if err != nil {
		return nil, err
	}
	t, place, ok := paytemplate.Find(list, templateID(c))
	if !ok {
		return nil, fault.New(fault.NotFound, "portal.template", "")
	}
	service, err := p.services.Catalog.ServiceOfRecord(ctx(c), t.Service)
	if err != nil {
		return nil, err
	}
	row, err := p.templateRow(ctx(c), lang(c), t)
	if err != nil {
		return nil, err
	}
	view := p.templatePage(c, service, t.Identifier, t.Payee)
	view.Href, view.BackHref, view.PayHref, view.DeleteHref = row.EditHref, templatesPath, row.PayHref, row.EditHref+"/delete"
	view.Gone, view.Count = row.PayHref == "", len(list)
	view.Name.Value, view.Position.Value = t.Name, strconv.Itoa(place)
	if t.Amount > 0 {
		view.Amount.Value = t.Amount.Plain()
	}
	return view, nil
}

func typedTemplate(c echo.Context) paytemplate.Typed {
	return paytemplate.Typed{Name: c.FormValue("name"), Amount: c.FormValue("amount"), Position: c.FormValue("position")}
}

// templateID returns the id in the address; 0, which no template has, for another text.
func templateID(c echo.Context) int64 {
	id, _ := strconv.ParseInt(c.Param("template"), 10, 64)
	return id
}

// fillTemplate fills a service's form with the customer's template that ?template= names.
func (p *Portal) fillTemplate(c echo.Context, view *page.PayPage) error {
	list, err := p.services.Templates.List(ctx(c), holder(c).ID)
	if err != nil {
		return err
	}
	id, _ := strconv.ParseInt(c.QueryParam("template"), 10, 64)
	if t, _, ok := paytemplate.Find(list, id); ok && t.Service == view.Code {
		view.Account.Value = t.Identifier
		if t.Amount > 0 {
			view.Amount.Value = t.Amount.Plain()
		}
	}
	return nil
}

// firstLetters returns a text of up to n characters.
func firstLetters(text string, n int) string {
	letters := []rune(text)
	return string(letters[:min(n, len(letters))])
}

func templateHref(id int64) string { return templatesPath + "/" + strconv.FormatInt(id, 10) }

func newTemplateHref(payment int64) string { return receiptHref(payment) + "/template" }
