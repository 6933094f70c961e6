// Package portal is the door for a wallet holder's browser: one file per act.
//
// A handler reads the form into the act's request, calls the act, and answers
// with a redirect or one page. It promises that nothing typed is lost when an
// act refuses it, and that every page works without scripts. It knows no SQL,
// no books and no biller.
package portal

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/payment"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
	"elsom/templates/component"
	"elsom/templates/layout"
	"elsom/templates/page"
	"elsom/web/session"
)

// Parts are the acts that the portal opens the door to.
type Parts struct {
	Customers *customer.Customers
	Wallets   *wallet.Wallets
	Transfers *transfer.Transfers
	Closing   *wallet.Closing
	Payments  *payment.Payments
	Catalog   *catalog.Catalog
	Agents    *cashin.Agents
	Messages  *sms.Messages
	Sessions  *session.Sessions
	// Notices tells browsers of payments; nil: nobody does.
	Notices *push.Notices
	// Now is the clock.
	Now func() time.Time
	// Development shows the links to the handset and the terminal.
	Development bool
}

// Portal is the door.
type Portal struct {
	Parts
	workers sync.Map // language → the worker that speaks it
}

// New opens the door to parts.
func New(parts Parts) *Portal { return &Portal{Parts: parts} }

// frame is what every page's frame has to know of the request.
func (p *Portal) frame(c echo.Context) layout.Frame {
	s := session.Of(c)
	frame := layout.Frame{
		Lang:      p.lang(c),
		CSRF:      s.CSRF(),
		Path:      c.Request().URL.RequestURI(),
		Flash:     s.TakeFlash(),
		Note:      p.note(c),
		Dev:       p.Development,
		RequestID: c.Response().Header().Get(echo.HeaderXRequestID),

		Installable: true,
	}
	if holder, ok := s.Customer(); ok {
		frame.Person = holder.Phone.Pretty()
		frame.IdleSeconds = int(session.Idle / time.Second)
	}
	return frame
}

func (p *Portal) lang(c echo.Context) i18n.Lang {
	lang, _ := i18n.Parse(session.Of(c).Lang())
	return lang
}

// render sends a page, whole or not at all.
func render(c echo.Context, status int, view interface{ Page() templ.Component }) error {
	if status >= http.StatusBadRequest {
		session.Of(c).Refuse()
	}
	if err := session.Of(c).Save(); err != nil { // before the first byte: it may set a cookie
		return err
	}
	c.Response().Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	buffer := templ.GetBuffer()
	defer templ.ReleaseBuffer(buffer)
	if err := view.Page().Render(c.Request().Context(), buffer); err != nil {
		return fault.Wrap("portal.render", err)
	}
	return c.HTMLBlob(status, buffer.Bytes())
}

func redirect(c echo.Context, address string) error {
	if err := session.Of(c).Save(); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// form is a page on which something typed can be wrong.
type form interface {
	page.Form
	Page() templ.Component
}

// refused shows the form again with what was typed and what is wrong with it.
// What is nobody's typing goes on to the door's error page.
func (p *Portal) refused(c echo.Context, view form, err error) error {
	status := http.StatusUnprocessableEntity
	for _, f := range fault.All(err) {
		switch f.Kind {
		case fault.TooMany:
			status = http.StatusTooManyRequests
			retryAfter(c, f)
		case fault.Invalid, fault.Insufficient, fault.Limit, fault.Conflict, fault.Forbidden:
			if f.Message == "" {
				return err
			}
		default:
			return err
		}
		view.Fail(f.Field, words(p.lang(c), f))
		if f.Kind == fault.Limit && f.Message != "wallet.receiver_full" { // the holder's own
			view.LeadTo("/limits", p.lang(c).T("limits.link"))
		}
	}
	return render(c, status, view)
}

// words are what a person is told of a fault.
func words(lang i18n.Lang, f *fault.Error) string {
	if f.Message == "" {
		return ""
	}
	return lang.T(f.Message, i18n.Args(f.Args))
}

// switched answers a form that was posted by the language switch: the language
// is kept, the page comes back as it was typed, and nothing else happens.
func (p *Portal) switched(c echo.Context) bool {
	lang, ok := i18n.Parse(c.FormValue(layout.SwitchField))
	if !ok {
		return false
	}
	p.keepLanguage(c, lang)
	return true
}

func (p *Portal) keepLanguage(c echo.Context, lang i18n.Lang) {
	s := session.Of(c)
	s.SetLang(string(lang))
	if holder, ok := s.Customer(); ok && holder.Lang != string(lang) {
		if err := p.Customers.SetLanguage(c.Request().Context(), holder.ID, string(lang)); err != nil {
			slog.WarnContext(ctx(c), "portal: language not kept", "customer", holder.ID, "error", err)
		}
	}
}

// Language keeps the language that a link asked for and shows the page in it.
func (p *Portal) Language(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodGet {
			if lang, ok := i18n.Parse(c.QueryParam("lang")); ok {
				p.keepLanguage(c, lang)
			}
		}
		return next(c)
	}
}

// holder is who is signed in; the routes behind RequireCustomer have one.
func holder(c echo.Context) customer.Customer {
	who, _ := session.Of(c).Customer()
	return who
}

func ctx(c echo.Context) context.Context { return c.Request().Context() }

// committed is for acts that must not stop half-way because a browser left.
func committed(c echo.Context) context.Context { return context.WithoutCancel(ctx(c)) }

// typed is a field as it is given back; acts get what was really sent.
func typed(c echo.Context, name string) component.Input {
	return component.Input{Value: strings.ToValidUTF8(c.FormValue(name), "\uFFFD")}
}
