package web_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/phone"
	"elsom/internal/testkit/require"
)

const (
	ownPIN = "7302"
	newPIN = "8461"
	badPIN = "9153"
)

var four = regexp.MustCompile(`\b\d{4}\b`)

// dialed returns a customer who opened the wallet by *900# and registered on the
// site afterwards, with the PIN from the SMS.
func (app *testApp) dialed() (holder customer.Customer, pin string) {
	app.t.Helper()
	ctx := context.Background()
	holder, err := app.Customers.RegisterByUSSD(ctx, customer.USSDSignup{
		Phone: app.newNumber(), Name: "Айжан Үсөнова", INN: "21603198500123", Lang: "ru", OfferVersion: customer.OfferVersion, Gateway: "ussd",
	})
	require.NoError(app.t, err)
	app.deposit(holder, 1000_00)
	texts := app.messages(holder.Phone)
	pin = four.FindString(texts[len(texts)-1]) // the newest is of the cash
	b := app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти").wantPath("/signup")
	b.fill("email", "aizhan@example.kg").fill("password", password).tick("offer").press("Зарегистрироваться")
	b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPath("/cabinet").shows("1 000,00")
	holder, err = app.Customers.ByID(ctx, holder.ID)
	require.NoError(app.t, err)
	return holder, pin
}

// *900# and the site share one wallet; only the first payment on the site requires
// the PIN.
func TestOneWalletForAllChannels(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, pin := app.dialed()
	b := app.browserOf(holder).draft(company, "250,50")
	check := b.at.Path
	before := app.counts()
	b.press("Оплатить").wantStatus(422).wantPath(check).wantErrors(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", "12345").press("Оплатить").wantStatus(422).wantErrors(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", another(pin)).press("Оплатить").wantStatus(422).wantErrors(map[string]string{"pin": "Осталось попыток: 4"})
	if b.value("pin") != "" {
		t.Error("the page gives a PIN back")
	}
	app.wantUnchanged("without the PIN", before)

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
	app.wantBalance(holder, 749_50)
	b.draft(company, "100")
	if b.page.Find("input[name=pin]").Length() > 0 {
		t.Error("the PIN is asked a second time")
	}
	b.press("Оплатить").wantStatus(200)
	app.wantBalance(holder, 649_50)
	app.wantAudit()
}

func another(pin string) string { return string((pin[0]-'0'+1)%10+'0') + pin[1:] }

// Five wrong PINs lock the PIN, and the page says what to do; nothing is paid.
func TestLockedPINPaysNothing(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, pin := app.dialed()
	b := app.browserOf(holder).draft(company, "250,50")
	before := app.counts()
	for range 4 {
		b.fill("pin", another(pin)).press("Оплатить").wantStatus(422)
	}
	app.wantUnchanged("wrong PINs", before)
	b.fill("pin", another(pin)).press("Оплатить").wantStatus(422).shows("ПИН-код закрыт до", "Пока ничего не оплачено")
	b.fill("pin", pin).press("Оплатить").wantStatus(422).shows("ПИН-код закрыт до")
	app.wantBalance(holder, 1000_00)

	// The password was set by SMS, so another SMS can't unlock the PIN.
	b.press("ПИН-код закрыт или его нужно сменить").wantPath("/settings/pin").shows("Его 5 раз ввели неверно", "откроет только сотрудник")
	if b.page.Find("input[name=password]").Length() > 0 {
		t.Error("the page offers what is refused")
	}
	app.exec("UPDATE customers SET pin_owed = FALSE WHERE id = $1", holder.ID)
	app.resign()
	b.open("/settings/pin").shows("Его 5 раз ввели неверно", "введите пароль и код из СМС")
	b.press("Получить код").wantStatus(422).wantErrors(map[string]string{"password": "Введите пароль"})
	b.fill("password", password+"?").press("Получить код").wantStatus(422).wantErrors(map[string]string{"password": "Пароль не подходит"})
	b.fill("password", password).press("Получить код").wantPath("/settings/pin/unlock")
	code := app.code(holder.Phone)
	b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "Код из СМС не подходит"})
	b.fill("code", code).press("Подтвердить").wantPath("/settings")
	if texts := b.page.Find("body").Text(); !strings.Contains(texts, "ПИН-код снова открыт") {
		t.Error("nothing shows that it is open")
	}
	b.open("/settings/pin/unlock").wantPath("/settings/pin").shows("Сейчас действует ПИН-код из СМС")
	app.exec("UPDATE customers SET pin_owed = TRUE WHERE id = $1", holder.ID)
	app.resign()
	b.draft(company, "250,50").fill("pin", pin).press("Оплатить").wantStatus(200)
	app.wantBalance(holder, 749_50)
	b.open("/settings/pin").shows("ПИН-код из СМС уже использован")
}

