package portal

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/templates/page"
	"elsom/web/session"
)

// lastDraft is the session value that holds the id of the newest payment draft.
const lastDraft = "draft"

// ShowPay shows a service's form: empty, filled with a draft («Назад») or with an
// earlier payment («Повторить») or a template. It only fills the fields; the user still has to
// send the form.
func (p *Portal) ShowPay(c echo.Context) error {
	view, err := p.payPage(c)
	if err != nil {
		return err
	}
	switch {
	case c.QueryParam("draft") != "":
		if draft, ok := p.draftOf(c, view.Code, c.QueryParam("draft")); ok && !p.paid(c, draft.ID) {
			view.Account.Value, view.Amount.Value = draft.Identifier, draft.Amount.Plain()
		}
	case c.QueryParam("repeat") != "":
		if id, err := strconv.ParseInt(c.QueryParam("repeat"), 10, 64); err == nil {
			if paid, err := p.services.Payments.ByID(ctx(c), holder(c).ID, id); err == nil && paid.Service == view.Code && paid.State != payment.Processing {
				view.Account.Value, view.Amount.Value = paid.Identifier, paid.Amount.Plain()
			}
		}
	case c.QueryParam("template") != "":
		if err := p.fillTemplate(c, view); err != nil {
			return err
		}
	default:
		// The browser's Back button requests the form again: it keeps the typed
		// values until something is paid for the service.
		paidSince := func(at time.Time) (bool, error) {
			return p.services.Payments.AcceptedSince(ctx(c), holder(c).ID, view.Code, at)
		}
		if draft, ok := p.draftOf(c, view.Code, session.Of(c).Get(lastDraft)); ok && nonePaid(draft.MadeAt, paidSince) {
			view.Account.Value, view.Amount.Value = draft.Identifier, draft.Amount.Plain()
		}
		fillUnsent(c, view.Code, &view.Account, &view.Amount, paidSince)
	}
	return render(c, http.StatusOK, view)
}

// Pay handles the form («Далее») and creates the draft for the check page.
func (p *Portal) Pay(c echo.Context) error {
	return p.submit(c, func() (form, error) {
		view, err := p.payPage(c)
		if err != nil {
			return nil, err
		}
		//mutant:drop ./web TestInvalidOrder
		view.Account, view.Amount = typed(c, "account"), typed(c, "amount")
		return view, nil
	}, func() (string, error) {
		draft, err := p.services.Payments.Quote(ctx(c), holder(c), payment.Order{
			Service: c.Param("service"), Identifier: c.FormValue("account"), Amount: c.FormValue("amount"),
			Channel: customer.Web, Address: c.RealIP(),
		})
		if err != nil {
			if fault.Is(err, fault.Insufficient) {
				p.storeUnsent(c) // for the return from filling the wallet
			}
			return "", err
		}
		session.Of(c).Set(unsentForm, "")
		session.Of(c).Set(lastDraft, strconv.FormatInt(draft.ID, 10))
		return checkHref(draft.ID), nil
	})
}

func (p *Portal) payPage(c echo.Context) (*page.PayPage, error) {
	service, err := p.services.Catalog.Service(ctx(c), c.Param("service"))
	if err != nil {
		return nil, err
	}
	category, err := p.services.Catalog.Category(ctx(c), service.Category)
	if err != nil {
		return nil, err
	}
	balance, err := p.services.Wallets.Balance(ctx(c), holder(c).ID)
	if err != nil {
		return nil, err
	}
	lang := string(lang(c))
	return &page.PayPage{
		Frame: p.frame(c), Code: service.Code, Service: service.Name.In(lang),
		CategoryName: category.Name.In(lang), CategoryHref: categoryHref(category.Code),
		AccountLabel: service.Label.In(lang), AccountHint: service.Hint.In(lang),
		INN: service.Identifier == catalog.KindINN, Balance: balance,
		Minimum: service.Minimum, Maximum: service.Maximum, Fee: page.FeeRule(service.Fee), Held: p.holdNotice(c), FillHref: fillHref(service.Code),
	}, nil
}

// draftOf returns the customer's draft with the id in text if it is for service.
func (p *Portal) draftOf(c echo.Context, service, text string) (payment.Draft, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return payment.Draft{}, false
	}
	draft, err := p.services.Payments.Draft(ctx(c), holder(c).ID, customer.Web, id)
	return draft, err == nil && draft.Service == service
}

// paid reports whether the draft was paid.
func (p *Portal) paid(c echo.Context, draft int64) bool {
	_, err := p.services.Payments.ByID(ctx(c), holder(c).ID, draft)
	return err == nil
}

func payHref(code string) string { return "/pay/" + code }

func checkHref(draft int64) string { return "/check/" + strconv.FormatInt(draft, 10) }
