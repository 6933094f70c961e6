package e2e_test

import (
	"regexp"
	"strings"
	"testing"

	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// A large payment confirmed by an SMS code, and a large transfer by the PIN, in Chromium:
// on the narrowest screen without scripts, and on a wide one with them.
func TestConfirmInBrowser(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t)
	for _, screen := range []system.Screen{{Width: 320}, {Width: 1280, Scripts: true, Dark: true}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			v, w, p := system.NewTab(t, s, screen), system.WordsOf[i18n.RU], system.NewPerson()
			system.SignUp(t, s, v, w, p)
			s.CashIn(t, p.Phone, "20000.00")

			v.Open("/pay/dostek")
			v.Fill("account", "02705199110016")
			v.Fill("amount", "6000")
			v.Press(w.Next)
			v.Press("Оплатить 6")
			wantConfirmPage(v, "code", "Подтвердите платёж", "Пока ничего не оплачено", "суммы больше 5 000,00 сом", "6 000,00 сом")
			code := system.KeepCode(paymentCode.FindStringSubmatch(s.WaitSMS(t, p.Phone, paymentCode))[1])
			v.Fill("code", "12")
			v.Press(w.Confirm)
			system.WantText(t, v, "Код из СМС состоит из 6 цифр")
			v.Check("confirmation, wrong code")
			v.Fill("code", code)
			v.Press(w.Confirm)
			v.WaitAttribute("data-payment-status", "completed")
			if !v.Offers("Скачать подтверждение") {
				t.Errorf("the receipt doesn't offer its proof: %s", v.Text())
			}
			v.Check("receipt with its proof")

			v.Open("/settings/pin")
			v.Fill("password", p.Password)
			v.Fill("pin", "7302")
			v.Press("Задать ПИН-код")
			to := system.NewPerson()
			system.SignUp(t, s, system.NewClient(t, s), w, to)
			v.Open("/transfer")
			v.Fill("phone", "0"+strings.TrimPrefix(to.Phone, "+996"))
			v.Fill("amount", "6000")
			v.Press(w.Next)
			v.Press("Перевести 6")
			wantConfirmPage(v, "pin", "Подтвердите перевод", "Пока ничего не переведено", "суммы больше 5 000,00 сом", "6 000,00 сом")
			v.Fill("pin", "7302")
			v.Press(w.Confirm)
			system.WantText(t, v, "Перевод выполнен", "6 000,00")
			v.Check("transfer's receipt")
		})
	}
	t.Cleanup(func() { s.Audit(t) })
}

var paymentCode = regexp.MustCompile(`^(\d{6}) – код ЭЛСОМ\. Оплата`)

// wantConfirmPage checks the page that asks for a confirmation: its texts, and the focus
// in its one field.
func wantConfirmPage(v *system.Tab, field string, texts ...string) {
	v.T.Helper()
	if !strings.HasSuffix(v.Path(), "/confirm") {
		v.T.Fatalf("%s: at %s: %s", v.Screen, v.Path(), v.Text())
	}
	text := v.Text()
	for _, want := range texts {
		if !strings.Contains(text, want) {
			v.T.Errorf("%s: the confirmation doesn't show %q: %s", v.Screen, want, text)
		}
	}
	var focus string
	v.Eval(&focus, `document.activeElement.id`)
	if focus != field {
		v.T.Errorf("%s: the focus is at %q, not at %s", v.Screen, focus, field)
	}
	v.Check("confirmation")
}
