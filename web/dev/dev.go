// Package dev is the door to what stands in for the world while the wallet is
// developed: a handset with its messages, and a terminal that takes cash over
// the real /osmp. In production nobody opens this door.
//
// It decides nothing: the terminal is answered by the same door and the same
// acts as those in the street.
package dev

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/internal/phone"
	"elsom/templates/layout"
	"elsom/web/session"
)

// Message is an SMS that would have been sent, in the form of /dev/sms.
type Message struct {
	Phone     phone.Number `json:"phone"`
	Text      string       `json:"text"`
	CreatedAt time.Time    `json:"created_at"`
}

// Letter is an e-mail that would have been sent.
type Letter struct {
	To, Subject, Text string
	CreatedAt         time.Time
}

// Parts are what the door leads to.
type Parts struct {
	// Messages gives a number's SMS, newest first.
	Messages func(ctx context.Context, number phone.Number) ([]Message, error)
	// Letters gives the e-mails to the number's holder, newest first; nil: none.
	Letters func(ctx context.Context, number phone.Number) ([]Letter, error)
	// Carrier tells whose range a number is in; *catalog.Catalog does.
	Carrier func(ctx context.Context, number phone.Number) (catalog.Carrier, error)
	// OSMP is the server whose /osmp the terminal calls, and whose /ussd the
	// handset does.
	OSMP http.Handler
	// Gateway is the code and password under which the handset's network calls.
	Gateway Gateway
	// Agents are the demo agents with their passwords.
	Agents []cashin.NewAgent
	// Now is the clock.
	Now func() time.Time
}

// Gateway is the demo gateway.
type Gateway struct{ Code, Password string }

// Door opens to the handset and the terminal.
type Door struct{ Parts }

// New makes the door.
func New(parts Parts) *Door { return &Door{parts} }

// Routes lays the pages under the group's /dev.
func (d *Door) Routes(g *echo.Group) {
	g.GET("/phone", d.Phone)
	g.POST("/phone", d.Press)
	g.GET("/sms", d.SMS)
	g.GET("/terminal", d.Terminal)
	g.POST("/terminal", d.Insert)
	g.GET("/terminal/slip", d.Slip)
}

// numberKept is the session's name for the number last looked at, so that
// handset and terminal offer it again.
const numberKept = "dev_number"

func (d *Door) frame(c echo.Context) layout.Frame {
	s := session.Of(c)
	lang, _ := i18n.Parse(s.Lang())
	frame := layout.Frame{
		Lang: lang, CSRF: s.CSRF(), Path: c.Request().URL.RequestURI(), Dev: true,
		RequestID: c.Response().Header().Get(echo.HeaderXRequestID),
	}
	if holder, ok := s.Customer(); ok {
		frame.Person = holder.Phone.Pretty()
	}
	return frame
}

// offered is the number to begin with: the one last looked at, otherwise that
// of who is signed in.
func offered(c echo.Context) string {
	s := session.Of(c)
	if kept := s.Get(numberKept); kept != "" {
		return kept
	}
	if holder, ok := s.Customer(); ok {
		return holder.Phone.String()
	}
	return ""
}

func render(c echo.Context, status int, page interface{ Page() templ.Component }) error {
	if err := session.Of(c).Save(); err != nil { // before the first byte: it may set a cookie
		return err
	}
	buffer := templ.GetBuffer()
	defer templ.ReleaseBuffer(buffer)
	if err := page.Page().Render(c.Request().Context(), buffer); err != nil {
		return fault.Wrap("dev.render", err)
	}
	return c.HTMLBlob(status, buffer.Bytes())
}

// phoneProblem is the message key of what is wrong with a typed number.
func phoneProblem(err error) string {
	if errors.Is(err, phone.ErrEmpty) {
		return "dev.terminal.phone_empty"
	}
	return "dev.terminal.phone_wrong"
}

// amountProblem is the message key of what is wrong with a typed amount.
func amountProblem(err error) string {
	if errors.Is(err, money.ErrEmpty) {
		return "dev.terminal.amount_empty"
	}
	return "dev.terminal.amount_wrong"
}
