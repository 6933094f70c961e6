// Package smsreceipt is the HTTP handler of delivery receipts: Kannel fetches
// /sms/dlr for each one.
//
// It guarantees that only a known gateway changes a message's state, and only of a
// message whose token it sends. It never logs the request's URL, which has the token.
package smsreceipt

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/credential"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/web/basicauth"
)

// Messages stores receipts; *sms.Messages implements it.
type Messages interface {
	Receive(ctx context.Context, r sms.Receipt) error
}

// Handler answers gateways.
type Handler struct {
	realm    basicauth.Realm[credential.Gateway]
	messages Messages
}

// New returns a handler.
func New(gateways basicauth.Verifier[credential.Gateway], messages Messages) *Handler {
	realm := basicauth.Realm[credential.Gateway]{
		Name: "sms", Noun: "gateway", Credentials: gateways, Log: slog.Default(),
		May: func(g credential.Gateway) bool { return g.May(credential.Receipts) },
	}
	return &Handler{realm, messages}
}

// states maps the type of a receipt, Kannel's %d, to the message's state. A message
// that the SMS center has buffered (4) or accepted (8) is no more than sent.
var states = map[string]sms.State{
	"1": sms.Delivered, "2": sms.Failed, "4": sms.Sent, "8": sms.Sent, "16": sms.Failed,
}

// Verify authenticates the caller before its body is read; see
// basicauth.Realm.Verify.
func (h *Handler) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) {
	return h.realm.Verify(c)
}

// Handle answers GET /sms/dlr. Kannel repeats a request whose status is not 200.
//
//mutant:replace if answered { return err } if err == nil { err = h.receive(ctx, c) } => err = h.receive(ctx, c); _ = answered TestUnknownCallersAreRefused
func (h *Handler) Handle(c echo.Context) error {
	ctx := c.Request().Context()
	c.Response().Header().Set("Cache-Control", "no-store")
	gateway, answered, err := h.realm.Caller(ctx, c)
	if answered {
		return err
	}
	if err == nil {
		err = h.receive(ctx, c)
	}
	switch {
	case err == nil:
		slog.InfoContext(ctx, "sms: receipt", "gateway", gateway.Code, "type", states[c.QueryParam("type")])
		return c.String(http.StatusOK, "ok\n")
	case fault.Is(err, fault.NotFound):
		slog.WarnContext(ctx, "sms: receipt for an unknown message", "gateway", gateway.Code)
		return c.String(http.StatusNotFound, "No such message\n")
	case fault.Is(err, fault.Invalid):
		slog.WarnContext(ctx, "sms: malformed receipt", "gateway", gateway.Code)
		return c.String(http.StatusBadRequest, "type and token are required\n")
	}
	slog.ErrorContext(ctx, "sms: storing a receipt failed", "gateway", gateway.Code, "error", err)
	return c.String(http.StatusServiceUnavailable, "Later\n")
}

var errMalformed = errors.New("malformed receipt")

const maxToken = 100

// receive parses and stores the receipt; each parameter must appear once.
func (h *Handler) receive(ctx context.Context, c echo.Context) error {
	query := c.QueryParams()
	state, known := states[query.Get("type")]
	token := query.Get("token")
	if len(query["type"]) != 1 || len(query["token"]) != 1 || !known || len(token) > maxToken {
		return fault.New(fault.Invalid, "sms.receipt", "").Because(errMalformed)
	}
	return h.messages.Receive(ctx, sms.Receipt{Token: token, State: state})
}
