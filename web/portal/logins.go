package portal

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/securitylog"
	"elsom/templates/page"
)

const loginsPageSize = 20

// Logins lists the logins to the wallet, and attempts at them, page by page.
func (p *Portal) Logins(c echo.Context) error {
	before, err := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	owner := holder(c)
	// Since the wallet was opened: the number may have been another person's.
	//mutant:replace owner.CreatedAt => owner.CreatedAt.AddDate(-9, 0, 0) ./web TestLoginsOfAnotherHolder
	list, more, err := p.services.Security.Logins(ctx(c), owner.Phone, owner.CreatedAt, before, loginsPageSize)
	if err != nil {
		return err
	}
	view := page.LoginsPage{Frame: p.frame(c)}
	for _, e := range list {
		view.Logins = append(view.Logins, page.LoginEvent{
			At: e.At, Device: strings.TrimSpace(strings.Trim(e.Device, "—")), Network: shownNetwork(e.Network), Result: loginResult(e),
			Good: e.Outcome == securitylog.OK, Here: e.Here, Count: e.Count,
		})
	}
	if before > 0 {
		view.NewestHref = "/settings/logins"
	}
	if more {
		view.OlderHref = "/settings/logins?before=" + strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return render(c, http.StatusOK, view)
}

// loginResult returns the message key of an event's outcome.
func loginResult(e securitylog.LoginEvent) string {
	ok := e.Outcome == securitylog.OK
	switch {
	case e.Event == securitylog.Signup && ok:
		return "logins.signup"
	case e.Event == securitylog.PasswordReset && ok:
		return "logins.reset"
	case e.Event == securitylog.PasswordReset:
		return "logins.reset_failed"
	case ok:
		return "logins.ok"
	case e.Outcome == securitylog.Failed:
		return "logins.failed"
	case e.Outcome == securitylog.Limited:
		return "logins.limited"
	case e.Outcome == securitylog.Refused && e.Detail == string(customer.CodeNeeded):
		return "logins.code"
	case e.Outcome == securitylog.Refused:
		return "logins.refused"
	}
	return "logins.error"
}

// shownNetwork returns a network as the list of sessions shows it.
func shownNetwork(text string) string {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return ""
	}
	if address := prefix.Addr(); address.Is4() {
		return strings.TrimSuffix(address.String(), "0") + "x"
	}
	return strings.TrimSuffix(prefix.Addr().String(), "::") + ":x"
}
