package web_test

import (
	"strings"
	"testing"
	"time"

	"elsom/internal/customer"
)

// After 100 failed logins of a day a browser in which the holder has never logged in
// needs an SMS code besides the password; other browsers don't.
func TestManyFailuresRequireACode(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newAppWith(t, options{limits: true, newDB: newDB})
			holder := app.newCustomer(1000_00)
			familiar := app.browserOf(holder)
			familiar.press("Выйти")
			guesses := 0
			for range 100 {
				guesser := app.browser()
				guesser.from = "203.0.113.9:1"
				guesser.open("/")
				guesser.logIn(holder.Phone, "наугад набранный")
				guesses++
				if guesses%5 == 0 {
					app.advance(6 * time.Minute)
				}
			}
			told := 0
			for _, text := range app.messages(holder.Phone) {
				if strings.Contains(text, "много раз вводили неверно") {
					told++
				}
			}
			if told != 1 {
				t.Errorf("told %d times of failures", told)
			}
			familiar.open("/")
			familiar.logIn(holder.Phone, password)
			familiar.wantPath("/cabinet")

			b := app.browser()
			b.from = "198.51.100.4:1"
			b.open("/login/code").wantPath("/")
			b.logIn(holder.Phone, "не тот пароль")
			b.wantStatus(422).wantPath("/login")
			b.fill("password", password).press("Войти").wantPath("/login/code").wantStatus(200)
			b.open("/cabinet").wantPath("/") // not signed in
			b.open("/login/code")
			code := app.code(holder.Phone)
			b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
			// Another session can't use the code.
			other := app.browser()
			other.from = b.from
			other.open("/").fill("phone", holder.Phone.String()).press("Войти").open("/login/code").wantPath("/login")
			b.fill("code", code).press("Подтвердить").wantPath("/cabinet")
			// The browser is still unknown: paying is confirmed.
			b.draft(company, "100").press("Оплатить")
			b.wantConfirmation("code")
			app.advance(customer.CodeLife)
			app.wantBalance(holder, 1000_00)
		})
	}
}

// The holder gets an SMS about a login in a new browser, at most three a day.
func TestNewBrowserIsTold(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	holder := app.newCustomer(0)
	told := func() (n int) {
		for _, text := range app.allMessages(holder.Phone) {
			if strings.Contains(text, "вход в кошелёк в новом браузере") {
				n++
			}
		}
		return n
	}
	b := app.strangeBrowserOf(holder)
	if n := told(); n != 1 {
		t.Fatalf("told %d times", n)
	}
	b.press("Выйти")
	b.logIn(holder.Phone, password)
	b.wantPath("/cabinet")
	if n := told(); n != 1 {
		t.Errorf("told %d times after another login there", n)
	}
	for range 4 {
		app.strangeBrowserOf(holder)
	}
	if n := told(); n != 3 {
		t.Errorf("told %d times of five browsers", n)
	}
}

// The password alone can't choose the PIN that confirms payments.
func TestPINInAStrangeBrowser(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.strangeBrowserOf(holder).open("/settings/browser").wantPath("/settings/pin")
	b.fill("pin", ownPIN).fill("password", password).press("Задать ПИН-код").wantPath("/settings/browser")
	if n := app.count("SELECT COUNT(*) FROM pins"); n != 0 {
		t.Fatal("the PIN is set")
	}
	code := app.code(holder.Phone)
	b.fill("code", wrongCode(code)).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
	b.press("Отправить").wantStatus(429)
	b.open("/settings/browser").fill("code", code).press("Подтвердить").wantPath("/settings/pin")
	b.fill("pin", ownPIN).fill("password", password).press("Задать ПИН-код").wantPath("/settings")
	b.draft(company, "100").press("Оплатить").wantPaid()
	b.open("/settings/browser").wantPath("/settings/pin")
	app.wantBalance(holder, 900_00)
}
