// Package portal serves the pages of a customer's browser, one file per
// operation.
//
// A handler parses the form, calls the application service, and redirects or
// renders one page. A refused form is shown again with everything that was
// typed, and every page works without scripts. The package contains no SQL and
// uses neither the ledger nor a biller directly.
package portal

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/history"
	"elsom/internal/i18n"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/paylist"
	"elsom/internal/payment"
	"elsom/internal/paytemplate"
	"elsom/internal/receiptlink"
	"elsom/internal/securitylog"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
	"elsom/templates/layout"
	"elsom/web/session"
)

// Services are the application services that the portal calls.
type Services struct {
	Customers *customer.Customers
	Wallets   *wallet.Wallets
	History   *history.History
	Transfers *transfer.Transfers
	Closing   *wallet.Closing
	Payments  *payment.Payments
	Catalog   *catalog.Catalog
	Agents    *cashin.Agents
	Messages  *sms.Messages
	Sessions  *session.Sessions
	Links     *receiptlink.Links
	Templates *paytemplate.Templates
	Lists     *paylist.Lists
	// Security has the logins; nil: none are shown.
	Security *securitylog.Log
	// Notices sends push notifications; nil if they are switched off.
	Notices *push.Subscriptions
	// Proof returns the receipt of a payment as a file that proves itself;
	// fault.NotFound if it is not ready. Nil without a key for checkpoints.
	Proof func(ctx context.Context, payment int64) ([]byte, error)
	// Sealed returns what the signed log proves of a payment; fault.NotFound if it isn't
	// in the log yet. Nil without a key for checkpoints.
	Sealed func(ctx context.Context, payment int64) (payment.Seal, error)
	// BaseURL is the site's public address, for links that leave it.
	BaseURL string
	// Now is the clock.
	Now func() time.Time
	// Development adds links to the handset and the terminal.
	Development bool
}

// Portal holds the handlers.
type Portal struct {
	services Services
	workers  sync.Map // service worker sources by language
	exports  exports
}

// New returns the portal's handlers.
func New(services Services) *Portal { return &Portal{services: services} }

// frame returns what the layout shows on every page. It takes the flash message,
// so it is called once per response.
func (p *Portal) frame(c echo.Context) layout.Frame {
	s := session.Of(c)
	frame := layout.Frame{
		Lang:      lang(c),
		CSRF:      s.CSRF(),
		Path:      c.Request().URL.RequestURI(),
		Flash:     s.TakeFlash(),
		Note:      endedNote(c),
		Dev:       p.services.Development,
		RequestID: c.Response().Header().Get(echo.HeaderXRequestID),

		Installable: true,
	}
	if holder, ok := s.Customer(); ok {
		frame.Person = holder.Phone.Pretty()
		frame.IdleSeconds = int(session.Idle / time.Second)
	}
	return frame
}

// render stores the session and sends a page.
func render(c echo.Context, status int, view interface{ Page() templ.Component }) error {
	if status >= http.StatusBadRequest {
		session.Of(c).Refuse()
	}
	if err := session.Of(c).Save(); err != nil { // before the first byte: it may set a cookie
		return err
	}
	return send(c, status, view)
}

// send renders a page into a buffer first, so that an error never leaves half a
// page.
func send(c echo.Context, status int, view interface{ Page() templ.Component }) error {
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

// text returns the user's text for a fault; empty if the fault has none.
func text(lang i18n.Lang, f *fault.Error) string {
	if f.Reason == "" {
		return ""
	}
	return lang.T(string(f.Reason), i18n.Args(f.Args))
}

// holder returns the signed-in customer. Routes behind RequireCustomer have one.
func holder(c echo.Context) customer.Customer {
	holder, _ := session.Of(c).Customer()
	return holder
}

// origin returns the address and the browser of a request, for rate limits.
func origin(c echo.Context) customer.Origin {
	return customer.Origin{Address: c.RealIP(), Device: session.Of(c).Device(), Session: session.Of(c).Key()}
}

// ctx returns the request's context, which is canceled when the browser disconnects.
func ctx(c echo.Context) context.Context { return c.Request().Context() }

// committed returns a context that outlives the request, for operations that
// must not stop half-way when the browser disconnects.
func committed(c echo.Context) context.Context { return context.WithoutCancel(ctx(c)) }
