// Package dev has the pages of development mode: a handset with its messages that
// dials the real /ussd, and a cash-in terminal that calls the real /osmp. They are
// not routed in production.
//
// It contains no logic of the wallet: both pages are clients of the handlers that
// serve gateways and terminals.
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

// Message is an SMS in the format of /dev/sms.
type Message struct {
	Phone     phone.Number `json:"phone"`
	Text      string       `json:"text"`
	CreatedAt time.Time    `json:"created_at"`
}

// Email is a stored e-mail.
type Email struct {
	To, Subject, Text string
	CreatedAt         time.Time
}

// Parts are the dependencies of New.
type Parts struct {
	// Messages returns a number's SMS, newest first.
	Messages func(ctx context.Context, number phone.Number) ([]Message, error)
	// Emails returns the e-mails to the number's customer, newest first; may be nil.
	Emails func(ctx context.Context, number phone.Number) ([]Email, error)
	// Carrier returns the carrier of a number's range.
	Carrier func(ctx context.Context, number phone.Number) (catalog.Carrier, error)
	// Server serves the terminal's calls of /osmp and the handset's of /ussd.
	Server http.Handler
	// Gateway has the credentials with which the handset calls /ussd.
	Gateway Gateway
	// Agents are the demo agents with their passwords.
	Agents []cashin.NewAgent
	// Now is the clock.
	Now func() time.Time
}

// Gateway is the development gateway.
type Gateway struct{ Code, Password string }

// Handler serves the handset and the terminal.
type Handler struct {
	messages func(ctx context.Context, number phone.Number) ([]Message, error)
	emails   func(ctx context.Context, number phone.Number) ([]Email, error)
	carrier  func(ctx context.Context, number phone.Number) (catalog.Carrier, error)
	server   http.Handler
	gateway  Gateway
	agents   []cashin.NewAgent
	now      func() time.Time
}

// New returns a handler of the parts.
func New(p Parts) *Handler {
	return &Handler{
		messages: p.Messages, emails: p.Emails, carrier: p.Carrier, server: p.Server, gateway: p.Gateway, agents: p.Agents, now: p.Now,
	}
}

// Routes adds the pages to the group /dev.
func (h *Handler) Routes(g *echo.Group) {
	g.GET("/phone", h.Phone)
	g.POST("/phone", h.Press)
	g.GET("/sms", h.SMS)
	g.GET("/terminal", h.Terminal)
	g.POST("/terminal", h.Insert)
	g.GET("/terminal/slip", h.Slip)
}

// numberKey is the session key of the number shown last, which handset and terminal
// offer again.
const numberKey = "dev_number"

func (h *Handler) frame(c echo.Context) layout.Frame {
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

// defaultNumber returns the number shown last, otherwise the signed-in customer's.
func defaultNumber(c echo.Context) string {
	s := session.Of(c)
	if number := s.Get(numberKey); number != "" {
		return number
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

// phoneProblem returns the message key of an invalid number.
func phoneProblem(err error) string {
	if errors.Is(err, phone.ErrEmpty) {
		return "dev.terminal.phone_empty"
	}
	return "dev.terminal.phone_wrong"
}

// amountProblem returns the message key of an invalid amount.
func amountProblem(err error) string {
	if errors.Is(err, money.ErrEmpty) {
		return "dev.terminal.amount_empty"
	}
	return "dev.terminal.amount_wrong"
}
