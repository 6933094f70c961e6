package web_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/notify/push"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
	"elsom/web"
	"elsom/web/portal"
	"elsom/web/session"
)

// elsewhere returns another process of the portal on the same database.
func (app *testApp) elsewhere() *testApp {
	app.t.Helper()
	services := *app.App
	services.Payments, services.Transfers = payment.New(app.PaymentParts), transfer.New(app.TransferParts())
	sessions, err := session.New(app.DB, session.Options{Secret: testkit.Secret, Public: app.base, Left: push.RemoveBrowser, Ended: push.RemoveForCustomer})
	require.NoError(app.t, err)
	other := &testApp{App: &services, t: app.t, clock: app.clock, inbox: app.inbox, base: app.base, agent: app.agent, log: app.log, handlers: app.handlers}
	other.handlers.Sessions = sessions
	other.handlers.Portal = portal.New(portal.Services{
		Customers: other.Customers, Wallets: other.Wallets, History: other.History, Payments: other.Payments, Transfers: other.Transfers, Closing: other.Closing,
		Catalog: other.Catalog, Agents: other.Agents, Messages: other.Messages, Sessions: sessions, Now: other.DB.Now,
	})
	other.server = web.New(other.handlers)
	return other
}

// copyAt returns a browser with the same cookies at another process.
func (b *browser) copyAt(app *testApp) *browser {
	other := app.browser()
	other.jar.SetCookies(other.at, b.jar.Cookies(b.at))
	return other
}

// remembered are the changes by another process, or by hand, between a check page and its
// button, and where the button leads then: to the receipt, the login, or elsewhere to a
// page with a text.
var remembered = []struct {
	name   string
	change func(b *browser, there *testApp, holder customer.Customer)
	leads  string
}{
	{"nothing", func(*browser, *testApp, customer.Customer) {}, "receipt"},
	{"ended from another device", func(_ *browser, there *testApp, holder customer.Customer) {
		there.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть все остальные входы")
	}, "login"},
	{"blocked", func(_ *browser, there *testApp, holder customer.Customer) {
		testkit.Block(there.t, there.Customers, holder.ID)
	}, "login"},
	{"blocked and unblocked", func(_ *browser, there *testApp, holder customer.Customer) {
		testkit.Block(there.t, there.Customers, holder.ID)
		testkit.Unblock(there.t, there.Customers, holder.ID)
	}, "login"},
	{"blocked out", func(_ *browser, there *testApp, holder customer.Customer) {
		_, err := there.Customers.Block(there.t.Context(), holder.ID, customer.BlockOut, testkit.Staff)
		require.NoError(there.t, err)
	}, "остановлены"},
	{"hold", func(_ *browser, there *testApp, holder customer.Customer) {
		there.exec("UPDATE customers SET hold_until = $1 WHERE id = $2", there.DB.Now().Add(time.Hour), holder.ID)
		databasetest.Resign(there.t, there.DB, signature.Login)
	}, "Платежи откроются"},
	{"another password", func(_ *browser, there *testApp, holder customer.Customer) {
		_, err := there.Customers.ChangePassword(there.t.Context(), holder.ID, password, newPassword)
		require.NoError(there.t, err)
	}, "login"},
	{"a lower level", func(_ *browser, there *testApp, holder customer.Customer) {
		_, err := there.Customers.SetLevel(there.t.Context(), holder.ID, "basic", testkit.Staff)
		require.NoError(there.t, err)
	}, "За одну операцию"},
	{"a forged level", func(_ *browser, there *testApp, holder customer.Customer) {
		there.exec("UPDATE customers SET level = 'video' WHERE id = $1", holder.ID)
	}, "unavailable"},
	{"a forged signature", func(_ *browser, there *testApp, holder customer.Customer) {
		there.exec("UPDATE customers SET key_id = 'another' WHERE id = $1", holder.ID)
	}, "unavailable"},
	{"logged out", func(b *browser, there *testApp, _ customer.Customer) {
		b.copyAt(there).open("/cabinet").press("Выйти")
	}, "login"},
	{"renewed", func(b *browser, there *testApp, holder customer.Customer) { b.copyAt(there).makeKnown(holder) }, "receipt"},
	{"renewed long ago", func(b *browser, there *testApp, holder customer.Customer) {
		b.copyAt(there).makeKnown(holder)
		there.advance(11 * time.Second)
	}, "login"},
	{"closed", func(_ *browser, there *testApp, holder customer.Customer) {
		there.exec("UPDATE customers SET session_epoch = session_epoch + 1, closed_at = $1 WHERE id = $2", there.DB.Now(), holder.ID)
	}, "login"},
	{"purged", func(_ *browser, there *testApp, _ customer.Customer) { there.exec("DELETE FROM sessions") }, "login"},
	{"idle", func(_ *browser, there *testApp, _ customer.Customer) {
		there.exec("UPDATE sessions SET seen_at = $1", there.DB.Now().Add(-16*time.Minute))
	}, "login"},
	{"a forged end", func(_ *browser, there *testApp, _ customer.Customer) {
		there.exec("UPDATE sessions SET ends_at = $1", there.DB.Now().Add(100*time.Hour))
	}, "login"},
	{"forged", func(_ *browser, there *testApp, _ customer.Customer) { there.exec("UPDATE sessions SET mac = NULL") }, "login"},
	{"another language", func(_ *browser, there *testApp, holder customer.Customer) {
		require.NoError(there.t, there.Customers.SetLanguage(there.t.Context(), holder.ID, "ky"))
	}, "receipt"},
}

