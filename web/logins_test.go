package web_test

import (
	"strings"
	"testing"

	"elsom/internal/phone"
)

// The holder sees who came in and who tried, with browser and network, newest first.
func TestLogins(t *testing.T) {
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newAppWith(t, options{newDB: newDB})
			holder := app.newCustomer(0)
			thief := app.browser().open("/")
			thief.logIn(holder.Phone, "не тот пароль")
			b := app.browser().open("/")
			b.logIn(holder.Phone, password)
			b.press("Выйти").open("/").logIn(holder.Phone, password) // the browser is known now
			b.open("/settings").press("Журнал входов").wantPath("/settings/logins").shows("Вход выполнен", "Этот браузер", "Неверный пароль или код", "192.0.2.x")
			rows := b.page.Find("main .row-title")
			if rows.Length() != 3 || line(rows.First().Text()) != "Вход выполнен" {
				t.Errorf("%d rows: %s", rows.Length(), b.text())
			}
			if here := strings.Count(b.text(), "Этот браузер"); here != 1 {
				t.Errorf("%d are this browser", here)
			}
			other := app.browserOf(app.newCustomer(0)).open("/settings/logins").wantStatus(200)
			if strings.Contains(other.text(), "Неверный") {
				t.Error("another wallet sees it")
			}
		})
	}
}

// A number's next holder doesn't see the logins of the one before.
func TestLoginsOfAnotherHolder(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := phone.Number("+996700199199")
	before := app.newCustomerWith(number, 0)
	b := app.browser().open("/")
	b.logIn(number, "не тот пароль")
	b.open("/").logIn(number, password)
	b.open("/settings/logins").shows("Неверный пароль")
	app.exec("UPDATE customers SET created_at = $1 WHERE id = $2", app.DB.Now().Add(1e9), before.ID)
	if b.open("/settings/logins").shows("Входов пока нет"); strings.Contains(b.text(), "Неверный") {
		t.Error("an earlier login is shown")
	}
	for _, before := range []string{"x", "-1", "99999999999999999999999"} {
		b.open("/settings/logins?before=" + before).wantStatus(200)
	}
}
