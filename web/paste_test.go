package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// pasted are the ways in which messengers, spreadsheets and web pages change a
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
	app := newApp(t)
	from, to := app.newCustomer(1000_00), app.newCustomer(0)
	for _, paste := range pasted {
		app.browser().open("/").fill("phone", paste("0"+from.Phone.National())).press("Войти").wantStatus(200).wantPath("/login")
		b := app.browserOf(from)
		b.draft(paste("00207199610017"), paste("250,50 сом")).wantStatus(200).shows("Проверьте данные", "0020 7199 6100 17", "250,50 сом")
		b.open("/transfer").fill("phone", paste("+996 (0)"+to.Phone.National())).fill("amount", paste("1\u2009000")).press("Далее").
			wantStatus(200).shows(to.Phone.Pretty(), "1 000,00 сом")
		b.open("/services?q=" + url.QueryEscape(paste("dostek"))).shows("DosTek group")
	}
	app.browserOf(from).draft("0020.7199.6100.17", "250,50 сом").wantStatus(200).shows("0020 7199 6100 17")
}

func TestPastedCodeIsRead(t *testing.T) {
	t.Parallel()
	for _, paste := range pasted {
		app := newApp(t)
		number := app.newNumber()
		b := app.browser().open("/").fill("phone", number.String()).press("Войти").wantPath("/signup")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").wantPath("/confirm")
		b.fill("code", paste(app.code(number))).press("Подтвердить").wantPath("/cabinet")
	}
}

// A terminal's account is normalized like the site's, so that a repeat in another
// notation is the same request.
func TestTerminalReadsPastedAccount(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	for i, paste := range pasted {
		account := url.QueryEscape(paste("0" + holder.Phone.National()))
		for _, written := range []string{account, holder.Phone.National()} {
			r := httptest.NewRequest(http.MethodGet, "/osmp?command=pay&txn_date=20261122120005&sum=7.31&txn_id="+string(rune('1'+i))+"&account="+written, nil)
			r.SetBasicAuth("kicb", "terminal's word")
			w := httptest.NewRecorder()
			app.server.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), "<result>0</result>") {
				t.Errorf("%+q: %s", paste("…"), w.Body.String())
			}
		}
	}
	app.wantBalance(holder, 5*7_31)
}

// A pasted or grouped PIN is read too.
func TestPastedPINConfirmsPayment(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, pin := app.dialed()
	app.browserOf(holder).draft(company, "250,50").fill("pin", "\u2066"+pin[:2]+" \u200b"+pin[2:]+"\u2069").press("Оплатить").wantStatus(200).shows("250,50 сом")
	app.wantBalance(holder, 749_50)
}
