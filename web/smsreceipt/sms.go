// Package smsreceipt is the door through which an SMS gateway tells what became of a
// message: Kannel fetches /sms/dlr for each receipt.
//
// It promises that only a known gateway is heard, and only about messages
// whose token it has. It never logs an address it was called by: tokens stand
// in it.
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

// Messages takes receipts; *sms.Messages does.
type Messages interface {
	Receive(ctx context.Context, r sms.Receipt) error
}

// Door answers gateways.
type Door struct {
	room     basicauth.Room[credential.Gateway]
	messages Messages
}

// New makes the door.
func New(gateways basicauth.Register[credential.Gateway], messages Messages) *Door {
	room := basicauth.Room[credential.Gateway]{
		Door: "sms", Caller: "gateway", Register: gateways, Log: slog.Default(),
		May: func(g credential.Gateway) bool { return g.May(credential.Receipts) },
	}
	return &Door{room, messages}
}

// states is the table from Kannel's %d to states. Buffered by the centre says
// no more than that Kannel had the message.
var states = map[string]sms.State{
	"1": sms.Delivered, "2": sms.Failed, "4": sms.Sent, "8": sms.Sent, "16": sms.Failed,
}

// Verify judges the caller before its body is read.
func (d *Door) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) { return d.room.Verify(c) }

// Handle answers GET /sms/dlr. A gateway that gets anything but 200 calls again.
//
//mutant:replace if answered { return err } if err == nil { err = d.receive(ctx, c) } => err = d.receive(ctx, c); _ = answered TestStrangers
func (d *Door) Handle(c echo.Context) error {
	ctx := c.Request().Context()
	c.Response().Header().Set("Cache-Control", "no-store")
	who, answered, err := d.room.Admit(ctx, c)
	if answered {
		return err
	}
	if err == nil {
		err = d.receive(ctx, c)
	}
	switch {
	case err == nil:
		slog.InfoContext(ctx, "sms: receipt", "gateway", who.Code, "type", states[c.QueryParam("type")])
		return c.String(http.StatusOK, "ok\n")
	case fault.Is(err, fault.NotFound):
		slog.WarnContext(ctx, "sms: receipt of no message", "gateway", who.Code)
		return c.String(http.StatusNotFound, "No such message\n")
	case fault.Is(err, fault.Invalid):
		slog.WarnContext(ctx, "sms: no receipt", "gateway", who.Code)
		return c.String(http.StatusBadRequest, "type and token are wanted\n")
	}
	slog.ErrorContext(ctx, "sms: receipt not taken", "gateway", who.Code, "error", err)
	return c.String(http.StatusServiceUnavailable, "Later\n")
}

var errMalformed = errors.New("no receipt")

const longestToken = 100

// receive reads the receipt; each parameter stands once.
func (d *Door) receive(ctx context.Context, c echo.Context) error {
	query := c.QueryParams()
	state, known := states[query.Get("type")]
	token := query.Get("token")
	if len(query["type"]) != 1 || len(query["token"]) != 1 || !known || len(token) > longestToken {
		return fault.New(fault.Invalid, "sms.receipt", "").Because(errMalformed)
	}
	return d.messages.Receive(ctx, sms.Receipt{Token: token, State: state})
}
