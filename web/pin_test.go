package web_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/phone"
)

const (
	ownPIN = "7302"
	newPIN = "8461"
	badPIN = "9153"
)

var four = regexp.MustCompile(`\b\d{4}\b`)

// dialed gives a holder who opened the wallet by *900# and signed up on the
// site afterwards, with the PIN from the SMS.
func (h *house) dialed() (who customer.Customer, pin string) {
	h.t.Helper()
	ctx := context.Background()
	who, err := h.customers.RegisterByUSSD(ctx, customer.USSDSignup{
		Phone: h.number(), Name: "Айжан Үсөнова", INN: "21603198500123", Lang: "ru", OfferVersion: customer.OfferVersion, Gateway: "ussd",
	})
	must(h.t, err)
	h.fill(who, 1000_00)
	texts := h.messages(who.Phone)
	pin = four.FindString(texts[len(texts)-1]) // the newest is of the cash
	b := h.browser().open("/").fill("phone", who.Phone.String()).press("Войти").isAt("/signup")
	b.fill("email", "aizhan@example.kg").fill("password", password).tick("offer").press("Зарегистрироваться")
	b.fill("code", h.code(who.Phone)).press("Подтвердить").isAt("/cabinet").says("1 000,00")
	who, err = h.customers.ByID(ctx, who.ID)
	must(h.t, err)
	return who, pin
}

// The wallet of *900# is the wallet of the site; the first payment there needs
// the PIN, and no other does.
func TestOneWalletForAllChannels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, pin := h.dialed()
	b := h.as(who).draft(company, "250,50")
	check := b.at.Path
	before := h.books()
	b.press("Оплатить").answered(422).isAt(check).wrongAt(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", "12345").press("Оплатить").answered(422).wrongAt(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", another(pin)).press("Оплатить").answered(422).wrongAt(map[string]string{"pin": "Осталось попыток: 4"})
	if b.value("pin") != "" {
		t.Error("the page gives a PIN back")
	}
	h.unchanged("without the PIN", before)

	b.fill("pin", pin)
	action, values := b.paying()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if answer := b.ask(http.MethodPost, action, values); answer.Code != http.StatusSeeOther {
				t.Errorf("answered %d: %s", answer.Code, answer.Body)
			}
		})
	}
	all.Wait()
	h.holds(who, 749_50)
	b.draft(company, "100")
	if b.page.Find("input[name=pin]").Length() > 0 {
		t.Error("the PIN is asked a second time")
	}
	b.press("Оплатить").answered(200)
	h.holds(who, 649_50)
	h.audited()
}

func another(pin string) string { return string((pin[0]-'0'+1)%10+'0') + pin[1:] }

// Five wrong ones lock the PIN and the page says what to do; nothing is paid.
func TestLockedPINPaysNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, pin := h.dialed()
	b := h.as(who).draft(company, "250,50")
	before := h.books()
	for range 4 {
		b.fill("pin", another(pin)).press("Оплатить").answered(422)
	}
	h.unchanged("wrong PINs", before)
	b.fill("pin", another(pin)).press("Оплатить").answered(422).says("ПИН-код закрыт до", "Пока ничего не оплачено")
	b.fill("pin", pin).press("Оплатить").answered(422).says("ПИН-код закрыт до")
	h.holds(who, 1000_00)

	// The password came of an SMS, so that another SMS opens nothing.
	b.press("ПИН-код закрыт или его нужно сменить").isAt("/settings/pin").says("Его 5 раз ввели неверно", "откроет только сотрудник")
	if b.page.Find("input[name=password]").Length() > 0 {
		t.Error("the page offers what is refused")
	}
	h.exec("UPDATE customers SET pin_owed = FALSE WHERE id = $1", who.ID)
	b.open("/settings/pin").says("Его 5 раз ввели неверно", "введите пароль и код из СМС")
	b.press("Получить код").answered(422).wrongAt(map[string]string{"password": "Введите пароль"})
	b.fill("password", password+"?").press("Получить код").answered(422).wrongAt(map[string]string{"password": "Пароль не подходит"})
	b.fill("password", password).press("Получить код").isAt("/settings/pin/unlock")
	code := h.code(who.Phone)
	b.fill("code", wrong(code)).press("Подтвердить").answered(422).wrongAt(map[string]string{"code": "Код из СМС не подходит"})
	b.fill("code", code).press("Подтвердить").isAt("/settings")
	if texts := b.page.Find("body").Text(); !strings.Contains(texts, "ПИН-код снова открыт") {
		t.Error("nothing tells that it is open")
	}
	b.open("/settings/pin/unlock").isAt("/settings/pin").says("Сейчас действует ПИН-код из СМС")
	h.exec("UPDATE customers SET pin_owed = TRUE WHERE id = $1", who.ID)
	b.draft(company, "250,50").fill("pin", pin).press("Оплатить").answered(200)
	h.holds(who, 749_50)
	b.open("/settings/pin").says("ПИН-код из СМС уже использован")
}

