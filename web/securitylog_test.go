package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"elsom/internal/phone"
	"elsom/internal/securitylog"
	"elsom/internal/testkit/require"
)

// events returns the stored events of a query.
func (app *testApp) events(q securitylog.Query) (list []securitylog.Row) {
	app.t.Helper()
	require.NoError(app.t, app.Security.Close(context.Background()))
	require.NoError(app.t, app.Security.Each(context.Background(), q, func(r securitylog.Row) error { list = append(list, r); return nil }))
	return list
}

// wantEvent fails the test unless an event, written "event outcome detail", is stored,
// and returns it.
func (app *testApp) wantEvent(want string, all []securitylog.Row) (found securitylog.Row) {
	app.t.Helper()
	var lines []string
	for _, r := range all {
		line := strings.TrimSpace(string(r.Event) + " " + string(r.Outcome) + " " + r.Detail)
		if line == want {
			found = r
		}
		lines = append(lines, line)
	}
	if !slices.Contains(lines, want) {
		app.t.Errorf("no %q among %q", want, lines)
	}
	return found
}

// Logins, codes, PINs, resets and their failures are recorded with number, network,
// browser and request, on both databases.
func TestSecurityEventsOfSite(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			app := newAppWith(t, options{newDB: newDB})
			holder, pin := app.dialed()
			b := app.browserOf(holder).open("/cabinet").press("Выйти")
			b.logIn(holder.Phone, mistyped)
			b.wantStatus(422).fill("password", password).press("Войти").wantPath("/cabinet")
			b.open("/settings/pin").fill("old_pin", another(pin)).fill("pin", ownPIN).press("Сменить ПИН-код").wantStatus(422)
			b.fill("old_pin", pin).fill("pin", ownPIN).press("Сменить ПИН-код").wantPath("/settings")
			b.open("/settings").fill("old_password", mistyped).fill("password", renewed).press("Сменить пароль").wantStatus(422)
			b.open("/cabinet").press("Выйти").open("/reset").fill("phone", holder.Phone.String()).press("Получить код")
			code := app.code(holder.Phone)
			b.fill("code", wrongCode(code)).fill("password", renewed).press("Сохранить").wantStatus(422)
			b.fill("code", code).fill("password", renewed).press("Сохранить").wantPath("/cabinet")
			all := app.events(securitylog.Query{Number: holder.Phone, Wallet: holder.ID})
			for _, want := range []string{
				"signup ok ussd", "signup ok web", "code_sent ok signup", "code ok signup",
				"login failed customer.password_wrong", "logout ok", "pin failed customer.pin_wrong", "pin ok", "pin_set ok",
				"password_change failed customer.password_old_wrong", "code_sent ok reset", "code failed customer.code_wrong",
				"code ok reset", "password_reset ok",
			} {
				app.wantEvent(want, all)
			}
			login := app.wantEvent("login ok", all)
			if login.Number == "" || login.Wallet != holder.ID || login.Network == "" || len(login.Browser) != 32 || len(login.RequestID) != 9 {
				t.Errorf("the login: %+v", login)
			}
			unknown := phone.Number("+996700999999")
			app.browser().open("/reset").fill("phone", unknown.String()).press("Получить код")
			if stranger := app.wantEvent("code_sent ok reset", app.events(securitylog.Query{Number: unknown})); stranger.Browser != "" {
				t.Errorf("a browser without a device cookie: %+v", stranger)
			}
		})
	}
}

// A form of another site and one with a stale token are recorded.
func TestSecurityEventsOfForgedForms(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(100_00)).open("/settings")
	_, action, values := b.form(b.control("Сменить"))
	b.ask(http.MethodPost, action, values, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	values.Set("csrf", "none")
	b.ask(http.MethodPost, action, values)
	all := app.events(securitylog.Query{Event: securitylog.ForgedForm})
	app.wantEvent("forged_form refused session.foreign", all)
	app.wantEvent("forged_form refused session.stale", all)
}

// A refused machine is recorded with its code, unless the user name may be a password or
// a number.
func TestSecurityEventsOfMachines(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for _, user := range []string{"kicb", "My Password", "996700123456"} {
		r := httptest.NewRequest(http.MethodGet, "/osmp?command=check&txn_id=1&account=0700000000&sum=1", nil)
		r.SetBasicAuth(user, "wrong")
		app.server.ServeHTTP(httptest.NewRecorder(), r)
	}
	all := app.events(securitylog.Query{Event: securitylog.MachineLogin})
	if got := app.wantEvent("machine_login refused /osmp", all); len(all) != 3 || got.RequestID == "" {
		t.Errorf("%+v", all)
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	if !strings.Contains(string(text), `"kicb"`) || strings.Contains(string(text), "Password") || strings.Contains(string(text), "7001") {
		t.Errorf("%s", text)
	}
}

// An answer with 429 is recorded once: by the operation that refused, or by the server.
func TestSecurityEventsOfLimits(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	holder := app.newCustomer(0)
	b := app.browser()
	for range 6 {
		b.open("/")
		b.logIn(holder.Phone, mistyped)
	}
	b.wantStatus(http.StatusTooManyRequests)
	limited := app.events(securitylog.Query{Outcome: securitylog.Limited})
	app.wantEvent("login limited ratelimit.too_many", limited)
	if len(limited) != 1 {
		t.Errorf("%+v", limited)
	}
}

// A customer's request for another's receipt is recorded, with the route and not the path.
func TestSecurityEventsOfAccess(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	receipt := app.browserOf(app.newCustomer(100_00)).draft(company, "50").press("Оплатить").waitEnded().at.Path
	stranger := app.newCustomer(0)
	app.browserOf(stranger).open(receipt).wantStatus(http.StatusNotFound).open("/nowhere/" + stranger.Phone.String())
	all := app.events(securitylog.Query{Event: securitylog.Access})
	if got := app.wantEvent("access refused /receipt/:payment", all); got.Wallet != stranger.ID || len(all) != 1 {
		t.Errorf("%+v", all)
	}
}
