package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/testkit/require"
)

// wantConfirmation checks that the browser is at the page that asks for field, and
// returns the address of the check page.
func (b *browser) wantConfirmation(field string) (check string) {
	b.t.Helper()
	check, ok := strings.CutSuffix(b.at.Path, "/confirm")
	if !ok || b.status != http.StatusOK {
		b.t.Fatalf("at %s (%d), want a page of confirmation:\n%s", b.at, b.status, b.text())
	}
	other := map[string]string{"pin": "code", "code": "pin"}[field]
	if b.field(field); b.page.Find("main [name="+other+"]").Length() > 0 {
		b.t.Errorf("%s asks for %s too", b.at, other)
	}
	if back := b.control("Назад").AttrOr("href", ""); back != check {
		b.t.Errorf("«Назад» leads to %q, want %q", back, check)
	}
	return check
}

// wantPaid checks that the browser is at a receipt.
func (b *browser) wantPaid() *browser {
	b.t.Helper()
	if !strings.HasPrefix(b.at.Path, "/receipt/") && !strings.HasPrefix(b.at.Path, "/transfer/done/") {
		b.t.Fatalf("at %s (%d), want a receipt:\n%s", b.at, b.status, b.text())
	}
	return b.wantStatus(http.StatusOK)
}

// codesSent returns the number of codes of payments and transfers sent to a customer.
func (app *testApp) codesSent(to customer.Customer) (n int) {
	app.t.Helper()
	for _, text := range app.messages(to.Phone) {
		if strings.Contains(text, "код ЭЛСОМ") {
			n++
		}
	}
	return n
}

// onDatabases runs a test on both databases.
func onDatabases(t *testing.T, test func(t *testing.T, app *testApp)) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newAppWith(t, options{newDB: newDB}))
		})
	}
}

// The first payment from an unknown browser needs an SMS code;
// logging in there again doesn't make it known.
func TestStrangeBrowserConfirms(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		holder := app.newCustomer(1000_00)
		b := app.strangeBrowserOf(holder)
		before := app.counts()
		b.draft(company, "250,50").press("Оплатить")
		check := b.wantConfirmation("code")
		b.shows("Подтвердите платёж", "250,50 сом", "0020 7199 6100 17", "Пока ничего не оплачено", "первую операцию в новом браузере").showsNot("суммы больше")
		app.wantBalance(holder, 1000_00)
		sms := app.messages(holder.Phone)[0]
		if !strings.Contains(sms, "250,50 сом") || !strings.Contains(sms, company) || !strings.Contains(sms, "DosTek") || digits.FindString(sms) != sms[:6] {
			t.Errorf("the SMS is %q", sms)
		}
		b.press("Назад").wantPath(check).press("Оплатить")
		b.wantConfirmation("code")
		b.open(b.at.Path).wantStatus(200) // a reload
		b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
		app.wantBalance(holder, 749_50)
		receipt := b.at.Path
		b.open(check + "/confirm").wantPath(receipt)
		if now := app.counts(); now.Payments != before.Payments+1 {
			t.Errorf("%d payments", now.Payments-before.Payments)
		}
		b.draft(company, "100").press("Оплатить").wantPaid()
		b.press("Выйти")
		b.logIn(holder.Phone, password)
		b.draft(company, "100").press("Оплатить").wantPaid()

		other := app.strangeBrowserOf(holder)
		other.press("Выйти")
		other.logIn(holder.Phone, password)
		other.draft(company, "100").press("Оплатить")
		other.wantConfirmation("code")
		app.wantBalance(holder, 549_50)
		app.wantAudit()
	})
}

func TestRegisteringBrowserIsKnown(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	b := app.browser().signUp(number)
	b.fill("code", app.code(number)).press("Подтвердить").wantPath("/cabinet")
	holder, err := app.Customers.ByPhone(context.Background(), number)
	require.NoError(t, err)
	app.deposit(holder, 10_000_00)
	b.draft(company, "100").press("Оплатить").wantPaid()
	b.press("Выйти")
	b.logIn(number, password)
	b.wantPath("/cabinet").draft(company, "100").press("Оплатить").wantPaid()
	app.wantBalance(holder, 9_800_00)
}

// Each operation above the level's amount is confirmed, in a known browser too.
func TestLargeSumIsConfirmed(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, to := app.newCustomer(50_000_00), app.newCustomer(0)
	b := app.browserOf(holder)
	b.draft(company, "5000").press("Оплатить").wantPaid()
	for range 2 {
		b.draft(company, "5000,01").press("Оплатить")
		b.wantConfirmation("code")
		b.shows("подтверждать суммы больше 5 000,00 сом").showsNot("новом браузере")
		b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
	}
	b.sending(to, "5000").press("Перевести 5").wantPaid()
	b.sending(to, "5000,01").press("Перевести 5")
	b.wantConfirmation("code")
	b.shows("Подтвердите перевод", to.Phone.Pretty(), "5 000,01 сом", "Пока ничего не переведено", "суммы больше 5 000,00 сом").showsNot("оплачено")
	if sms := app.messages(holder.Phone)[0]; !strings.Contains(sms, "5 000,01 сом") || !strings.Contains(sms, line(to.Phone.Pretty())) {
		t.Errorf("the SMS is %q", sms)
	}
	b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
	strange := app.strangeBrowserOf(holder).sending(to, "6000").press("Перевести 6")
	strange.wantConfirmation("code")
	strange.shows("подтверждать суммы больше 5 000,00 сом и первую операцию в новом браузере")
	app.wantBalance(to, 10_000_01)
	const above, none = `confirm_above: "5000.00"`, "confirm_above: none"
	app.changeCatalog(above, none, above, none, above, none) // of all levels
	b.draft(company, "6000").press("Оплатить").wantPaid()
	app.wantAudit()
}