func TestPINIsSetAndChangedOnTheSite(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(100_00)
	b := h.as(who).open("/settings").press("Задать ПИН-код").isAt("/settings/pin")
	b.press("Задать ПИН-код").answered(422).wrongAt(map[string]string{"password": "Введите пароль", "pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", ownPIN).fill("password", password+"?").press("Задать ПИН-код").answered(422).wrongAt(map[string]string{"password": "Пароль не подходит"})
	b.fill("password", password).fill("pin", "1234").press("Задать ПИН-код").answered(422).wrongAt(map[string]string{"pin": "легко угадать"})
	b.fill("password", password).fill("pin", last(who.Phone)).press("Задать ПИН-код").answered(422).wrongAt(map[string]string{"pin": "легко угадать"})
	b.fill("password", password).fill("pin", ownPIN).press("Задать ПИН-код").isAt("/settings")
	if texts := h.messages(who.Phone); !strings.Contains(texts[0], "новый ПИН-код") {
		t.Errorf("told %q", texts)
	}
	b.press("Сменить ПИН-код").isAt("/settings/pin")
	b.fill("pin", newPIN).press("Сменить ПИН-код").answered(422).wrongAt(map[string]string{"old_pin": "ПИН-код – это 4 цифры"})
	b.fill("old_pin", badPIN).fill("pin", newPIN).press("Сменить ПИН-код").answered(422).wrongAt(map[string]string{"old_pin": "Осталось попыток: 4"})
	b.fill("old_pin", ownPIN).fill("pin", ownPIN).press("Сменить ПИН-код").answered(422).wrongAt(map[string]string{"pin": "не отличается"})
	b.fill("old_pin", ownPIN).fill("pin", newPIN).press("Сменить ПИН-код").isAt("/settings")
	must(t, h.customers.CheckPIN(context.Background(), who.ID, newPIN, customer.ForPayment, "payment:1"))
	// Two pages of one form: the second finds that there is a PIN.
	for range 4 {
		b.open("/settings/pin").fill("old_pin", badPIN).fill("pin", ownPIN).press("Сменить ПИН-код").answered(422)
	}
	b.fill("old_pin", badPIN).fill("pin", ownPIN).press("Сменить ПИН-код").answered(422).says("ПИН-код закрыт", "Получить код")
	// A wallet of the site owes nothing: it pays without a PIN.
	b.draft(company, "50").press("Оплатить").answered(200)
	h.holds(who, 50_00)
}

func last(number phone.Number) string { return number.String()[len(number)-4:] }

// After a new password by SMS the site wants the PIN before it pays.
func TestResetAsksThePIN(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(1000_00)
	must(t, h.customers.SetPIN(context.Background(), who.ID, password, ownPIN))
	b := h.browser().open("/reset").fill("phone", who.Phone.String()).press("Получить код").isAt("/reset/confirm")
	b.fill("code", h.code(who.Phone)).fill("password", "совсем другой пароль").press("Сохранить пароль").isAt("/cabinet")
	b.draft(company, "250").press("Оплатить").answered(422).wrongAt(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", ownPIN).press("Оплатить").answered(200)
	h.holds(who, 750_00)
}
