package web_test

import (
	"strings"
	"testing"
	"time"
)

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, fresh := h.holder(300_00), "ветер над озером 7"
	old := h.as(who)
	b := h.browser().open("/").fill("phone", who.Phone.String()).press("Войти").press("Забыли пароль?").isAt("/reset")
	if b.value("phone") != who.Phone.Pretty() {
		t.Errorf("the number is asked again: %q", b.value("phone"))
	}
	b.fill("phone", "12").press("Получить код").answered(422).wrongAt(map[string]string{"phone": "Номер записан неверно"})
	b.fill("phone", who.Phone.String()).press("Получить код").isAt("/reset/confirm")
	code := h.code(who.Phone)
	b.fill("code", code).fill("password", "123").press("Сохранить").answered(422).wrongAt(map[string]string{"password": "нужно не меньше 8"})
	if b.value("code") != code {
		t.Error("the code is gone")
	}
	b.fill("code", wrong(code)).fill("password", fresh).press("Сохранить").answered(422).wrongAt(map[string]string{"code": "не подходит"})
	b.fill("code", code).fill("password", fresh).press("Сохранить").isAt("/cabinet")
	old.open("/cabinet").isAt("/")
	if texts := h.messages(who.Phone); !strings.Contains(texts[0], "пароль для сайта сменили") {
		t.Errorf("the holder is told %q", texts)
	}
	// For a day nothing is paid.
	before := h.books()
	b.open("/pay/dostek").answered(200).says("Пароль недавно сменили по СМС. Платежи откроются")
	h.unchanged("on hold", before)
	h.wait(24*time.Hour + time.Second)
	b = h.browser().open("/")
	b.logIn(who.Phone, password)
	b.answered(422).fill("password", fresh).press("Войти").isAt("/cabinet")
	b.draft(company, "250").press("Оплатить").says("250,00 сом")
}

// A draft that was made before is held too.
func TestHeldOnTheCheckPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(300_00)
	b := h.as(who).draft(company, "250")
	h.exec("UPDATE customers SET hold_until = ? WHERE id = ?", h.db.Now().Add(time.Hour), who.ID)
	before := h.books()
	b.press("Оплатить").answered(422).says("Платежи откроются")
	h.unchanged("on hold", before)
	h.holds(who, 300_00)
}

func TestResetOfAnUnknownNumberTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var pages []string
	for _, number := range []string{h.holder(0).Phone.String(), h.number().String()} {
		b := h.browser().open("/reset").fill("phone", number).press("Получить код").isAt("/reset/confirm").answered(200)
		pages = append(pages, masked(b))
		b.fill("code", "123456").fill("password", "ветер над озером 7").press("Сохранить").answered(422)
		pages = append(pages, masked(b))
	}
	if pages[0] != pages[2] || pages[1] != pages[3] {
		t.Errorf("the pages differ:\n%s", strings.Join(pages, "\n"))
	}
	if n := h.rows("SELECT COUNT(*) FROM customers"); n != 1 {
		t.Errorf("%d customers", n)
	}
}
