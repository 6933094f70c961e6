package web_test

import (
	"net/http"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/testkit/require"
)

// ends are the ways in which a session ends while its page is open, with the text on
// the login page.
var ends = []struct {
	name, note string
	end        func(b *browser, holder customer.Customer)
}{
	{"from another device", "Вход закрыт с другого устройства.", func(b *browser, holder customer.Customer) {
		b.app.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть этот вход").shows("Вход закрыт")
	}},
	{"with all others", "Вход закрыт с другого устройства.", func(b *browser, holder customer.Customer) {
		b.app.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть все остальные входы")
	}},
	{"by a new password", "Вход закрыт: пароль изменили.", func(b *browser, holder customer.Customer) {
		b.app.browserOf(holder).open("/settings").fill("old_password", password).fill("password", newPassword).press("Сменить пароль").shows("Пароль изменён")
	}},
	{"by a reset", "Вход закрыт: пароль изменили.", func(b *browser, holder customer.Customer) {
		require.NoError(b.t, b.app.Customers.SetPIN(b.t.Context(), holder, password, ownPIN)) // no hold, and the test goes on
		away := b.app.browser().open("/reset").fill("phone", holder.Phone.String()).press("Получить код")
		away.fill("code", b.app.code(holder.Phone)).fill("password", newPassword).press("Сохранить пароль").wantPath("/cabinet")
	}},
	{"in another tab", "Вход закрыт. После этого ничего не оплачено и не изменено.", func(b *browser, _ customer.Customer) {
		tab := b.app.browser()
		tab.jar = b.jar
		tab.open("/cabinet").press("Выйти")
	}},
}

const newPassword = "совсем другой пароль"

// TestFormOfEndedSession posts a form after its session has ended. The login page
// shows why and what was not done, with the number filled in; the login returns to
// the form with the typed values.
func TestFormOfEndedSession(t *testing.T) {
	t.Parallel()
	forms := map[string]struct {
		undone string
		open   func(b *browser, other customer.Customer)
		press  string
		back   func(b *browser)
	}{
		"payment": {"Ничего не оплачено, деньги не списаны.", func(b *browser, _ customer.Customer) { b.draft(company, "250") }, "Оплатить",
			func(b *browser) { b.shows("Проверьте данные", "Оплатить 250,00 сом") }},
		"payment's form": {"Ничего не оплачено, деньги не списаны.", func(b *browser, _ customer.Customer) {
			b.open("/pay/dostek").fill("account", company).fill("amount", "17,30")
		}, "Далее", func(b *browser) {
			if b.value("account") != company || b.value("amount") != "17,30" {
				b.t.Errorf("what was typed is lost: %q, %q", b.value("account"), b.value("amount"))
			}
		}},
		"transfer": {"Ничего не переведено, деньги не списаны.", func(b *browser, other customer.Customer) { b.sending(other, "100") }, "Перевести 100",
			func(b *browser) { b.shows("Проверьте данные", "Перевести 100,00 сом") }},
		"transfer's form": {"Ничего не переведено, деньги не списаны.", func(b *browser, other customer.Customer) {
			b.open("/transfer").fill("phone", other.Phone.String()).fill("amount", "12")
		}, "Далее", func(b *browser) {
			if b.value("phone") == "" || b.value("amount") != "12" {
				b.t.Errorf("what was typed is lost: %q, %q", b.value("phone"), b.value("amount"))
			}
		}},
		"settings": {"Ничего не изменено.", func(b *browser, _ customer.Customer) {
			b.open("/settings/pin").fill("password", password).fill("pin", ownPIN)
		}, "Задать ПИН-код", func(*browser) {}},
	}
	for _, end := range ends {
		for name, form := range forms {
			t.Run(name+" "+end.name, func(t *testing.T) {
				t.Parallel()
				app := newApp(t)
				holder, other := app.newCustomer(300_00), app.newCustomer(0)
				b := app.browserOf(holder)
				form.open(b, other)
				page := b.at.Path
				end.end(b, holder)
				before := app.counts()
				b.press(form.press).wantPath("/").wantStatus(http.StatusOK).shows(end.note)
				if end.name != "in another tab" {
					b.shows(form.undone)
					if b.value("phone") != holder.Phone.Pretty() {
						t.Errorf("the number is not filled in: %q", b.value("phone"))
					}
				}
				app.wantUnchanged("a form after the session's end", before)
				app.wantBalance(holder, 300_00)
				b.app.backIn(b, holder)
				b.wantPath(page).wantStatus(http.StatusOK)
				if end.name != "in another tab" {
					form.back(b)
				}
			})
		}
	}
}

// backIn logs in with the current password.
func (app *testApp) backIn(b *browser, holder customer.Customer) {
	app.t.Helper()
	for _, word := range []string{password, newPassword} {
		if _, err := app.Customers.LogIn(app.t.Context(), holder.Phone, word, customer.Origin{Address: "192.0.2.99"}); err == nil {
			b.logIn(holder.Phone, word)
			return
		}
	}
	app.t.Fatal("no password opens the wallet")
}

// TestSessionEndedAfterPaying checks that a draft which was accepted before the
// session ended is not reported as unpaid.
func TestSessionEndedAfterPaying(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, other := app.newCustomer(300_00), app.newCustomer(0)
	b := app.browserOf(holder).draft(company, "100")
	action, values := b.paying()
	b.ask(http.MethodPost, action, values)
	app.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть этот вход")
	b.follow(http.MethodPost, action, values).wantPath("/").shows("Вход закрыт с другого устройства. Этот платёж уже принят.")

	b = app.browserOf(holder).sending(other, "50")
	_, action, values = b.form(b.control("Перевести 50"))
	b.ask(http.MethodPost, action, values)
	app.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть этот вход")
	b.follow(http.MethodPost, action, values).wantPath("/").shows("Вход закрыт с другого устройства. Этот перевод уже сделан.")
	app.wantBalance(holder, 150_00)
}

// TestUnsentFormIsForItsCustomer logs another customer in after a session has ended:
// the typed values are dropped.
func TestUnsentFormIsForItsCustomer(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, other := app.newCustomer(300_00), app.newCustomer(0)
	b := app.browserOf(holder).open("/pay/dostek").fill("account", company).fill("amount", "17,30")
	app.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть этот вход")
	b.press("Далее").wantPath("/")
	b.logIn(other.Phone, password)
	b.wantPath("/pay/dostek")
	if b.value("account") != "" || b.value("amount") != "" {
		t.Errorf("another customer finds %q and %q", b.value("account"), b.value("amount"))
	}
}

// TestVisitorsFormsCreateNoRows posts customers' forms without a session.
func TestVisitorsFormsCreateNoRows(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	before := app.count("SELECT COUNT(*) FROM sessions")
	for _, path := range []string{"/check/1", "/transfer/1", "/pay/dostek", "/settings/password"} {
		b := app.browser().open("/help")
		b.follow(http.MethodPost, path, form(b, "account", company)).wantPath("/").shows("Вход закрыт.")
	}
	if now := app.count("SELECT COUNT(*) FROM sessions"); now != before {
		t.Errorf("%d rows of sessions", now-before)
	}
}
