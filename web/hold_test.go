package web_test

import (
	"strings"
	"testing"
	"time"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
)

// TestHoldIsShownBeforeTheForm resets the password of a wallet without a PIN. The
// hold is announced before the code is sent, the same for every number, then shown
// in the cabinet and in place of each disabled button.
func TestHoldIsShownBeforeTheForm(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, other, withPIN := app.newCustomer(1000_00), app.newCustomer(0), app.newCustomer(0)
	require.NoError(t, app.Customers.SetPIN(t.Context(), withPIN, password, ownPIN))
	b := app.browserOf(holder)
	payment := b.draft(company, "100").at.Path
	transfer := b.sending(other, "50").at.Path

	for _, lang := range i18n.Langs() {
		app.browser().open("/reset?lang=" + string(lang)).shows(lang.T("portal.reset.hold", i18n.Args{"Hours": 24}))
	}
	told := map[string]bool{}
	for _, number := range []string{holder.Phone.String(), withPIN.Phone.String(), app.newNumber().String()} {
		v := app.browser().open("/reset").fill("phone", number).press("Получить код").wantPath("/reset/confirm").shows("через 24 ч")
		told[masked(v)] = true
		if number == holder.Phone.String() {
			b = v
		}
	}
	if len(told) != 1 {
		t.Errorf("the page tells numbers apart: %v", told)
	}

	b.fill("code", app.code(holder.Phone)).fill("password", newPassword).press("Сохранить пароль").wantPath("/cabinet")
	pages := map[string]string{"/cabinet": "", "/pay/dostek": "Далее", "/transfer": "Далее", payment: "Оплатить", transfer: "Перевести 50"}
	for path, button := range pages {
		for _, lang := range i18n.Langs() {
			until, _, _ := strings.Cut(lang.T("customer.hold", i18n.Args{"Until": "|"}), "|")
			if b.open(path + "?lang=" + string(lang)); strings.Count(b.text(), line(until)) != 1 {
				t.Errorf("%s doesn't show %q once: %s", path, until, b.text())
			}
		}
		if b.open(path + "?lang=ru"); button != "" && b.control(button).Length() > 0 {
			t.Errorf("%s still offers %q", path, button)
		}
	}
	// A form that was open before is refused and shows the hold once.
	b.follow("POST", "/pay/dostek", form(b, "account", company, "amount", "100")).wantStatus(422)
	if n := strings.Count(b.text(), "Платежи откроются"); n != 1 {
		t.Errorf("the refused form says it %d times: %s", n, b.text())
	}
	app.wantBalance(holder, 1000_00)

	app.advance(24*time.Hour + time.Minute)
	b = app.browser().open("/")
	b.logIn(holder.Phone, newPassword)
	for path, button := range pages {
		if path == payment || path == transfer {
			continue // too old by now
		}
		if b.open(path); strings.Contains(b.text(), "Платежи откроются") || button != "" && b.control(button).Length() == 0 {
			t.Errorf("a day later %s says: %s", path, b.text())
		}
	}
}
