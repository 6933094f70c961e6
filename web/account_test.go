package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"elsom/internal/money"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// The limits page shows the limits and the rest of them.
func TestLimitsPage(t *testing.T) {
	onEach(t, func(t *testing.T, app *testApp) {
		app.changeCatalog("operation: \"100000.00\"\n    day: none\n    month: \"1000000.00\"", "operation: \"1500\"\n    day: \"2000\"\n    month: \"2500\"")
		holder, friend := app.newCustomer(1500_00), app.newCustomer(0)
		app.deposit(holder, 1500_00)
		app.startDeliveries()
		b := app.browserOf(holder).open("/settings").press("Ваши лимиты").wantPath("/limits")
		left := func(day, month, holds, room money.Amount) {
			t.Helper()
			b.open("/limits").shows("За одну операцию1 500,00", "Осталось сегодня"+spaced(day), "Осталось в этом месяце"+spaced(month),
				"Сейчас в кошельке"+spaced(holds), "Можно пополнить ещё на"+spaced(room))
		}
		left(2000_00, 2500_00, 3000_00, 797_000_00)
		b.draft(company, "1000,50").press("Оплатить").wantStatus(200)
		left(999_50, 1499_50, 1999_50, 798_000_50)
		require.NoError(t, app.transfer(holder, friend, "500"))
		left(499_50, 999_50, 1499_50, 798_500_50)
		app.setBiller(testkit.Good, testkit.Refused(5)) // the money comes back, and may be sent again
		b.draft(company, "400").press("Оплатить").wantStatus(200)
		b.until("/limits", "Осталось сегодня"+spaced(499_50))

		// At the limit, and a tyiyn above it.
		b.open("/pay/dostek").fill("account", company).fill("amount", "499,51").press("Далее").wantStatus(422)
		b.wantErrors(map[string]string{"amount": "сегодня можно отправить ещё 499,50"}).press("Ваши лимиты").wantPath("/limits")
		app.setBiller(testkit.Good, testkit.Good)
		b.draft(company, "499,50").press("Оплатить").wantStatus(200)
		b.until("/limits", "Осталось сегодня"+spaced(0))
		app.wantAudit()
	})
}

func spaced(a money.Amount) string { return line(a.Group()) }

// The password is required to change the e-mail address. An SMS and a message to the
// old address report the change, with the new address masked.
func TestChangeEmail(t *testing.T) {
	onEach(t, func(t *testing.T, app *testApp) {
		holder := app.newCustomer(0)
		b := app.browserOf(holder).open("/settings").press("Электронная почта").wantPath("/settings/email").shows(email)
		b.press("Изменить почту").wantStatus(422).wantErrors(map[string]string{"email": "Укажите электронную почту", "password": "Введите пароль"})
		b.fill("email", email).fill("password", password).press("Изменить почту").wantStatus(422).wantErrors(map[string]string{"email": "нынешняя почта"})
		b.fill("email", "new\u200b@example.kg").fill("password", password).press("Изменить почту").wantStatus(422).wantErrors(map[string]string{"email": "невидимые знаки"})
		b.fill("email", "novaya@pochta.kg").fill("password", password+"?").press("Изменить почту").wantStatus(422).wantErrors(map[string]string{"password": "Пароль не подходит"})
		if b.value("email") != "novaya@pochta.kg" {
			t.Error("what was typed is lost")
		}
		if n := app.count("SELECT COUNT(*) FROM promises WHERE lane = 'email'"); n != 0 {
			t.Errorf("%d e-mails about nothing", n)
		}
		b.fill("email", "novaya@pochta.kg").fill("password", password).press("Изменить почту").wantPath("/settings").shows("novaya@pochta.kg")
		if got := app.count("SELECT COUNT(*) FROM customers WHERE id = $1 AND email = 'novaya@pochta.kg'", holder.ID); got != 1 {
			t.Error("the address is not changed")
		}
		told := app.messages(holder.Phone)[0]
		if !strings.Contains(told, "n•••@pochta.kg") || strings.Contains(told, "novaya") {
			t.Errorf("the SMS says %q", told)
		}
		if lines := logged.lines("novaya"); len(lines) > 0 {
			t.Errorf("logged: %s", lines[0])
		}
		// Another customer's form, and one without the token, change nothing.
		if answer := app.browser().ask(http.MethodPost, "/settings/email", nil); answer.Code == http.StatusOK {
			t.Error("a stranger changes an address")
		}
	})
}

// The number of changes per day is limited, since each sends a message to the old
// address.
func TestEmailChangesAreLimited(t *testing.T) {
	t.Parallel()
	app := newApp(t) // turns the rate limits off; the limit of changes per day is always applied
	holder, ctx := app.newCustomer(0), context.Background()
	for n := range 5 {
		require.NoError(t, app.Customers.ChangeEmail(ctx, holder.ID, password, string(rune('a'+n))+"@example.kg"))
	}
	b := app.browserOf(holder).open("/settings/email").fill("email", "sixth@example.kg").fill("password", password).press("Изменить почту").wantStatus(429)
	if b.open("/settings/email").shows("e@example.kg"); strings.Contains(b.body, "sixth") {
		t.Error("a sixth change")
	}
}
