// Package web is all the doors: which path leads where, and through what.
//
// It promises that every route stands on this page, that whatever goes wrong
// behind a door is answered in that door's own words, and that a panic ends a
// request and never the process.
package web

import (
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"elsom/internal/fault"
	"elsom/static"
	"elsom/web/portal"
	"elsom/web/session"
	"elsom/web/smsreceipt"
	"elsom/web/terminal"
	"elsom/web/ussd"
)

// Doors are what the server opens.
type Doors struct {
	Portal   *portal.Portal
	Terminal *terminal.Door
	USSD     *ussd.Door
	Receipts *smsreceipt.Door
	Dev      Development // nil outside development
	Sessions *session.Sessions
	// Healthy tells whether the process can serve.
	Healthy func(c echo.Context) error
	// Observe is told of each answered request; nil: nobody counts.
	Observe func(Answered)
	// Crowd is how many may be inside; the zero value means the usual.
	Crowd Crowd
	// TrustedProxies are those whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
	// HTTPS: people reach us over TLS, at BaseURL.
	HTTPS   bool
	BaseURL string
}

// Development are the pages for trying out.
type Development interface{ Routes(g *echo.Group) }

// The machine doors.
const (
	terminalPath = "/osmp"
	ussdPath     = "/ussd"
	kannelPath   = "/ussd/kannel"
	receiptPath  = "/sms/dlr"
)

var machine = map[string]bool{terminalPath: true, ussdPath: true, kannelPath: true, receiptPath: true}

// New lays the routes.
func New(d Doors) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(log.Writer()) // Echo's messages go into our log
	trusted := proxies(d.TrustedProxies)
	e.IPExtractor = trusted.client()
	e.HTTPErrorHandler = func(err error, c echo.Context) { answer(d, err, c) }
	e.Server.ReadHeaderTimeout = 10 * time.Second
	e.Server.ReadTimeout = 30 * time.Second
	e.Server.WriteTimeout = 60 * time.Second
	e.Server.IdleTimeout = 2 * time.Minute
	e.Server.MaxHeaderBytes = 32 << 10

	e.Use(unnumbered, middleware.RequestID(), logged(d.Observe), recovered, headers(d.HTTPS))

	if d.HTTPS {
		e.Use(encrypted(d.BaseURL, trusted))
	}
	public := pages{e.Group("", withoutBody)}
	public.GET("/healthz", d.Healthy)
	public.GET("/static/*", echo.WrapHandler(static.Handler()))
	public.GET("/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusFound, static.Path("icons/icon.svg")) })
	// The application's own files; they know nobody.
	public.GET("/app/:manifest", d.Portal.Manifest)
	public.GET("/worker.js", d.Portal.Worker)

	crowd := d.Crowd.orUsual()
	bodies := &bodyBudget{most: crowd.Bodies}
	//mutant:replace (e, crowd.Machines, &bodyBudget{most: crowd.Bodies}) => (e, crowd.Machines, bodies) TestStrangersBodiesKeepNoMachineOut
	d.machines(e, crowd.Machines, &bodyBudget{most: crowd.Bodies}) // which strangers can't use up

	// A browser's doors.
	busy := crowdedPage()
	//mutant:replace "", private, bodies.receive(browserBody, busy), crowdedBrowser(crowd, busy), => "", private, crowdedBrowser(crowd, busy), bodies.receive(browserBody, busy), TestSlowSendersCrowdNobody
	browser := e.Group("", private, bodies.receive(browserBody, busy), crowdedBrowser(crowd, busy), compressed(),
		d.Sessions.Middleware(), d.Portal.Language, d.Portal.Ended)
	//mutant:replace , d.Sessions.Guard() => TestEveryFormIsGuarded
	visitor(pages{browser.Group("", d.Sessions.Guard())}, d.Portal)
	// RequireCustomer runs before Guard: an ended session redirects to the login
	// instead of failing the CSRF check.
	//mutant:replace RequireCustomer(), d.Sessions. => TestNotSignedIn
	//mutant:replace , d.Sessions.Guard() => TestForeignForms
	holder(pages{browser.Group("", d.Portal.SignedOut, d.Sessions.RequireCustomer(), d.Sessions.Guard())}, d.Portal)
	if d.Dev != nil {
		d.Dev.Routes(browser.Group("/dev", d.Sessions.Guard()))
	}
	browser.RouteNotFound("/*", func(echo.Context) error { return fault.New(fault.NotFound, "web.route", "") })
	return e
}

// machines adds the routes of machines: HTTP Basic instead of session and CSRF
// token, checked before the body is read.
func (d Doors) machines(e *echo.Echo, most int, bodies *bodyBudget) {
	guarded := func(verify verification, body int64, busy echo.HandlerFunc) []echo.MiddlewareFunc {
		//mutant:replace verified(most, verify, busy), bodies.receive(body => bodies.receive(body, busy), verified(most, verify ./cmd/elsom TestRefusedWithoutReading
		return []echo.MiddlewareFunc{private, verified(most, verify, busy), bodies.receive(body, busy), crowded(most, busy)}
	}
	e.Match([]string{http.MethodGet, http.MethodPost}, terminalPath, d.Terminal.Handle, guarded(d.Terminal.Verify, terminalBody, d.Terminal.Crowded)...)
	e.POST(ussdPath, d.USSD.Handle, guarded(d.USSD.Verify, ussdBody, crowdedMachine)...)
	e.POST(kannelPath, d.USSD.HandleKannel, guarded(d.USSD.VerifyKannel, ussdBody, crowdedMachine)...)
	e.GET(receiptPath, d.Receipts.Handle, guarded(d.Receipts.Verify, receiptBody, crowdedMachine)...)
}