// The page of an expired PIN has no form; it says where a new one comes from.
func TestExpiredPINHasNoForm(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, pin := app.dialed()
	app.browserOf(holder).open("/settings/pin").shows("Он подтверждает один платёж, до ")
	app.advance(30 * 24 * time.Hour)
	b := app.browserOf(holder).open("/settings/pin").shows("Срок ПИН-кода истёк", "новый ПИН-код выдаст сотрудник")
	if n := b.page.Find("main form, main [name=old_pin]").Length(); n != 0 {
		t.Errorf("%d forms", n)
	}
	b.draft(company, "100").press("Оплатить").fill("pin", pin).press("Оплатить").wantStatus(422).shows("Не получилось", "Деньги не списаны", "новый выдаст сотрудник")
	app.wantBalance(holder, 1000_00)
}

func TestPINIsSetAndChangedOnTheSite(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(100_00)
	b := app.browserOf(holder).open("/settings").press("Задать ПИН-код").wantPath("/settings/pin")
	b.press("Задать ПИН-код").wantStatus(422).wantErrors(map[string]string{"password": "Введите пароль", "pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", ownPIN).fill("password", password+"?").press("Задать ПИН-код").wantStatus(422).wantErrors(map[string]string{"password": "Пароль не подходит"})
	b.fill("password", password).fill("pin", "1234").press("Задать ПИН-код").wantStatus(422).wantErrors(map[string]string{"pin": "легко угадать"})
	b.fill("password", password).fill("pin", last(holder.Phone)).press("Задать ПИН-код").wantStatus(422).wantErrors(map[string]string{"pin": "легко угадать"})
	b.fill("password", password).fill("pin", ownPIN).press("Задать ПИН-код").wantPath("/settings")
	if texts := app.messages(holder.Phone); !strings.Contains(texts[0], "новый ПИН-код") {
		t.Errorf("told %q", texts)
	}
	b.press("Сменить ПИН-код").wantPath("/settings/pin")
	b.fill("pin", newPIN).press("Сменить ПИН-код").wantStatus(422).wantErrors(map[string]string{"old_pin": "ПИН-код – это 4 цифры"})
	b.fill("old_pin", badPIN).fill("pin", newPIN).press("Сменить ПИН-код").wantStatus(422).wantErrors(map[string]string{"old_pin": "Осталось попыток: 4"})
	b.fill("old_pin", ownPIN).fill("pin", ownPIN).press("Сменить ПИН-код").wantStatus(422).wantErrors(map[string]string{"pin": "не отличается"})
	b.fill("old_pin", ownPIN).fill("pin", newPIN).press("Сменить ПИН-код").wantPath("/settings")
	require.NoError(t, app.Customers.CheckPIN(context.Background(), holder.ID, newPIN, customer.ForPayment, "payment:1"))
	// Two open forms: the second is refused since a PIN is set.
	for range 4 {
		b.open("/settings/pin").fill("old_pin", badPIN).fill("pin", ownPIN).press("Сменить ПИН-код").wantStatus(422)
	}
	b.fill("old_pin", badPIN).fill("pin", ownPIN).press("Сменить ПИН-код").wantStatus(422).shows("ПИН-код закрыт", "Получить код")
	// A wallet registered on the site pays without a PIN.
	b.draft(company, "50").press("Оплатить").wantStatus(200)
	app.wantBalance(holder, 50_00)
}

func last(number phone.Number) string { return number.String()[len(number)-4:] }

// After a reset by SMS the site requires the PIN before a payment.
func TestResetRequiresPIN(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	require.NoError(t, app.Customers.SetPIN(context.Background(), holder, password, ownPIN))
	b := app.browser().open("/reset").fill("phone", holder.Phone.String()).press("Получить код").wantPath("/reset/confirm")
	b.fill("code", app.code(holder.Phone)).fill("password", "совсем другой пароль").press("Сохранить пароль").wantPath("/cabinet")
	b.draft(company, "250").press("Оплатить").wantStatus(422).wantErrors(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("pin", ownPIN).press("Оплатить").wantStatus(200)
	app.wantBalance(holder, 750_00)
}
