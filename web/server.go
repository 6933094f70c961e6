// Package web is the HTTP server: the routes of every handler group and the
// middleware in front of them.
//
// All routes are in this file. An error is answered by the group that it happened
// in, as a page or as plain text, and a panic ends its request only.
package web

import (
	"log"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/securitylog"
	"elsom/static"
	"elsom/web/portal"
	"elsom/web/session"
	"elsom/web/smsreceipt"
	"elsom/web/terminal"
	"elsom/web/ussd"
)

// Handlers are the handler groups of the server and its settings.
type Handlers struct {
	Portal   *portal.Portal
	Terminal *terminal.Handler
	USSD     *ussd.Handler
	Receipts *smsreceipt.Handler
	Dev      Development // nil outside development
	Sessions *session.Sessions
	// Healthy answers the health check.
	Healthy func(c echo.Context) error
	// Checkpoint answers with the newest checkpoint of the log.
	Checkpoint func(c echo.Context) error
	// Observe is called after each request, for metrics; may be nil.
	Observe func(Request)
	// SecurityLog gets refused machines, forged forms and exhausted limits; may be nil.
	SecurityLog *securitylog.Log
	// Limits bounds the requests in flight; zero values mean the defaults.
	Limits Limits
	// TrustedProxies are the networks whose X-Forwarded-For and X-Forwarded-Proto
	// are trusted.
	TrustedProxies []netip.Prefix
	// HTTPS reports whether the site is reached over TLS, at BaseURL.
	HTTPS   bool
	BaseURL string
}

// Development are the pages of development mode.
type Development interface{ Routes(g *echo.Group) }

// New returns the server with all routes.
func New(h Handlers) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(log.Writer()) // Echo's messages in our log
	trusted := proxies(h.TrustedProxies)
	e.IPExtractor = trusted.client()
	e.HTTPErrorHandler = pageErrors(h.Portal)
	e.Server.ReadHeaderTimeout = 10 * time.Second
	e.Server.ReadTimeout = 30 * time.Second
	e.Server.WriteTimeout = 60 * time.Second
	e.Server.IdleTimeout = 2 * time.Minute
	e.Server.MaxHeaderBytes = 32 << 10

	// In this order: the id is in every log line, the log line covers a recovered
	// panic, and the headers are set on the page of a panic too.
	//mutant:replace recoverPanics(), => TestPanicEndsARequestOnly
	e.Use(dropRequestID, requestIDs(), logRequests(h.Observe), recoverPanics(), headers(h.HTTPS))
	limits := h.Limits.orDefault()
	bodies := &bodyBudget{capacity: limits.Bodies}
	h.public(e, trusted, limits)
	//mutant:replace &bodyBudget{capacity: limits.Bodies} => bodies TestBrowserBodiesDoNotBlockMachines
	h.machines(e, trusted, limits, &bodyBudget{capacity: limits.Bodies})
	h.browser(e, trusted, limits, bodies)
	return e
}