func visitor(g pages, p *portal.Portal) {
	g.GET("/", p.ShowPhone)
	g.POST("/", p.Phone)
	g.GET("/login", p.ShowLogin)
	g.POST("/login", p.Login)
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
	g.GET("/closed", p.Closed)
	g.GET("/app", p.App)
	g.GET("/offline", p.Offline)
	g.POST("/logout", p.Logout)
}

func holder(g pages, p *portal.Portal) {
	g.GET("/cabinet", p.Cabinet)
	g.GET("/history", p.History)
	g.GET("/history/:id", p.Operation)
	g.GET("/services", p.Services)
	g.GET("/services/:category", p.Category)
	g.GET("/pay/:service", p.ShowPay)
	g.POST("/pay/:service", p.Pay)
	g.GET("/check/:draft", p.ShowCheck)
	g.POST("/check/:draft", p.Accept)
	g.GET("/receipt/:payment", p.Receipt)
	g.GET("/transfer", p.ShowTransfer)
	g.POST("/transfer", p.Transfer)
	g.GET("/transfer/:draft", p.ShowTransferCheck)
	g.POST("/transfer/:draft", p.AcceptTransfer)
	g.GET("/transfer/done/:transfer", p.TransferReceipt)
	g.GET("/settings", p.Settings)
	g.GET("/messages", p.Messages)
	g.POST("/language", p.ChooseLanguage)
	g.GET("/settings/password", p.Settings) // the form's page, asked for again
	g.POST("/settings/password", p.ChangePassword)
	g.POST("/settings/sessions/end", p.EndSession)
	g.GET("/settings/notices", p.Settings)
	g.POST("/settings/notices", p.AllowNotices)
	g.POST("/settings/notices/end", p.EndNotices)
	g.GET("/limits", p.Limits)
	g.GET("/settings/email", p.ShowEmail)
	g.POST("/settings/email", p.ChangeEmail)
	g.GET("/settings/close", p.ShowClose)
	g.POST("/settings/close", p.Close)
	g.GET("/settings/pin", p.ShowPIN)
	g.POST("/settings/pin", p.PIN)
	g.GET("/settings/pin/unlock", p.ShowUnlock)
	g.POST("/settings/pin/unlock", p.Unlock)
	g.GET("/settings/pin/code", p.ShowUnlock) // the form's page, asked for again
	g.POST("/settings/pin/code", p.UnlockCode)
	g.POST("/settings/pin/resend", p.ResendUnlock)
}

// answer leads an error to its door's own words.
func answer(d Doors, err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	f := fault.As(err)
	var status int
	if machine[c.Path()] {
		status = answerMachine(c, err)
	} else {
		status = d.Portal.Error(c, err)
	}
	if status < http.StatusInternalServerError {
		return
	}
	level, event := slog.LevelError, "web: request failed"
	//mutant:drop TestAbortedRequestIsNoError
	if c.Request().Context().Err() != nil { // nobody waits for the answer, and nothing is broken
		level, event = slog.LevelInfo, "web: request aborted"
	}
	slog.Log(c.Request().Context(), level, event, "act", f.Act, "kind", f.Kind.String(), "error", err,
		"route", c.Path(), "request_id", c.Response().Header().Get(echo.HeaderXRequestID))
}

// answerMachine answers what a machine's door itself could not: without a
// result or a screen, so that the machine repeats.
func answerMachine(c echo.Context, err error) (status int) {
	status = http.StatusInternalServerError
	var refused *echo.HTTPError
	if errors.As(err, &refused) {
		status = refused.Code
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if err := c.String(status, http.StatusText(status)+"\n"); err != nil {
		slog.WarnContext(c.Request().Context(), "web: no answer for an error", "error", err)
	}
	return status
}

// unnumbered takes off the number that a request came with: by ours a person's
// page is found in the log, and nobody else's words belong there.
func unnumbered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		//mutant:drop TestRequestsHaveNumbersOfOurs
		c.Request().Header.Del(echo.HeaderXRequestID)
		return next(c)
	}
}

// Answered is a request that was answered. Route is the path's pattern, never
// the path itself.
type Answered struct {
	Method, Route string
	Status        int
	Took          time.Duration
}

// logged writes a line for each request: its route, never its path or query,
// which may hold a number.
func logged(observe func(Answered)) echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogLatency: true, LogStatus: true, LogMethod: true, LogRoutePath: true, LogRequestID: true, HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			//mutant:replace RoutePath), slog => RoutePath), slog.String("uri", c.Request().RequestURI), slog TestNothingPrivateIsLogged
			slog.LogAttrs(c.Request().Context(), slog.LevelInfo, "web: request", slog.String("method", v.Method), slog.String("route", v.RoutePath),
				slog.Int("status", v.Status), slog.Int64("ms", v.Latency.Milliseconds()), slog.String("request_id", v.RequestID))
			if observe != nil {
				observe(Answered{v.Method, v.RoutePath, v.Status, v.Latency})
			}
			return nil
		},
	})
}

// recovered turns a panic into an error page and a log line.
func recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			//mutant:drop TestPanicEndsARequestOnly
			if r := recover(); r != nil {
				slog.ErrorContext(c.Request().Context(), "web: panic", "panic", r, "route", c.Path(),
					"request_id", c.Response().Header().Get(echo.HeaderXRequestID), "stack", string(debug.Stack()))
				err = fault.New(fault.Internal, "web.panic", "")
			}
		}()
		return next(c)
	}
}