// A session that this process has read is used by the buttons that take money out of the
// wallet, and for nothing else: whatever changed elsewhere meanwhile counts, and a session
// that has ended pays nothing.
func TestRememberedSession(t *testing.T) {
	t.Parallel()
	const start = 10_000_00
	for database, newDB := range databases {
		for _, c := range remembered {
			t.Run(c.name+" "+database, func(t *testing.T) {
				t.Parallel()
				app := newAppWith(t, options{newDB: newDB})
				app.changeCatalog(`operation: "30000.00"`, `operation: "3000.00"`) // of the level basic
				there := app.elsewhere()
				for name, open := range map[string]func(*browser, customer.Customer) string{
					"payment":  func(b *browser, _ customer.Customer) string { b.draft(company, "4000"); return "Оплатить" },
					"transfer": func(b *browser, to customer.Customer) string { b.sending(to, "4000"); return "Перевести" },
				} {
					holder, to := app.newCustomer(start), app.newCustomer(0)
					b := app.browserOf(holder)
					button := open(b, to)
					before := app.counts()
					c.change(b, there, holder)
					b.press(button)
					switch c.leads {
					case "receipt":
						b.wantPaid()
						app.wantBalance(holder, start-4_000_00)
						continue
					case "login":
						b.wantPath("/").wantStatus(http.StatusOK)
						b.open("/cabinet").wantPath("/")
					case "unavailable":
						b.wantStatus(http.StatusServiceUnavailable)
					default:
						b.shows(c.leads)
					}
					before.Messages = app.counts().Messages // some changes send one
					app.wantUnchanged(name, before)
					app.wantBalance(holder, start)
				}
			})
		}
	}
}

// A remembered session is read again after a minute, and its activity is stored.
func TestRememberedSessionIsReadAgain(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder).draft(company, "100")
	action, values := b.paying()
	app.advance(61 * time.Second)
	pressed := app.DB.Now()
	if answer := b.ask(http.MethodPost, action, values); answer.Code != http.StatusSeeOther {
		t.Fatalf("answered %d", answer.Code)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	app.handlers.Sessions.Run(ended) // stores it
	if n := app.count("SELECT COUNT(*) FROM sessions WHERE seen_at >= $1", pressed); n != 1 {
		t.Errorf("%d sessions have been used", n)
	}
}
