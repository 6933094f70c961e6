package i18n

import (
	"strings"
	"testing"
)

func TestNoBreakSpacesInRussian(t *testing.T) {
	for text, want := range map[string]string{
		"Вы и я в доме — вот.":        "Вы\u00a0и\u00a0я\u00a0в\u00a0доме\u00a0— вот.",
		"Код – это числа.":            "Код\u00a0– это числа.",
		"от {{.Minimum}} до {{.Max}}": "от\u00a0{{.Minimum}} до\u00a0{{.Max}}",
		"Нажмите «Да и нет».":         "Нажмите «Да\u00a0и\u00a0нет».",
		"без пробелов":                "без пробелов",
	} {
		if got := noBreakRussian(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := RU.T("portal.check.lead"); got != "Пока ничего не\u00a0оплачено. Деньги спишутся, когда Вы\u00a0нажмёте «Оплатить»." {
		t.Errorf("T returns %q", got)
	}
	for _, key := range []string{"portal.receipt.status_refunded", "customer.code_wrong"} {
		if got := RU.T(key); noBreakRussian(got) == got {
			t.Errorf("%s has no-break spaces though other code compares it: %q", key, got)
		}
	}
}

func TestNoBreakSpacesInAmountsAndNames(t *testing.T) {
	if got, want := NoBreak("DosTek group, 1 240 000,50 сом. Помощь: 0312 986 000."), "DosTek\u00a0group, 1\u00a0240\u00a0000,50\u00a0сом. Помощь: 0312\u00a0986\u00a0000."; got != want {
		t.Errorf("%q", got)
	}
	for lang, want := range map[Lang]string{RU: "Оплатить 5\u00a0сом", KY: "Төлөө: 5\u00a0сом", EN: "Pay 5\u00a0som"} {
		if got := lang.T("portal.check.submit", Args{"Total": 5}); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
}

func TestNoBreakSpacesInTelephoneNumbers(t *testing.T) {
	const noBreak, plain = "0312\u00a0986\u00a0000", "0312 986 000"
	for key, want := range map[string]string{
		"portal.pin.help_closed": noBreak, "payment.blocked": noBreak, "customer.pin_staff_only": noBreak,
		"portal.help.wrong_number_a": noBreak, "ussd.end.blocked": plain, "sms.password_changed": plain,
	} {
		for _, lang := range Langs() {
			if got := lang.T(key); !strings.Contains(got, want) {
				t.Errorf("%s %s: %q", lang, key, got)
			}
		}
	}
}