// public adds the routes that need no session: health check, the log's checkpoint,
// static files, and the files of the installed application, which are the same for all
// visitors.
func (h Handlers) public(e *echo.Echo, trusted proxies, limits Limits) {
	// Load balancers ask /healthz without TLS, and a program that is redirected would go
	// on unnoticed without it; neither answer is a secret.
	machines := pages{e.Group("", ignoreBody)}
	//mutant:replace machines.GET => pages{e.Group("", h.redirectToHTTPS(trusted), ignoreBody)}.GET TestPlainRequestsAreRedirectedToTLS
	machines.GET("/healthz", h.Healthy)
	pages{machines.Group.Group("", limited(limits.Machines, busyText))}.GET("/checkpoint", h.Checkpoint)
	public := pages{e.Group("", h.redirectToHTTPS(trusted), ignoreBody)}
	public.GET("/static/*", echo.WrapHandler(static.Handler()))
	public.GET("/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusFound, static.Path("icons/icon.svg")) })
	public.GET("/app/:manifest", h.Portal.Manifest)
	public.GET("/worker.js", h.Portal.Worker)
}

// machines adds the routes of terminals and gateways. They have HTTP Basic instead
// of session and CSRF token, checked before the body is read, and a body budget of
// their own, which browsers can't use up.
func (h Handlers) machines(e *echo.Echo, trusted proxies, limits Limits, bodies *bodyBudget) {
	capacity := limits.Machines
	//mutant:replace textErrors, => TestTerminalErrorsArePlainText
	g := e.Group("", h.requestSource(e.IPExtractor), h.recordMachines, noStore, textErrors, recoverPanics(), h.refusePlainHTTP(trusted))
	guarded := func(verify verification, body int64, busy echo.HandlerFunc) []echo.MiddlewareFunc {
		//mutant:replace verified(capacity, verify, busy), bodies.receive(body => bodies.receive(body, busy), verified(capacity, verify ./internal/e2e TestRejectWithoutReadingBody
		return []echo.MiddlewareFunc{verified(capacity, verify, busy), bodies.receive(body, busy), limited(capacity, busy)}
	}
	g.Match([]string{http.MethodGet, http.MethodPost}, "/osmp", h.Terminal.Handle, guarded(h.Terminal.Verify, terminalBody, h.Terminal.Overloaded)...)
	g.POST("/ussd", h.USSD.Handle, guarded(h.USSD.Verify, ussdBody, busyText)...)
	g.POST("/ussd/kannel", h.USSD.HandleKannel, guarded(h.USSD.VerifyKannel, ussdBody, busyText)...)
	g.GET("/sms/dlr", h.Receipts.Handle, guarded(h.Receipts.Verify, receiptBody, busyText)...)
}

// browser adds the pages. RequireCustomer runs before Guard: an ended session
// redirects to the login instead of failing the CSRF check. LanguageSwitch runs
// after Guard, since it changes something.
func (h Handlers) browser(e *echo.Echo, trusted proxies, limits Limits, bodies *bodyBudget) {
	busy := busyPage()
	inFlight := limitedByMethod(limits, busy)
	front := func(body int64) []echo.MiddlewareFunc {
		//mutant:replace noStore, bodies.receive(body, busy), inFlight, => noStore, inFlight, bodies.receive(body, busy), TestSlowSendersAreNotCounted
		return []echo.MiddlewareFunc{
			h.requestSource(e.IPExtractor), h.recordBrowsers, h.redirectToHTTPS(trusted),
			noStore, bodies.receive(body, busy), inFlight, compressed(),
			h.Sessions.Middleware(checkPath, transferPath), h.Portal.LanguageLink, h.Portal.Ended,
		}
	}
	browser := e.Group("", front(browserBody)...)
	//mutant:replace h.Sessions.Guard(), => TestEveryFormNeedsAToken
	visitorRoutes(pages{browser.Group("", h.Sessions.Guard(), h.Portal.LanguageSwitch)}, h.Portal)
	//mutant:replace h.Sessions.RequireCustomer(), => TestVisitorIsRedirectedToLogin
	//mutant:replace h.Sessions.Guard(), => TestFormsOfOtherSitesAreRefused
	customerRoutes(pages{browser.Group("", h.Portal.SignedOut, h.Sessions.RequireCustomer(), h.Sessions.Guard(), h.Portal.LanguageSwitch)}, h.Portal)
	uploads := e.Group("", front(uploadBody)...)
	uploads.POST("/pay/:service/list", h.Portal.MakeList, h.Portal.SignedOut, h.Sessions.RequireCustomer(), h.Sessions.Guard(), h.Portal.LanguageSwitch)
	if h.Dev != nil {
		h.Dev.Routes(browser.Group("/dev", h.Sessions.Guard()))
	}
	browser.RouteNotFound("/*", func(echo.Context) error { return fault.New(fault.NotFound, "web.route", "") })
}

// visitorRoutes are the pages that need no login.
func visitorRoutes(g pages, p *portal.Portal) {
	g.GET("/", p.ShowPhone)
	g.POST("/", p.Phone)
	g.GET("/login", p.ShowLogin)
	g.POST("/login", p.Login)
	g.GET("/login/code", p.ShowLoginCode)
	g.POST("/login/code", p.LoginCode)
	g.POST("/login/resend", p.ResendLoginCode)
	g.GET("/signup", p.ShowSignup)
	g.POST("/signup", p.Signup)
	g.GET("/confirm", p.ShowConfirm)
	g.POST("/confirm", p.Confirm)
	g.POST("/confirm/resend", p.ResendCode)
	g.GET("/reset", p.ShowReset)
	g.POST("/reset", p.Reset)
	g.GET("/reset/confirm", p.ShowResetConfirm)
	g.POST("/reset/confirm", p.ResetConfirm)
	g.GET("/offer", p.Offer)
	g.GET("/fill", p.Fill)
	g.GET("/help", p.Help)
	g.GET("/verify", p.ShowVerify)
	g.POST("/verify", p.Verify)
	g.GET("/verify/:token", p.Verified)
	g.GET("/r/:token", p.Shared)
	g.GET("/closed", p.Closed)
	g.GET("/app", p.App)
	g.GET("/offline", p.Offline)
	g.POST("/logout", p.Logout)
}

// The paths of «Оплатить» and of a transfer's button, which prove their session.
const (
	checkPath    = "/check/:draft"
	transferPath = "/transfer/:draft"
)

// customerRoutes are the pages of a signed-in customer.
func customerRoutes(g pages, p *portal.Portal) {
	g.GET("/cabinet", p.Cabinet)
	g.GET("/history", p.History)
	g.GET("/history.csv", p.HistoryCSV)
	g.GET("/history.xlsx", p.HistoryXLSX)
	g.GET("/history/:id", p.Operation)
	g.GET("/statement", p.Statement)
	g.GET("/statement.pdf", p.StatementPDF)
	g.GET("/services", p.Services)
	g.GET("/services/:category", p.Category)
	g.GET("/pay/:service", p.ShowPay)
	g.POST("/pay/:service", p.Pay)
	g.GET("/pay/:service/list", p.ShowListForm)
	g.GET("/lists/:list", p.List)
	g.POST("/lists/:list", p.AcceptList)
	g.GET("/lists/:list/confirm", p.ShowConfirmList)
	g.POST("/lists/:list/confirm", p.ConfirmList)
	g.POST("/lists/:list/resend", p.ResendListCode)
	//mutant:replace ShowCheck => Accept TestLinksChangeNothing
	g.GET("/check/:draft", p.ShowCheck)
	g.POST(checkPath, p.Accept)
	g.GET("/check/:draft/confirm", p.ShowConfirmPayment)
	g.POST("/check/:draft/confirm", p.ConfirmPayment)
	g.POST("/check/:draft/resend", p.ResendPaymentCode)
	g.GET("/receipt/:payment", p.Receipt)
	g.GET("/receipt/:payment/proof", p.Proof)
	g.GET("/receipt/:payment/share", p.ShowShare)
	g.POST("/receipt/:payment/share", p.Share)
	g.GET("/receipt/:payment/share/end", p.ShowShare) // the form's page, when it is reloaded
	g.POST("/receipt/:payment/share/end", p.EndShare)
	g.GET("/receipt/:payment/template", p.ShowNewTemplate)
	g.POST("/receipt/:payment/template", p.SaveTemplate)
	g.GET("/templates", p.Templates)
	g.GET("/templates/:template", p.ShowTemplate)
	g.POST("/templates/:template", p.ChangeTemplate)
	g.GET("/templates/:template/delete", p.ShowTemplate) // the form's page, when it is reloaded
	g.POST("/templates/:template/delete", p.DeleteTemplate)
	g.GET("/receipt/:payment/email", p.Receipt) // the form's page, when it is reloaded
	g.POST("/receipt/:payment/email", p.MailReceipt)
	g.GET("/transfer", p.ShowTransfer)
	g.POST("/transfer", p.Transfer)
	g.GET("/transfer/:draft", p.ShowTransferCheck)
	g.POST(transferPath, p.AcceptTransfer)
	g.GET("/transfer/:draft/confirm", p.ShowConfirmTransfer)
	g.POST("/transfer/:draft/confirm", p.ConfirmTransfer)
	g.POST("/transfer/:draft/resend", p.ResendTransferCode)
	g.GET("/transfer/done/:transfer", p.TransferReceipt)
	settingsRoutes(g, p)
}

// settingsRoutes are the pages of a signed-in customer's settings.
func settingsRoutes(g pages, p *portal.Portal) {
	g.GET("/settings", p.Settings)
	g.GET("/messages", p.Messages)
	g.POST("/language", p.ChooseLanguage)
	g.GET("/settings/password", p.Settings) // the form's page, when it is reloaded
	g.POST("/settings/password", p.ChangePassword)
	g.POST("/settings/sessions/end", p.EndSession)
	g.GET("/settings/notices", p.Settings)
	g.POST("/settings/notices", p.AllowNotices)
	g.POST("/settings/notices/end", p.EndNotices)
	g.GET("/settings/messages", p.ShowNotify)
	g.POST("/settings/messages", p.Notify)
	g.GET("/settings/logins", p.Logins)
	g.GET("/limits", p.Limits)
	g.GET("/settings/email", p.ShowEmail)
	g.POST("/settings/email", p.ChangeEmail)
	g.GET("/settings/email/confirm", p.ShowConfirmEmail)
	g.POST("/settings/email/confirm", p.ConfirmEmail)
	g.GET("/settings/email/send", p.ShowConfirmEmail) // the form's page, when it is reloaded
	g.POST("/settings/email/send", p.SendEmailCode)
	g.GET("/settings/close", p.ShowClose)
	g.POST("/settings/close", p.Close)
	g.GET("/settings/browser", p.ShowBrowserCode)
	g.POST("/settings/browser", p.BrowserCode)
	g.POST("/settings/browser/resend", p.ResendBrowserCode)
	g.GET("/settings/pin", p.ShowPIN)
	g.POST("/settings/pin", p.PIN)
	g.GET("/settings/pin/unlock", p.ShowUnlock)
	g.POST("/settings/pin/unlock", p.Unlock)
	g.GET("/settings/pin/code", p.ShowUnlock) // the form's page, when it is reloaded
	g.POST("/settings/pin/code", p.UnlockCode)
	g.POST("/settings/pin/resend", p.ResendUnlock)
}

// pages is a group whose GET routes answer HEAD too.
type pages struct{ *echo.Group }

// GET adds a route for GET and HEAD.
func (p pages) GET(path string, h echo.HandlerFunc) {
	p.Match([]string{http.MethodGet, http.MethodHead}, path, h)
}
