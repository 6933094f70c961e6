package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// pasted are the ways in which messengers, spreadsheets and web pages wrap a
// copied value.
var pasted = []func(string) string{
	func(s string) string { return "\u2066" + s + "\u2069" },
	func(s string) string { return "\u202a" + s + "\u202c" },
	func(s string) string { return "\ufeff" + s + "\u200b" },
	func(s string) string { return "\t" + s + "\u00a0" },
	func(s string) string { // within the value
		r := []rune(s)
		return string(r[:1]) + "\u00ad\u2060\ufe0d" + string(r[1:])
	},
}

func TestPastedValuesAreRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	from, to := h.holder(1000_00), h.holder(0)
	for _, paste := range pasted {
		h.browser().open("/").fill("phone", paste("0"+from.Phone.National())).press("Войти").answered(200).isAt("/login")
		b := h.as(from)
		b.draft(paste("00207199610017"), paste("250,50 сом")).answered(200).says("Проверьте данные", "0020 7199 6100 17", "250,50 сом")
		b.open("/transfer").fill("phone", paste("+996 (0)"+to.Phone.National())).fill("amount", paste("1\u2009000")).press("Далее").
			answered(200).says(to.Phone.Pretty(), "1 000,00 сом")
		b.open("/services?q=" + url.QueryEscape(paste("dostek"))).says("DosTek group")
	}
	h.as(from).draft("0020.7199.6100.17", "250,50 сом").answered(200).says("0020 7199 6100 17")
}

func TestPastedCodeIsRead(t *testing.T) {
	t.Parallel()
	for _, paste := range pasted {
		h := newHouse(t)
		number := h.number()
		b := h.browser().open("/").fill("phone", number.String()).press("Войти").isAt("/signup")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").isAt("/confirm")
		b.fill("code", paste(h.code(number))).press("Подтвердить").isAt("/cabinet")
	}
}

// A terminal's account passes the same normalizer, and a repeat of it is the
// same request, however it is written.
func TestTerminalReadsPastedAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(0)
	for i, paste := range pasted {
		account := url.QueryEscape(paste("0" + who.Phone.National()))
		for _, written := range []string{account, who.Phone.National()} {
			r := httptest.NewRequest(http.MethodGet, "/osmp?command=pay&txn_date=20261122120005&sum=7.31&txn_id="+string(rune('1'+i))+"&account="+written, nil)
			r.SetBasicAuth("kicb", "terminal's word")
			w := httptest.NewRecorder()
			h.server.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), "<result>0</result>") {
				t.Errorf("%+q: %s", paste("…"), w.Body.String())
			}
		}
	}
	h.holds(who, 5*7_31)
}

// A pasted or grouped PIN is read too.
func TestPastedPINConfirmsPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who, pin := h.dialed()
	h.as(who).draft(company, "250,50").fill("pin", "\u2066"+pin[:2]+" \u200b"+pin[2:]+"\u2069").press("Оплатить").answered(200).says("250,50 сом")
	h.holds(who, 749_50)
}
