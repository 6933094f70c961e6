// Package terminal is the door of cash-in terminals: KICB, Мобильник and QIWI call
// it over HTTP in the OSMP form, one request at a time, repeating whatever got
// no final answer.
//
// It promises a readable answer to every request of a known agent, and one
// table from what the act says to OSMP's result codes. It never logs what a
// terminal sent, and decides nothing about money.
package terminal

import (
	"context"
	"encoding/xml"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/web/basicauth"
)

// Agents tells who calls; *cashin.Agents does.
type Agents = basicauth.Register[cashin.Agent]

// Desk takes the cash; *cashin.CashIn does.
type Desk interface {
	Check(ctx context.Context, agent cashin.Agent, r cashin.Request) (cashin.Result, error)
	PayIn(ctx context.Context, agent cashin.Agent, r cashin.Request) (cashin.Answer, error)
}

// Door answers terminals.
type Door struct {
	room basicauth.Room[cashin.Agent]
	desk Desk
	log  *slog.Logger
}

// New makes the door.
func New(agents Agents, desk Desk, log *slog.Logger) *Door {
	return &Door{
		room: basicauth.Room[cashin.Agent]{Door: "osmp", Caller: "agent", Register: agents, Log: log},
		desk: desk, log: log,
	}
}

// patience is how long an act may take; terminals wait 60 s. A terminal that
// hangs up doesn't end it: what was begun is better finished.
const patience = 30 * time.Second

// Handle answers GET and POST /osmp.
func (d *Door) Handle(c echo.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), patience)
	defer cancel()
	agent, answered, err := d.room.Admit(ctx, c)
	if answered {
		return err
	}
	a, problem := read(c.Request())
	switch {
	case err != nil:
	case problem != nil:
		err = problem
	default:
		return d.answer(ctx, c, agent, a)
	}
	d.log.WarnContext(ctx, "osmp", "agent", agent.Code, "result", resultOf(err), "error", err)
	return write(c, reply{TxnID: a.TxnID, Result: resultOf(err)})
}

// Verify judges the caller before its body is read.
func (d *Door) Verify(c echo.Context) (refuse echo.HandlerFunc, err error) { return d.room.Verify(c) }

// Crowded answers whom nobody has time for: nothing was done, it may repeat.
func (d *Door) Crowded(c echo.Context) error {
	asked, _ := read(c.Request())
	return write(c, reply{TxnID: asked.TxnID, Result: resultTemporary})
}

func (d *Door) answer(ctx context.Context, c echo.Context, agent cashin.Agent, a asked) error {
	out := reply{TxnID: a.TxnID}
	var err error
	if a.command == commandCheck {
		var result cashin.Result
		result, err = d.desk.Check(ctx, agent, a.Request)
		out.Result = int(result)
	} else {
		var answer cashin.Answer
		answer, err = d.desk.PayIn(ctx, agent, a.Request)
		out.Result, out.Sum = int(answer.Result), dotted(a.Sum)
		if err == nil {
			out.Reference = strconv.FormatInt(answer.Reference, 10)
		}
	}
	if err != nil {
		out.Result = resultOf(err)
		d.log.WarnContext(ctx, "osmp", "agent", agent.Code, "command", a.command, "result", out.Result, "error", err)
	} else {
		d.log.InfoContext(ctx, "osmp", "agent", agent.Code, "command", a.command, "result", out.Result, "prv_txn", out.Reference)
	}
	return write(c, out)
}

// dotted is the sum as OSMP writes it; nothing for one that no book can hold.
func dotted(sum money.Amount) string {
	if sum == cashin.TooLargeSum {
		return ""
	}
	return sum.Dot()
}

// Results that no act decides.
const (
	resultTemporary   = 1
	resultNotFinished = 90
	resultOther       = 300
)

// resultOf is the table from kinds of faults to results. Only a malformed
// request, or one that contradicts an earlier, is final: a refusal for a reason
// of its own is an answer that the act has stored, never a fault.
func resultOf(err error) int {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict:
		return resultOther
	case fault.Unknown:
		return resultNotFinished
	case fault.NotFound, fault.Forbidden, fault.Insufficient, fault.Limit,
		fault.TooMany, fault.Unavailable, fault.Internal:
		return resultTemporary
	}
	return resultTemporary
}

// comments are for the people who read a terminal's journal.
var comments = map[int]string{
	int(cashin.Done):       "OK",
	resultTemporary:        "Temporary failure, repeat",
	int(cashin.BadAccount): "Not a wallet number",
	int(cashin.NoWallet):   "No such wallet",
	int(cashin.Refused):    "Refused",
	int(cashin.Blocked):    "The wallet is blocked",
	resultNotFinished:      "Not finished, repeat",
	int(cashin.TooSmall):   "The sum is too small",
	int(cashin.TooLarge):   "The sum is too large",
	resultOther:            "Wrong request",
}

// reply is OSMP's answer; prv_txn and sum come with pay.
type reply struct {
	XMLName   xml.Name `xml:"response"`
	TxnID     string   `xml:"osmp_txn_id"`
	Reference string   `xml:"prv_txn,omitempty"`
	Sum       string   `xml:"sum,omitempty"`
	Result    int      `xml:"result"`
	Comment   string   `xml:"comment"`
}

func write(c echo.Context, r reply) error {
	r.Comment = comments[r.Result]
	body, err := xml.Marshal(r)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, "application/xml; charset=utf-8", append([]byte(xml.Header), append(body, '\n')...))
}
