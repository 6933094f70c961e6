package web_test

import (
	"strings"
	"testing"
	"time"

	"elsom/internal/i18n"
)

// TestHoldIsToldBefore resets the password of a wallet without a PIN. The hold
// is told before the code is sent, to everybody alike, then in the cabinet and
// in place of each button that it closes.
func TestHoldIsToldBefore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, other, withPIN := h.holder(1000_00), h.holder(0), h.holder(0)
	must(t, h.customers.SetPIN(t.Context(), withPIN.ID, password, ownPIN))
	b := h.as(who)
	payment := b.draft(company, "100").at.Path
	transfer := b.sending(other, "50").at.Path

	for _, lang := range i18n.Langs() {
		h.browser().open("/reset?lang=" + string(lang)).says(lang.T("portal.reset.hold", i18n.Args{"Hours": 24}))
	}
	told := map[string]bool{}
	for _, number := range []string{who.Phone.String(), withPIN.Phone.String(), h.number().String()} {
		v := h.browser().open("/reset").fill("phone", number).press("Получить код").isAt("/reset/confirm").says("через 24 ч")
		told[masked(v)] = true
		if number == who.Phone.String() {
			b = v
		}
	}
	if len(told) != 1 {
		t.Errorf("the page tells numbers apart: %v", told)
	}

	b.fill("code", h.code(who.Phone)).fill("password", newPassword).press("Сохранить пароль").isAt("/cabinet")
	pages := map[string]string{"/cabinet": "", "/pay/dostek": "Далее", "/transfer": "Далее", payment: "Оплатить", transfer: "Перевести 50"}
	for path, button := range pages {
		for _, lang := range i18n.Langs() {
			until, _, _ := strings.Cut(lang.T("customer.hold", i18n.Args{"Until": "|"}), "|")
			if b.open(path + "?lang=" + string(lang)); strings.Count(b.text(), line(until)) != 1 {
				t.Errorf("%s doesn't say %q once: %s", path, until, b.text())
			}
		}
		if b.open(path + "?lang=ru"); button != "" && b.control(button).Length() > 0 {
			t.Errorf("%s still offers %q", path, button)
		}
	}
	// A form that was open before is refused as ever, and says it once.
	b.follow("POST", "/pay/dostek", form(b, "account", company, "amount", "100")).answered(422)
	if n := strings.Count(b.text(), "Платежи откроются"); n != 1 {
		t.Errorf("the refused form says it %d times: %s", n, b.text())
	}
	h.holds(who, 1000_00)

	h.wait(24*time.Hour + time.Minute)
	b = h.browser().open("/")
	b.logIn(who.Phone, newPassword)
	for path, button := range pages {
		if path == payment || path == transfer {
			continue // too old by now
		}
		if b.open(path); strings.Contains(b.text(), "Платежи откроются") || button != "" && b.control(button).Length() == 0 {
			t.Errorf("a day later %s says: %s", path, b.text())
		}
	}
}
