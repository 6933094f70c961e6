package portal

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/transfer"
	"elsom/templates/component"
	"elsom/templates/page"
)

// form is a page with a form; Fail puts an error beside a field.
type form interface {
	page.Form
	Page() templ.Component
}

// built returns view as a page for refused, which has been built already.
func built(view form) func() (form, error) { return func() (form, error) { return view, nil } }

// submit handles a posted form. do calls the service and returns the address to
// continue at. The page is built only if it is shown: after do was refused
// (422, with errors and the typed values) or when the language switch posted
// the form (200, without calling do).
func (p *Portal) submit(c echo.Context, page func() (form, error), do func() (next string, err error)) error {
	//mutant:drop ./web TestLanguageSwitchKeepsTypedValues
	if languageSwitched(c) {
		view, err := page()
		if err != nil {
			return err
		}
		return render(c, http.StatusOK, view)
	}
	next, err := do()
	if err != nil {
		return p.refused(c, page, err)
	}
	return redirect(c, next)
}

// refused shows the form again with the faults of err at their fields. A fault
// that the user can't correct is returned for the error page.
func (p *Portal) refused(c echo.Context, page func() (form, error), err error) error {
	faults := fault.All(err)
	status := http.StatusUnprocessableEntity
	for _, f := range faults {
		switch f.Kind {
		case fault.TooMany:
			status = http.StatusTooManyRequests
		case fault.Invalid, fault.Insufficient, fault.Limit, fault.Conflict, fault.Forbidden:
			if f.Reason == "" {
				return err
			}
		default:
			return err
		}
	}
	view, pageErr := page()
	if pageErr != nil {
		return pageErr
	}
	for _, f := range faults {
		if f.Kind == fault.TooMany {
			retryAfter(c, f)
		}
		view.Fail(f.Field, text(lang(c), f))
		switch {
		case f.Kind == fault.Limit && f.Reason != transfer.ReceiverFull:
			view.AddLink("/limits", lang(c).T("limits.link"))
		//mutant:drop ./web TestSecondLook
		case f.Kind == fault.Insufficient:
			view.AddLink(fillHref(cmp.Or(c.Param("service"), transferForm)), lang(c).T("portal.check.fill"))
		}
	}
	return render(c, status, view)
}

// typed returns a posted value for the form that is shown again. Invalid UTF-8 is
// replaced for display only; services get the value as it was sent.
func typed(c echo.Context, name string) component.Input {
	return component.Input{Value: strings.ToValidUTF8(c.FormValue(name), "\uFFFD")}
}
