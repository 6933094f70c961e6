package portal

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/templates/component"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowPay shows a service's form: empty, with what a draft holds («Назад»),
// or with what an earlier payment was made for. Nothing is sent by itself.
func (p *Portal) ShowPay(c echo.Context) error {
	view, err := p.payPage(c)
	if err != nil {
		return err
	}
	switch {
	case c.QueryParam("draft") != "":
		if draft, ok := p.draftOf(c, view, c.QueryParam("draft")); ok && !p.paid(c, draft.ID) {
			view.Account.Value, view.Amount.Value = draft.Identifier, draft.Amount.Plain()
		}
	case c.QueryParam("repeat") != "":
		if id, err := strconv.ParseInt(c.QueryParam("repeat"), 10, 64); err == nil {
			if paid, err := p.Payments.ByID(ctx(c), holder(c).ID, id); err == nil && paid.Service == view.Code && paid.State != payment.Processing {
				view.Account.Value, view.Amount.Value = paid.Identifier, paid.Amount.Plain()
			}
		}
	default:
		// The browser's own Back gets the form anew: what was typed is kept,
		// until something is paid for the service.
		since := func(at time.Time) (bool, error) {
			return p.Payments.AcceptedSince(ctx(c), holder(c).ID, view.Code, at)
		}
		if draft, ok := p.draftOf(c, view, session.Of(c).Get(lastDraft)); ok && unspent(draft.MadeAt, since) {
			view.Account.Value, view.Amount.Value = draft.Identifier, draft.Amount.Plain()
		}
		takeTyped(c, view.Code, &view.Account, &view.Amount, since)
	}
	return render(c, http.StatusOK, view)
}

// A form that came too late, or before the money, is not accepted, but what was
// typed into it waits in the session for the page that is opened anew.
const lateForm = "late"

// maxLate bounds what waits, in bytes.
const maxLate = 200

func (p *Portal) keepTyped(c echo.Context) {
	if late := p.lateValues(c); late != "" && holder(c).ID != 0 {
		session.Of(c).Set(lateForm, late)
	}
}

// lateValues returns the values of a posted payment or transfer form in one
// string; empty for other requests and for oversized values.
func (p *Portal) lateValues(c echo.Context) string {
	var form, to string
	switch c.Path() {
	case "/pay/:service":
		form, to = c.Param("service"), c.FormValue("account")
	case transferPath:
		form, to = transferPath, c.FormValue("phone")
	}
	amount := c.FormValue("amount")
	if form == "" || c.Request().Method != http.MethodPost || len(to)+len(amount) > maxLate {
		return ""
	}
	return form + "\n" + strconv.FormatInt(p.Now().UnixMilli(), 10) + "\n" + to + "\n" + amount
}

// takeTyped fills a form once with the stored values, unless something was paid
// with such a form since.
func takeTyped(c echo.Context, form string, to, amount *component.Input, since func(time.Time) (bool, error)) {
	parts := strings.SplitN(session.Of(c).Get(lateForm), "\n", 4)
	if len(parts) < 4 || parts[0] != form {
		return
	}
	session.Of(c).Set(lateForm, "")
	if at, err := strconv.ParseInt(parts[1], 10, 64); err == nil && unspent(time.UnixMilli(at), since) {
		to.Value, amount.Value = parts[2], parts[3]
	}
}

// unspent reports whether certainly nothing was paid since at.
func unspent(at time.Time, since func(time.Time) (bool, error)) bool {
	paid, err := since(at)
	//mutant:replace !paid => (!paid || true) ./web TestFormIsEmptyAfterPaying
	return err == nil && !paid
}

// lastDraft is the session's name for the draft made last.
const lastDraft = "draft"

func (p *Portal) paid(c echo.Context, draft int64) bool {
	_, err := p.Payments.ByID(ctx(c), holder(c).ID, draft)
	return err == nil
}

// draftOf returns a draft of the holder for the page's service.
func (p *Portal) draftOf(c echo.Context, view *page.PayPage, text string) (payment.Draft, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return payment.Draft{}, false
	}
	draft, err := p.Payments.Draft(ctx(c), holder(c).ID, payment.Web, id)
	return draft, err == nil && draft.Service == view.Code
}

// Pay takes the form («Далее») and makes the draft that the check page shows.
func (p *Portal) Pay(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.payPage(c)
	if err != nil {
		return err
	}
	//mutant:drop ./web TestBadOrder
	view.Account, view.Amount = typed(c, "account"), typed(c, "amount")
	//mutant:drop ./web TestSwitchKeepsWhatWasTyped
	if switching {
		return render(c, http.StatusOK, view)
	}
	draft, err := p.Payments.Quote(ctx(c), holder(c), payment.Order{
		Service: view.Code, Identifier: c.FormValue("account"), Amount: c.FormValue("amount"),
		Channel: payment.Web, Address: c.RealIP(),
	})
	if err != nil {
		if fault.Is(err, fault.Insufficient) {
			p.keepTyped(c) // who goes to fill the wallet comes back to it
		}
		return p.refused(c, view, err)
	}
	session.Of(c).Set(lateForm, "")
	session.Of(c).Set(lastDraft, strconv.FormatInt(draft.ID, 10))
	return redirect(c, checkHref(draft.ID))
}

func (p *Portal) payPage(c echo.Context) (*page.PayPage, error) {
	service, err := p.Catalog.Service(ctx(c), c.Param("service"))
	if err != nil {
		return nil, err
	}
	category, err := p.Catalog.Category(ctx(c), service.Category)
	if err != nil {
		return nil, err
	}
	balance, err := p.Wallets.Balance(ctx(c), holder(c).ID)
	if err != nil {
		return nil, err
	}
	lang := string(p.lang(c))
	return &page.PayPage{
		Frame: p.frame(c), Code: service.Code, Service: service.Name.In(lang),
		CategoryName: category.Name.In(lang), CategoryHref: categoryHref(category.Code),
		AccountLabel: service.Label.In(lang), AccountHint: service.Hint.In(lang),
		INN: service.Identifier == catalog.KindINN, Balance: balance,
		Minimum: service.Minimum, Maximum: service.Maximum, Fee: page.FeeRule(service.Fee), Held: p.held(c),
	}, nil
}

func checkHref(draft int64) string { return "/check/" + strconv.FormatInt(draft, 10) }
