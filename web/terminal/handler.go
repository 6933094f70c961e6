// Package terminal is the HTTP handler of cash-in terminals: KICB, Мобильник and
// QIWI call it with OSMP requests, one at a time, and repeat those that got no
// final answer.
//
// It guarantees a well-formed answer to every request of a known agent, and one
// table from errors to OSMP's result codes. It never logs what a terminal sent,
// and decides nothing about money.
package terminal

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/web/basicauth"
)

// Agents authenticates agents; *cashin.Agents implements it.
type Agents = basicauth.Verifier[cashin.Agent]

// Service checks and credits cash; *cashin.CashIn implements it.
type Service interface {
	Check(ctx context.Context, agent cashin.Agent, r cashin.Request) (cashin.Result, error)
	PayIn(ctx context.Context, agent cashin.Agent, r cashin.Request) (cashin.Answer, error)
}

// Handler answers terminals.
type Handler struct {
	realm   basicauth.Realm[cashin.Agent]
	service Service
	log     *slog.Logger
}

// New returns a handler.
func New(agents Agents, service Service, log *slog.Logger) *Handler {
	return &Handler{
		realm:   basicauth.Realm[cashin.Agent]{Name: "osmp", Noun: "agent", Credentials: agents, Log: log},
		service: service, log: log,
	}
}

// timeout bounds an operation; terminals wait 60 s. A terminal that disconnects
// does not cancel it: the outcome is stored for the repeated request.
const timeout = 30 * time.Second

// Handle answers GET and POST /osmp.
func (h *Handler) Handle(c echo.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), timeout)
	defer cancel()
	agent, answered, err := h.realm.Caller(ctx, c)
	if answered {
		return err
	}
	r, malformed := read(c.Request())
	switch {
	case err != nil:
	case malformed != nil:
		err = malformed
	default:
		return h.answer(ctx, c, agent, r)
	}
	h.log.WarnContext(ctx, "osmp: request failed", "agent", agent.Code, "result", resultOf(err), "error", err)
	return write(c, answer{TxnID: r.TxnID, Result: resultOf(err)})
}

// Verify authenticates the caller before its body is read; see
// basicauth.Realm.Verify.
func (h *Handler) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) {
	return h.realm.Verify(c)
}

// Overloaded answers a request above the concurrency limit: nothing was done, and
// the terminal repeats it.
func (h *Handler) Overloaded(c echo.Context) error {
	r, _ := read(c.Request())
	return write(c, answer{TxnID: r.TxnID, Result: resultTemporary})
}

func (h *Handler) answer(ctx context.Context, c echo.Context, agent cashin.Agent, r request) error {
	out := answer{TxnID: r.TxnID}
	var err error
	if r.command == commandCheck {
		var result cashin.Result
		result, err = h.service.Check(ctx, agent, r.Request)
		out.Result = int(result)
	} else {
		var paid cashin.Answer
		paid, err = h.service.PayIn(ctx, agent, r.Request)
		out.Result, out.Sum = int(paid.Result), formatSum(r.Sum)
		if err == nil {
			out.Reference = strconv.FormatInt(paid.Reference, 10)
		}
	}
	if err != nil {
		out.Result = resultOf(err)
		h.log.WarnContext(ctx, "osmp: request failed", "agent", agent.Code, "command", r.command, "result", out.Result, "error", err)
	} else {
		h.log.InfoContext(ctx, "osmp: request", "agent", agent.Code, "command", r.command, "result", out.Result, "prv_txn", out.Reference)
	}
	return write(c, out)
}