// A wallet with a PIN confirms with it; no SMS is sent.
func TestPINConfirms(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		holder, to := app.newCustomer(20_000_00), app.newCustomer(0)
		require.NoError(t, app.Customers.SetPIN(context.Background(), holder, password, ownPIN))
		b := app.strangeBrowserOf(holder)
		b.draft(company, "250").press("Оплатить")
		b.wantConfirmation("pin")
		b.press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"pin": "ПИН-код – это 4 цифры"})
		b.fill("pin", badPIN).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"pin": "Осталось попыток: 4"})
		app.wantBalance(holder, 20_000_00)
		b.fill("pin", ownPIN).press("Подтвердить").wantPaid()
		b.sending(to, "6000").press("Перевести 6")
		b.wantConfirmation("pin")
		for range 4 {
			b.fill("pin", badPIN).press("Подтвердить").wantStatus(422)
		}
		b.fill("pin", badPIN).press("Подтвердить").wantStatus(422).shows("ПИН-код закрыт до")
		b.fill("pin", ownPIN).press("Подтвердить").wantStatus(422).shows("ПИН-код закрыт до")
		app.wantBalance(holder, 19_750_00)
		if n := app.codesSent(holder); n != 0 {
			t.Errorf("%d codes were sent to a wallet with a PIN", n)
		}
	})
}

func TestWrongConfirmationCodePaysNothing(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		holder := app.newCustomer(1000_00)
		b := app.strangeBrowserOf(holder).draft(company, "100").press("Оплатить")
		b.wantConfirmation("code")
		code := app.code(holder.Phone)
		before := app.counts()
		for typed, want := range map[string]string{"": "Введите код", "12345": "6 цифр", wrongCode(code): "не подходит", "１２３４": "6 цифр"} {
			b.fill("code", typed).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": want})
			if typed != "" && b.value("code") != typed {
				t.Errorf("%q was not kept", typed)
			}
		}
		app.wantUnchanged("wrong codes", before)
		app.wantBalance(holder, 1000_00)
	})
}

func TestConfirmationCodeHasFiveTries(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.strangeBrowserOf(holder).draft(company, "100").press("Оплатить")
	check := b.wantConfirmation("code")
	code := app.code(holder.Phone)
	for range 5 {
		b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422)
	}
	b.fill("code", code).press("Подтвердить").wantStatus(429).shows("Попытки для этого кода из СМС закончились")
	app.wantBalance(holder, 1000_00)
	b.open(check).press("Оплатить") // sends another
	b.wantConfirmation("code")
	if app.code(holder.Phone) == code {
		t.Fatal("no other code was sent")
	}
	b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
}

func TestConfirmationCodeExpires(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.strangeBrowserOf(holder).draft(company, "100").press("Оплатить")
	b.wantConfirmation("code")
	code := app.code(holder.Phone)
	app.advance(customer.CodeLife + time.Second)
	b.fill("code", code).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "Срок кода"})
	app.wantBalance(holder, 1000_00)
	b.press("Отправить").fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
}

// A draft has four codes at most, also if it is started anew.
func TestCodesOfADraftAreBounded(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.strangeBrowserOf(holder).draft(company, "100").press("Оплатить")
	check := b.wantConfirmation("code")
	for range 3 {
		b.press("Отправить").wantStatus(429)
		app.advance(customer.ResendPause + time.Second)
		b.open(check + "/confirm").press("Отправить").wantStatus(200)
	}
	app.advance(customer.ResendPause + time.Second)
	b.open(check + "/confirm").press("Отправить").wantStatus(429).shows("СМС-коды для этой операции закончились")
	code := app.code(holder.Phone)
	for range 5 {
		b.open(check+"/confirm").fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422)
	}
	b.open(check).press("Оплатить").wantStatus(429).shows("СМС-коды для этой операции закончились")
	if n := app.codesSent(holder); n != 4 {
		t.Errorf("%d codes were sent", n)
	}
	app.wantBalance(holder, 1000_00)
	b.draft(company, "100").press("Оплатить") // another draft
	b.wantConfirmation("code")
	b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPaid()
}

func TestPressingPayAgainSendsOneCode(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		holder := app.newCustomer(1000_00)
		b := app.strangeBrowserOf(holder).draft(company, "100")
		action, values := b.paying()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				answer := b.ask(http.MethodPost, action, values)
				if place := answer.Header().Get("Location"); answer.Code != http.StatusSeeOther || place != action+"/confirm" {
					t.Errorf("answered %d to %s", answer.Code, place)
				}
			})
		}
		all.Wait()
		if n := app.codesSent(holder); n != 1 {
			t.Errorf("%d codes were sent", n)
		}
		b.open(action+"/confirm").fill("code", app.code(holder.Phone))
		_, action, values = b.form(b.control("Подтвердить"))
		for range 10 {
			all.Go(func() {
				answer := b.ask(http.MethodPost, action, values)
				if place := answer.Header().Get("Location"); answer.Code != http.StatusSeeOther || !strings.HasPrefix(place, "/receipt/") {
					t.Errorf("answered %d to %s", answer.Code, place)
				}
			})
		}
		all.Wait()
		app.wantBalance(holder, 900_00)
		app.wantAudit()
	})
}
