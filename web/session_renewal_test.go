package web_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/testkit/require"
)

// afterRenewal is longer than the time for which the old token is accepted.
const afterRenewal = 11 * time.Second

// copied returns a browser with this one's cookies and page, like a thief's, or like the
// one that sends a form twice.
func (b *browser) copied() *browser {
	b.t.Helper()
	other := b.app.browser()
	other.jar.SetCookies(b.at, b.jar.Cookies(b.at))
	other.at, other.page, other.status = b.at, b.page, b.status
	return other
}

// token returns the session's cookie.
func (b *browser) token() string {
	b.t.Helper()
	for _, cookie := range b.jar.Cookies(b.at) {
		if cookie.Name == "elsom" {
			return cookie.Value
		}
	}
	b.t.Fatal("no session cookie")
	return ""
}

// A cookie that was copied before a confirmation is signed out after it. The browser
// that confirmed, and the forms in its other tab, go on.
func TestConfirmationRenewsTheSession(t *testing.T) {
	forEachConfirmation(t, func(t *testing.T, app *testApp, operation, field string, holder customer.Customer, start func(*browser) *browser) {
		b := start(app.browserOf(holder))
		b.wantConfirmation(field)
		thief, before := b.copied(), b.token()
		tab := *b
		tab.open("/pay/dostek").fill("account", company).fill("amount", "100")
		b.prove(field, holder)
		b.press("Подтвердить").wantPaid()
		if b.token() == before {
			t.Error("the token is the same")
		}
		app.advance(afterRenewal)
		thief.open("/cabinet").wantPath("/")
		b.open("/cabinet").wantPath("/cabinet")
		tab.press("Далее").press("Оплатить").wantPaid()
		app.wantBalance(holder, 13_900_00)
		app.wantAudit()
	})
}

// A copied cookie doesn't become known in a browser where a confirmation is: not by the
// confirmation of the holder's.
func TestCopiedCookieIsNotKnown(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		holder := app.newCustomer(1000_00)
		b := app.strangeBrowserOf(holder)
		thief := b.copied()
		b.draft(company, "100").press("Оплатить")
		b.wantConfirmation("code")
		b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
		app.advance(afterRenewal)
		thief.open("/pay/dostek").wantPath("/")
		b.draft(company, "100").press("Оплатить").wantPaid() // without a confirmation
		app.wantBalance(holder, 800_00)
	})
}

// «Подтвердить» is pressed three times at once, in a browser that drops all responses
// but one: each leads to the one receipt and to a browser that is signed in.
func TestConfirmationPressedAgainStaysSignedIn(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		for field, pin := range map[string]bool{"pin": true, "code": false} {
			holder := app.newCustomer(20_000_00)
			if pin {
				require.NoError(t, app.Customers.SetPIN(context.Background(), holder, password, ownPIN))
			}
			b := app.browserOf(holder).draft(company, "6000").press("Оплатить")
			b.wantConfirmation(field)
			b.prove(field, holder)
			_, action, values := b.form(b.control("Подтвердить"))
			presses := []*browser{b.copied(), b.copied(), b.copied()}
			var all sync.WaitGroup
			for _, press := range presses {
				all.Go(func() { press.ask(http.MethodPost, action, values) })
			}
			all.Wait()
			late := b.copied()
			late.follow(http.MethodPost, action, values).wantPaid()
			app.advance(afterRenewal)
			for _, press := range append(presses, late) {
				if press.token() == b.token() {
					press = late // its response came before the renewal
				}
				press.open("/cabinet").wantPath("/cabinet")
			}
			app.wantBalance(holder, 14_000_00)
		}
		app.wantAudit()
	})
}

// Each proof within a session, by password, PIN or SMS code, gives it a new token.
func TestFurtherProofsRenewTheSession(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, fresh := app.newCustomer(1000_00), "ветер над озером 7"
	b := app.strangeBrowserOf(holder)
	for _, proof := range []struct {
		name string
		give func()
	}{
		{"the browser's code", func() {
			b.open("/settings/pin").fill("pin", ownPIN).fill("password", password).press("Задать ПИН-код").wantPath("/settings/browser")
			b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPath("/settings/pin")
		}},
		{"a first PIN", func() {
			b.open("/settings/pin").fill("pin", ownPIN).fill("password", password).press("Задать ПИН-код").wantPath("/settings")
		}},
		{"a new PIN", func() {
			b.open("/settings/pin").fill("old_pin", ownPIN).fill("pin", newPIN).press("Сменить ПИН-код").wantPath("/settings")
		}},
		{"the code that opens the PIN", func() {
			for range 5 {
				b.open("/settings/pin").fill("old_pin", badPIN).fill("pin", ownPIN).press("Сменить ПИН-код").wantStatus(422)
			}
			b.fill("password", password).press("Получить код").wantPath("/settings/pin/unlock")
			b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPath("/settings")
		}},
		{"another e-mail", func() {
			b.open("/settings/email").fill("email", "novaya@pochta.kg").fill("password", password).press("Изменить почту").wantPath("/settings")
		}},
		{"the end of other sessions", func() {
			app.browserOf(holder)
			b.open("/settings").fill("end_password", password).press("Закрыть все остальные входы").wantPath("/settings")
		}},
		{"a new password", func() {
			b.open("/settings").fill("old_password", password).fill("password", fresh).press("Сменить пароль").wantPath("/settings")
		}},
	} {
		thief, before := b.copied(), b.token()
		proof.give()
		if b.token() == before {
			t.Errorf("%s: the token is the same", proof.name)
		}
		app.advance(afterRenewal)
		thief.open("/cabinet").wantPath("/")
		b.open("/cabinet").wantPath("/cabinet")
		app.advance(customer.ResendPause)
	}
}
