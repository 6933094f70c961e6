package web_test

import (
	"strings"
	"testing"
	"time"
)

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, fresh := app.newCustomer(300_00), "ветер над озером 7"
	old := app.browserOf(holder)
	b := app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти").press("Забыли пароль?").wantPath("/reset")
	if b.value("phone") != holder.Phone.Pretty() {
		t.Errorf("the number is asked again: %q", b.value("phone"))
	}
	b.fill("phone", "12").press("Получить код").wantStatus(422).wantErrors(map[string]string{"phone": "Номер записан неверно"})
	b.fill("phone", holder.Phone.String()).press("Получить код").wantPath("/reset/confirm")
	code := app.code(holder.Phone)
	b.fill("code", code).fill("password", "123").press("Сохранить").wantStatus(422).wantErrors(map[string]string{"password": "нужно не меньше 8"})
	if b.value("code") != code {
		t.Error("the code is gone")
	}
	b.fill("code", wrongCode(code)).fill("password", fresh).press("Сохранить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
	b.fill("code", code).fill("password", fresh).press("Сохранить").wantPath("/cabinet")
	old.open("/cabinet").wantPath("/")
	if texts := app.messages(holder.Phone); !strings.Contains(texts[0], "пароль для сайта сменили") {
		t.Errorf("the holder is told %q", texts)
	}
	// Payments are held for a day.
	before := app.counts()
	b.open("/pay/dostek").wantStatus(200).shows("Пароль недавно сменили по СМС. Платежи откроются")
	app.wantUnchanged("on hold", before)
	app.advance(24*time.Hour + time.Second)
	b = app.browser().open("/")
	b.logIn(holder.Phone, password)
	b.wantStatus(422).fill("password", fresh).press("Войти").wantPath("/cabinet")
	b.draft(company, "250").press("Оплатить").shows("250,00 сом")
}

// Drafts made before the reset are held too.
func TestHoldOnTheCheckPage(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "250")
	app.exec("UPDATE customers SET hold_until = ? WHERE id = ?", app.DB.Now().Add(time.Hour), holder.ID)
	before := app.counts()
	b.press("Оплатить").wantStatus(422).shows("Платежи откроются")
	app.wantUnchanged("on hold", before)
	app.wantBalance(holder, 300_00)
}

func TestResetDoesNotRevealUnknownNumbers(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var pages []string
	for _, number := range []string{app.newCustomer(0).Phone.String(), app.newNumber().String()} {
		b := app.browser().open("/reset").fill("phone", number).press("Получить код").wantPath("/reset/confirm").wantStatus(200)
		pages = append(pages, masked(b))
		b.fill("code", "123456").fill("password", "ветер над озером 7").press("Сохранить").wantStatus(422)
		pages = append(pages, masked(b))
	}
	if pages[0] != pages[2] || pages[1] != pages[3] {
		t.Errorf("the pages differ:\n%s", strings.Join(pages, "\n"))
	}
	if n := app.count("SELECT COUNT(*) FROM customers"); n != 1 {
		t.Errorf("%d customers", n)
	}
}
