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

// Terminal shows the first screen; with a number and an amount it asks the
// wallet's door and shows the second one.
func (d *Door) Terminal(c echo.Context) error {
	page := &devpage.TerminalPage{Frame: d.frame(c), Agents: d.names(), Agent: c.QueryParam("agent")}
	if page.Agent == "" && len(d.Agents) > 0 {
		page.Agent = d.Agents[0].Code
	}
	typed, asked := query(c, "phone")
	if !asked {
		page.Phone = component.Input{Value: pretty(offered(c))}
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
		session.Of(c).Set(numberKept, number.String())
	}
	sum, err := money.Parse(page.Amount.Value)
	if err != nil {
		page.Fail("amount", page.T(amountProblem(err)))
	}
	agent, known := d.agent(page.Agent)
	if page.Phone.Error != "" || page.Amount.Error != "" || !known {
		return render(c, http.StatusUnprocessableEntity, page)
	}
	txn := d.draw()
	r, err := d.ask(c, agent, url.Values{
		"command": {"check"}, "txn_id": {txn}, "account": {dialled(typed)}, "sum": {sum.Dot()},
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
		Sum: sum, TxnID: txn, TxnDate: d.Now().In(bishkek).Format("20060102150405"),
		BackHref: "/dev/terminal?" + url.Values{
			"edit": {"1"}, "agent": {agent.Code}, "phone": {typed}, "amount": {page.Amount.Value},
		}.Encode(),
	})
}

// refused puts the answer to a check where it belongs on the first screen.
func refused(page *devpage.TerminalPage, r reply, sum money.Amount) {
	field, result := "", r.Result
	switch {
	case r.status != http.StatusOK:
		page.Fail("", page.T("dev.result.status", map[string]any{"Status": r.status}))
		return
	case result == 0 && sum == 0: // a check takes no sum for a question about the wallet only
		field, result = "amount", int(cashin.TooSmall)
	case result == int(cashin.TooSmall), result == int(cashin.TooLarge):
		field = "amount"
	case result == int(cashin.BadAccount), result == int(cashin.NoWallet), result == int(cashin.Blocked):
		field = "phone"
	}
	page.Fail(field, page.T(devpage.ResultKey(result)))
}

// Insert pays in what the second screen shows, and leads to the slip. The
// same form pays at each repeat, under the same id.
func (d *Door) Insert(c echo.Context) error {
	agent, known := d.agent(c.FormValue("agent"))
	sum, err := money.Parse(c.FormValue("amount"))
	if !known || err != nil {
		return c.Redirect(http.StatusSeeOther, "/dev/terminal")
	}
	r, err := d.ask(c, agent, url.Values{
		"command": {"pay"}, "txn_id": {c.FormValue("txn_id")}, "txn_date": {c.FormValue("txn_date")},
		"account": {dialled(c.FormValue("phone"))}, "sum": {sum.Dot()},
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

// Slip shows what the terminal printed. It is a picture of its address; what
// is true stands in the wallet.
func (d *Door) Slip(c echo.Context) error {
	agent, known := d.agent(c.QueryParam("agent"))
	sum, err1 := money.Parse(c.QueryParam("amount"))
	number, err2 := phone.Parse(c.QueryParam("phone"))
	result, err3 := strconv.Atoi(c.QueryParam("result"))
	if !known || err1 != nil || err2 != nil || err3 != nil {
		return c.Redirect(http.StatusSeeOther, "/dev/terminal")
	}
	status, _ := strconv.Atoi(c.QueryParam("status"))
	return render(c, http.StatusOK, devpage.SlipPage{
		Frame: d.frame(c), Agent: devpage.Agent{Code: agent.Code, Name: agent.Name}, Phone: c.QueryParam("phone"),
		Wallet: number.Pretty(), Sum: sum, TxnID: c.QueryParam("txn_id"), TxnDate: c.QueryParam("txn_date"),
		Result: result, Reference: c.QueryParam("prv_txn"), Status: status,
	})
}

// bishkek is the clock of terminals.
var bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

// draw makes a terminal's id: 13 digits of milliseconds and 6 random ones.
func (d *Door) draw() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return fmt.Sprintf("%013d%06d", d.Now().UnixMilli(), binary.BigEndian.Uint64(b[:])%1_000_000)
}

func (d *Door) names() []devpage.Agent {
	names := make([]devpage.Agent, len(d.Agents))
	for i, a := range d.Agents {
		names[i] = devpage.Agent{Code: a.Code, Name: a.Name}
	}
	return names
}

func (d *Door) agent(code string) (cashin.NewAgent, bool) {
	for _, a := range d.Agents {
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

// dialled is a number as a terminal's keys give it: without the spaces by which
// a page groups it. What is no number goes on as it is.
func dialled(typed string) string {
	if number, err := phone.Parse(typed); err == nil {
		return number.String()
	}
	return typed
}
