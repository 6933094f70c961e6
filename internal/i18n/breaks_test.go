package i18n

import (
	"strings"
	"testing"
)

func TestLinesOfRussianBreakWithCare(t *testing.T) {
	for text, want := range map[string]string{
		"Вы и я в доме — вот.":        "Вы\u00a0и\u00a0я\u00a0в\u00a0доме\u00a0— вот.",
		"от {{.Minimum}} до {{.Max}}": "от\u00a0{{.Minimum}} до\u00a0{{.Max}}",
		"Нажмите «Да и нет».":         "Нажмите «Да\u00a0и\u00a0нет».",
		"без пробелов":                "без пробелов",
	} {
		if got := bind(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := RU.T("portal.check.lead"); got != "Пока ничего не\u00a0оплачено. Деньги спишутся, когда Вы\u00a0нажмёте «Оплатить»." {
		t.Errorf("a page says %q", got)
	}
	for _, key := range []string{"portal.receipt.status_refunded", "customer.code_wrong"} {
		if got := RU.T(key); bind(got) == got {
			t.Errorf("%s is bound, and others look for its words: %q", key, got)
		}
	}
}

func TestTelephoneNumbersStayOnOneLine(t *testing.T) {
	const whole, plain = "0312\u00a0986\u00a0000", "0312 986 000"
	for key, want := range map[string]string{
		"portal.pin.help_closed": whole, "payment.blocked": whole, "customer.pin_staff_only": whole,
		"portal.help.wrong_number_a": whole, "ussd.end.blocked": plain, "sms.password_changed": plain,
	} {
		for _, lang := range Langs() {
			if got := lang.T(key); !strings.Contains(got, want) {
				t.Errorf("%s %s: %q", lang, key, got)
			}
		}
	}
}
