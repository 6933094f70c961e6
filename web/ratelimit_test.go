package web_test

import (
	"net/http"
	"strings"
	"testing"

	"elsom/internal/phone"
)

// onBoth runs a test on both databases with rate limits.
func onBoth(t *testing.T, test func(t *testing.T, app *testApp)) {
	t.Helper()
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) { test(t, newAppWith(t, options{limits: true, newDB: newDB})) })
	}
}

func (b *browser) signUp(number phone.Number) *browser {
	b.t.Helper()
	b.open("/").fill("phone", number.String()).press("Войти")
	return b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
}

// flood uses up the rate limits of the browser's address: first steps and, for a
// number, passwords and codes.
func (b *browser) flood(number phone.Number) {
	b.t.Helper()
	b.open("/")
	for range 300 {
		b.ask(http.MethodPost, "/", form(b, "phone", "0700999999"))
	}
	if status := b.ask(http.MethodPost, "/", form(b, "phone", "0700999999")).Code; status != http.StatusTooManyRequests {
		b.t.Errorf("the 301st first step: %d", status)
	}
	for range 6 {
		b.ask(http.MethodPost, "/reset", form(b, "phone", number.String()))
	}
}

// After another client has used up the limits of an address, a browser that has
// logged in before is counted separately.
func TestKnownBrowserIsNotLimitedByItsAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, app *testApp) {
		owner := app.newNumber()
		own := app.browser().signUp(owner)
		own.fill("code", app.code(owner)).press("Подтвердить").wantPath("/cabinet").press("Выйти")
		second := app.newCustomer(0)
		other := app.browserOf(second).press("Выйти")
		app.browser().flood(owner)
		own.open("/").logIn(owner, password)
		own.wantPath("/cabinet").press("Выйти")
		other.open("/").logIn(second.Phone, password)
		other.wantPath("/cabinet").press("Выйти")
		own.open("/reset").fill("phone", owner.String()).press("Получить код").wantPath("/reset/confirm")
		// A browser is known for its number only.
		other.open("/").fill("phone", owner.String()).press("Войти").wantStatus(429).wantPath("/")
		// Its own limit applies too.
		for range 40 {
			own.ask(http.MethodPost, "/", form(own, "phone", owner.String()))
		}
		own.open("/").fill("phone", owner.String()).press("Войти").wantStatus(429)
	})
}

// After an attacker has requested codes for a number up to the limit, a new customer
// and an owner with a new phone still get theirs from another network.
func TestCodesAreReservedForOtherNetworks(t *testing.T) {
	onBoth(t, func(t *testing.T, app *testApp) {
		fresh, owner := app.newNumber(), app.newCustomer(0).Phone
		reset := func(from string, number phone.Number) *browser {
			b := app.browser()
			b.from = from + ":1234"
			return b.open("/reset").fill("phone", number.String()).press("Получить код")
		}
		for _, number := range []phone.Number{fresh, owner} {
			for _, from := range []string{"203.0.113.7", "203.0.113.8"} {
				for range 5 {
					reset(from, number).wantPath("/reset/confirm")
				}
			}
			reset("203.0.113.9", number).wantStatus(429) // the same network
		}
		app.messages(owner)
		b := app.browser()
		b.from = "198.51.100.7:1234"
		b.signUp(fresh).wantPath("/confirm")
		b.fill("code", app.code(fresh)).press("Подтвердить").wantPath("/cabinet")
		b = reset("198.51.100.8", owner).wantPath("/reset/confirm")
		b.fill("code", app.code(owner)).fill("password", password+"!").press("Сохранить пароль").wantPath("/cabinet")
		// Three codes are reserved, at most two per network.
		reset("198.51.100.9", owner).wantPath("/reset/confirm")
		reset("198.51.100.10", owner).wantStatus(429)
		reset("192.0.2.99", owner).wantPath("/reset/confirm")
		reset("192.0.2.99", owner).wantStatus(429).shows("Слишком много попыток")
	})
}

// A refused request stores no session, on any route.
func TestRefusedRequestsStoreNoSession(t *testing.T) {
	onBoth(t, func(t *testing.T, app *testApp) {
		number := app.newNumber()
		app.browser().flood(number)
		before := app.count("SELECT COUNT(*) FROM sessions")
		refused := map[int]int{}
		for _, route := range app.server.Routes() {
			if route.Method != http.MethodPost || strings.HasPrefix(route.Path, "/ussd") || route.Path == "/osmp" {
				continue
			}
			b := app.browser().open("/reset")
			status := b.ask(http.MethodPost, route.Path, form(b, "phone", number.String(), "password", "x", "code", "123456", "email", "x")).Code
			if status >= 400 {
				refused[status]++
				if now := app.count("SELECT COUNT(*) FROM sessions"); now != before {
					t.Errorf("%s answered %d and stored %d sessions", route.Path, status, now-before)
				}
			}
			before = app.count("SELECT COUNT(*) FROM sessions")
		}
		if refused[http.StatusTooManyRequests] < 2 {
			t.Errorf("refused: %v", refused)
		}
		b := app.browser().open("/?lang=en").open("/help?lang=ky").open("/login?lang=en")
		if now := app.count("SELECT COUNT(*) FROM sessions"); now != before {
			t.Errorf("a change of the language at %s stored a session", b.at)
		}
	})
}
