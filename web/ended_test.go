package web_test

import (
	"net/http"
	"testing"

	"elsom/internal/customer"
)

// ends are the ways in which a session ends while its page is on the screen,
// each with its words.
var ends = []struct {
	name, says string
	end        func(b *browser, who customer.Customer)
}{
	{"from another device", "Вход закрыт с другого устройства.", func(b *browser, who customer.Customer) {
		b.h.as(who).open("/settings").press("Закрыть этот вход").says("Вход закрыт")
	}},
	{"with all others", "Вход закрыт с другого устройства.", func(b *browser, who customer.Customer) {
		b.h.as(who).open("/settings").press("Закрыть все остальные входы")
	}},
	{"by a new password", "Вход закрыт: пароль изменили.", func(b *browser, who customer.Customer) {
		b.h.as(who).open("/settings").fill("old_password", password).fill("password", newPassword).press("Сменить пароль").says("Пароль изменён")
	}},
	{"by a reset", "Вход закрыт: пароль изменили.", func(b *browser, who customer.Customer) {
		must(b.t, b.h.customers.SetPIN(b.t.Context(), who.ID, password, ownPIN)) // no hold, and the test goes on
		away := b.h.browser().open("/reset").fill("phone", who.Phone.String()).press("Получить код")
		away.fill("code", b.h.code(who.Phone)).fill("password", newPassword).press("Сохранить пароль").isAt("/cabinet")
	}},
	{"in another tab", "Вход закрыт. После этого ничего не оплачено и не изменено.", func(b *browser, _ customer.Customer) {
		tab := b.h.browser()
		tab.jar = b.jar
		tab.open("/cabinet").press("Выйти")
	}},
}

const newPassword = "совсем другой пароль"

// TestFormOfAnEndedSession posts a form whose session was ended meanwhile. The
// visitor reads why and what was not done, finds the number filled in, and after
// the login is at the page they came from, with what they had typed.
func TestFormOfAnEndedSession(t *testing.T) {
	t.Parallel()
	forms := map[string]struct {
		undone string
		open   func(b *browser, other customer.Customer)
		press  string
		back   func(b *browser)
	}{
		"payment": {"Ничего не оплачено, деньги не списаны.", func(b *browser, _ customer.Customer) { b.draft(company, "250") }, "Оплатить",
			func(b *browser) { b.says("Проверьте данные", "Оплатить 250,00 сом") }},
		"payment's form": {"Ничего не оплачено, деньги не списаны.", func(b *browser, _ customer.Customer) {
			b.open("/pay/dostek").fill("account", company).fill("amount", "17,30")
		}, "Далее", func(b *browser) {
			if b.value("account") != company || b.value("amount") != "17,30" {
				b.t.Errorf("what was typed is lost: %q, %q", b.value("account"), b.value("amount"))
			}
		}},
		"transfer": {"Ничего не переведено, деньги не списаны.", func(b *browser, other customer.Customer) { b.sending(other, "100") }, "Перевести 100",
			func(b *browser) { b.says("Проверьте данные", "Перевести 100,00 сом") }},
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
				h := newHouse(t)
				who, other := h.holder(300_00), h.holder(0)
				b := h.as(who)
				form.open(b, other)
				page := b.at.Path
				end.end(b, who)
				before := h.books()
				b.press(form.press).isAt("/").answered(http.StatusOK).says(end.says)
				if end.name != "in another tab" {
					b.says(form.undone)
					if b.value("phone") != who.Phone.Pretty() {
						t.Errorf("the number is not filled in: %q", b.value("phone"))
					}
				}
				h.unchanged("a form after the session's end", before)
				h.holds(who, 300_00)
				b.h.backIn(b, who)
				b.isAt(page).answered(http.StatusOK)
				if end.name != "in another tab" {
					form.back(b)
				}
			})
		}
	}
}

// backIn logs in with the password of now.
func (h *house) backIn(b *browser, who customer.Customer) {
	h.t.Helper()
	for _, word := range []string{password, newPassword} {
		if _, err := h.customers.LogIn(h.t.Context(), who.Phone, word, customer.Origin{Address: "192.0.2.99"}); err == nil {
			b.logIn(who.Phone, word)
			return
		}
	}
	h.t.Fatal("no password opens the wallet")
}

// TestEndedAfterPaying: what was accepted before the session ended is not said to be unpaid.
func TestEndedAfterPaying(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, other := h.holder(300_00), h.holder(0)
	b := h.as(who).draft(company, "100")
	action, values := b.paying()
	b.ask(http.MethodPost, action, values)
	h.as(who).open("/settings").press("Закрыть этот вход")
	b.follow(http.MethodPost, action, values).isAt("/").says("Вход закрыт с другого устройства. Этот платёж уже принят.")

	b = h.as(who).sending(other, "50")
	_, action, values = b.form(b.control("Перевести 50"))
	b.ask(http.MethodPost, action, values)
	h.as(who).open("/settings").press("Закрыть этот вход")
	b.follow(http.MethodPost, action, values).isAt("/").says("Вход закрыт с другого устройства. Этот перевод уже сделан.")
	h.holds(who, 150_00)
}

// TestEndedFormIsForItsHolder logs another holder in where a session ended: nothing typed is handed over.
func TestEndedFormIsForItsHolder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, other := h.holder(300_00), h.holder(0)
	b := h.as(who).open("/pay/dostek").fill("account", company).fill("amount", "17,30")
	h.as(who).open("/settings").press("Закрыть этот вход")
	b.press("Далее").isAt("/")
	b.logIn(other.Phone, password)
	b.isAt("/pay/dostek")
	if b.value("account") != "" || b.value("amount") != "" {
		t.Errorf("another holder finds %q and %q", b.value("account"), b.value("amount"))
	}
}

// TestStrangersFormsMakeNoRows posts forms of signed-in pages from nowhere.
func TestStrangersFormsMakeNoRows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := h.rows("SELECT COUNT(*) FROM sessions")
	for _, path := range []string{"/check/1", "/transfer/1", "/pay/dostek", "/settings/password"} {
		b := h.browser().open("/help")
		b.follow(http.MethodPost, path, form(b, "account", company)).isAt("/").says("Вход закрыт.")
	}
	if now := h.rows("SELECT COUNT(*) FROM sessions"); now != before {
		t.Errorf("%d rows of sessions", now-before)
	}
}
