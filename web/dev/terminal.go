package dev

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/phone"
	"elsom/templates/component"
	"elsom/templates/devpage"
	"elsom/web/session"
)

// Terminal shows the first screen; with a number and an amount it sends a check
// request and shows the second screen.
func (h *Handler) Terminal(c echo.Context) error {
	page := &devpage.TerminalPage{Frame: h.frame(c), Agents: h.names(), Agent: c.QueryParam("agent")}
	if page.Agent == "" && len(h.agents) > 0 {
		page.Agent = h.agents[0].Code
	}
	typed, given := query(c, "phone")
	if !given {
		page.Phone = component.Input{Value: pretty(defaultNumber(c))}
		return render(c, http.StatusOK, page)
	}
	page.Phone, page.Amount = component.Input{Value: typed}, component.Input{Value: c.QueryParam("amount")}
	if c.QueryParam("edit") != "" {
		return render(c, http.StatusOK, page)
	}
	number, err := phone.Parse(typed)
	if err != nil {
		page.Fail("phone", page.T(phoneProblem(err)))
	} else {
		session.Of(c).Set(numberKey, number.String())
	}
	sum, err := money.Parse(page.Amount.Value)
	if err != nil {
		page.Fail("amount", page.T(amountProblem(err)))
	}
	agent, known := h.agent(page.Agent)
	if page.Phone.Error != "" || page.Amount.Error != "" || !known {
		return render(c, http.StatusUnprocessableEntity, page)
	}
	txn := h.newTxnID()
	r, err := h.callOSMP(c, agent, url.Values{
		"command": {"check"}, "txn_id": {txn}, "account": {terminalNumber(typed)}, "sum": {sum.Dot()},
	})
	if err != nil {
		return err
	}
	if r.status != http.StatusOK || r.Result != 0 || sum == 0 {
		refused(page, r, sum)
		return render(c, http.StatusUnprocessableEntity, page)
	}
	return render(c, http.StatusOK, devpage.CashPage{
		Frame: page.Frame, Agent: devpage.Agent{Code: agent.Code, Name: agent.Name}, Phone: typed, Wallet: number.Pretty(),
		Sum: sum, TxnID: txn, TxnDate: h.now().In(bishkek).Format("20060102150405"),
		BackHref: "/dev/terminal?" + url.Values{
			"edit": {"1"}, "agent": {agent.Code}, "phone": {typed}, "amount": {page.Amount.Value},
		}.Encode(),
	})
}

// refused shows a refused check at its field of the first screen.
func refused(page *devpage.TerminalPage, r osmpReply, sum money.Amount) {
	field, result := "", r.Result
	switch {
	case r.status != http.StatusOK:
		page.Fail("", page.T("dev.result.status", map[string]any{"Status": r.status}))
		return
	case result == 0 && sum == 0: // OSMP checks the wallet only, without a sum
		field, result = "amount", int(cashin.TooSmall)
	case result == int(cashin.TooSmall), result == int(cashin.TooLarge):
		field = "amount"
	case result == int(cashin.BadAccount), result == int(cashin.NoWallet), result == int(cashin.Blocked):
		field = "phone"
	}
	page.Fail(field, page.T(devpage.ResultKey(result)))
}

// Insert sends a pay request for the second screen and redirects to the slip. A
// form that is sent again repeats the same txn_id.
func (h *Handler) Insert(c echo.Context) error {
	agent, known := h.agent(c.FormValue("agent"))
	sum, err := money.Parse(c.FormValue("amount"))
	if !known || err != nil {
		return c.Redirect(http.StatusSeeOther, "/dev/terminal")
	}
	r, err := h.callOSMP(c, agent, url.Values{
		"command": {"pay"}, "txn_id": {c.FormValue("txn_id")}, "txn_date": {c.FormValue("txn_date")},
		"account": {terminalNumber(c.FormValue("phone"))}, "sum": {sum.Dot()},
	})
	if err != nil {
		return err
	}
	slip := url.Values{
		"agent": {agent.Code}, "phone": {c.FormValue("phone")}, "amount": {sum.Plain()},
		"txn_id": {c.FormValue("txn_id")}, "txn_date": {c.FormValue("txn_date")},
		"result": {strconv.Itoa(r.Result)}, "prv_txn": {r.Reference},
	}
	if r.status != http.StatusOK {
		slip.Set("status", strconv.Itoa(r.status))
	}
	return c.Redirect(http.StatusSeeOther, "/dev/terminal/slip?"+slip.Encode())
}

// Slip shows the printed slip from the address alone.
func (h *Handler) Slip(c echo.Context) error {
	agent, known := h.agent(c.QueryParam("agent"))
	sum, err1 := money.Parse(c.QueryParam("amount"))
	number, err2 := phone.Parse(c.QueryParam("phone"))
	result, err3 := strconv.Atoi(c.QueryParam("result"))
	if !known || err1 != nil || err2 != nil || err3 != nil {
		return c.Redirect(http.StatusSeeOther, "/dev/terminal")
	}
	status, _ := strconv.Atoi(c.QueryParam("status"))
	return render(c, http.StatusOK, devpage.SlipPage{
		Frame: h.frame(c), Agent: devpage.Agent{Code: agent.Code, Name: agent.Name}, Phone: c.QueryParam("phone"),
		Wallet: number.Pretty(), Sum: sum, TxnID: c.QueryParam("txn_id"), TxnDate: c.QueryParam("txn_date"),
		Result: result, Reference: c.QueryParam("prv_txn"), Status: status,
	})
}

// bishkek is the time zone of txn_date.
var bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

// newTxnID returns 13 digits of Unix milliseconds and 6 random ones.
func (h *Handler) newTxnID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return fmt.Sprintf("%013d%06d", h.now().UnixMilli(), binary.BigEndian.Uint64(b[:])%1_000_000)
}

func (h *Handler) names() []devpage.Agent {
	names := make([]devpage.Agent, len(h.agents))
	for i, a := range h.agents {
		names[i] = devpage.Agent{Code: a.Code, Name: a.Name}
	}
	return names
}

func (h *Handler) agent(code string) (cashin.NewAgent, bool) {
	for _, a := range h.agents {
		if a.Code == code {
			return a, true
		}
	}
	return cashin.NewAgent{}, false
}

func pretty(number string) string {
	parsed, err := phone.Parse(number)
	if err != nil {
		return number
	}
	return parsed.Pretty()
}

var errOSMP = fault.New(fault.Unavailable, "dev.terminal", "")

// terminalNumber returns a number as typed on a terminal, without the spaces of a
// page. Other text is returned unchanged.
func terminalNumber(typed string) string {
	if number, err := phone.Parse(typed); err == nil {
		return number.String()
	}
	return typed
}
