package web_test

import (
	"strings"
	"testing"
	"time"
)

func TestTooManyCodes(t *testing.T) {
	t.Parallel()
	h := houseWith(t, setting{limits: true})
	number := h.number()
	for range 5 {
		b := h.browser().open("/").fill("phone", number.String()).press("Войти")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").isAt("/confirm")
	}
	before := h.books()
	b := h.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").answered(429).isAt("/signup").
		says("Слишком много попыток. Попробуйте снова через 60 минут")
	b.retryAfter(time.Hour)
	if _, ticked := b.field("offer").Attr("checked"); b.value("email") != email || !ticked {
		t.Error("what was typed is gone")
	}
	b.open("/reset").fill("phone", number.String()).press("Получить код").answered(429).isAt("/reset")
	if b.value("phone") != number.String() {
		t.Error("the number is gone")
	}
	h.unchanged("too many codes", before)
}

func TestTooManyChecks(t *testing.T) {
	t.Parallel()
	h := houseWith(t, setting{limits: true})
	b := h.as(h.holder(100_00)).open("/pay/dostek")
	for range 60 {
		b.ask("POST", "/pay/dostek", form(b, "account", company, "amount", "1"))
	}
	asked, before := h.biller.asked, h.books()
	b.fill("account", company).fill("amount", "1").press("Далее").answered(429).isAt("/pay/dostek").says("Слишком много попыток")
	b.retryAfter(10 * time.Minute)
	if b.value("account") != company || b.value("amount") != "1" || h.biller.asked != asked {
		t.Error("what was typed is gone, or the biller was asked")
	}
	h.unchanged("too many checks", before)
}

func TestBlocked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(300_00)
	b := h.as(who).draft(company, "100")
	must(t, h.customers.Block(t.Context(), who.ID))
	before := h.books()
	b.press("Оплатить").isAt("/")
	b.logIn(who.Phone, "не тот")
	b.answered(422).wrongAt(map[string]string{"password": "Пароль не подходит"}) // who doesn't know it isn't told
	b.fill("password", password).press("Войти").answered(422).isAt("/login").says("Кошелёк заблокирован")
	h.unchanged("blocked", before)
	must(t, h.customers.Unblock(t.Context(), who.ID))
	b.press("Изменить")
	b.logIn(who.Phone, password)
	b.says("Оплатить 100,00 сом").press("Оплатить").says("100,00 сом")
}

// The database may go at any moment: there is a page that says so, and no
// word of what broke.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.as(h.holder(300_00)).draft(company, "100")
	check := b.at.Path
	action, values := b.paying()
	must(t, h.db.Close())
	for _, path := range []string{"/cabinet", check, "/history", "/"} {
		if b.open(path); b.status != 503 {
			t.Errorf("%s: %d", path, b.status)
		}
	}
	shown := h.browser()
	if shown.read(b.ask("POST", action, values)); shown.status != 503 {
		t.Errorf("paying: %d", shown.status)
	}
	h.browser().open("/help").answered(200) // needs none
}

// The books may stop taking: then nothing is paid, and the page says so.
func TestBooksClosed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(300_00)
	b := h.as(who).draft(company, "100")
	check := b.at.Path
	h.ledger.Close()
	before := h.books()
	b.press("Оплатить").answered(503).says("Деньги не списаны")
	h.unchanged("closed books", before)
	b.open(check).says("Проверьте данные", "Оплатить 100,00 сом")
}

// One number proved in two browsers has one holder.
func TestSignUpInTwoBrowsers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	number := h.number()
	var both [2]*browser
	var codes [2]string
	for i := range both {
		both[i] = h.browser().open("/").fill("phone", number.String()).press("Войти")
		both[i].fill("email", email).fill("password", password+string(rune('0'+i))).tick("offer").press("Зарегистрироваться")
		codes[i] = h.code(number)
	}
	if codes[0] != codes[1] { // but for one time in a million
		both[1].fill("code", codes[0]).press("Подтвердить").answered(422) // the code is the other browser's
	}
	both[0].fill("code", codes[0]).press("Подтвердить").isAt("/cabinet")
	both[1].fill("code", codes[1]).press("Подтвердить").answered(422).isAt("/confirm").says("Этот номер уже зарегистрирован. Войдите с паролем")
	both[0].press("Выйти")
	both[0].logIn(number, password+"0")
	both[0].isAt("/cabinet")
	if n := h.rows("SELECT COUNT(*) FROM customers"); n != 1 {
		t.Errorf("%d customers", n)
	}
}

// Who lacks money finds the way back from where it is filled, and what was
// typed.
func TestWayBackFromFilling(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(300_00)
	b, first := h.as(who), h.as(who).draft(company, "250,50")
	check := first.at.Path
	first.draft(company, "200").press("Оплатить").answered(200)
	first.open(check).says("Не хватает денег").press("Пополнить кошелёк").says("Для платежа не хватает 150,50 сом").
		press("Вернуться к оплате").isAt(check)
	h.fill(who, 200_00)
	first.press("Пополнить кошелёк").press("Вернуться к оплате").isAt(check).press("Оплатить").answered(200)
	draft := strings.TrimPrefix(check, "/check/")
	for name, other := range map[string]*browser{"a paid one": b, "a stranger": h.as(h.holder(1_00)), "a visitor": h.browser()} {
		if other.open("/fill?back="+draft).answered(200).control("Вернуться к оплате").Length() > 0 {
			t.Errorf("%s is led to /check/%s", name, draft)
		}
	}
	b.open("/fill?back=//evil.example").answered(200)
	b.draft("0020 7199 6100 17", "70,5").answered(422).open("/fill").open("/pay/dostek")
	if b.value("account") != "0020 7199 6100 17" || b.value("amount") != "70,5" {
		t.Errorf("back from filling: %q and %q", b.value("account"), b.value("amount"))
	}
	b.draft(company, "70").answered(422).fill("amount", "10").press("Далее").answered(200)
	if b.open("/pay/dostek"); b.value("amount") != "10,00" {
		t.Errorf("what could not be paid came back after what can: %q", b.value("amount"))
	}
}
