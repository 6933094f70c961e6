package web_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// paidReceipt pays and waits for the end; b is on the receipt.
func (app *testApp) paidReceipt(amount string) (holder customer.Customer, b *browser) {
	app.t.Helper()
	holder = app.newCustomer(500_00)
	b = app.browserOf(holder)
	b.draft(company, amount).press("Оплатить").waitEnded()
	return holder, b
}

// guessed returns an address whose token differs in its last letter.
func guessed(address string) string {
	last := address[len(address)-1:]
	if last == "A" {
		return address[:len(address)-1] + "B"
	}
	return address[:len(address)-1] + "A"
}

// The QR code of a receipt leads strangers to a page that confirms it, says what the
// signed log proves, and shows nothing personal.
func TestVerifiedReceipt(t *testing.T) {
	t.Parallel()
	for state, c := range map[string]struct {
		pay   payment.State
		words []string
	}{
		"completed": {payment.Completed, []string{"Квитанция подлинная", "Платёж проведён", "250,50", "сом"}},
		"refunded":  {payment.Refunded, []string{"Квитанция подлинная", "Платёж не прошёл: деньги вернулись плательщику", "250,50"}},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			app := newApp(t)
			answer := testkit.Good
			if c.pay == payment.Refunded {
				answer = testkit.Refused(5)
			}
			app.setBiller(testkit.Good, answer)
			app.startDeliveries()
			holder, b := app.paidReceipt("250,50")
			link := b.page.Find(".receipt-verify a")
			if line(link.Text()) != "Проверить квитанцию" || b.page.Find(".receipt-verify svg.qr path[d]").Length() != 1 {
				t.Fatalf("the receipt has no QR code: %s", b.text())
			}
			href := link.AttrOr("href", "")
			stranger := app.browser().open(href).wantStatus(200).shows(c.words...).shows("ещё вносится в журнал")
			require.Value(app.log.Seal(t.Context()))(t)
			stranger.open(href).shows(c.words...).shows("Журнал подписан", "в нём записей")
			if got := stranger.header.Get("X-Robots-Tag"); got != "noindex, nofollow" {
				t.Errorf("X-Robots-Tag %q", got)
			}
			for _, private := range []string{holder.Phone.National(), company, company[len(company)-4:], "DosTek", b.data("payment-code"), b.at.Path} {
				if strings.Contains(strings.ReplaceAll(stranger.page.Find("main").Text(), "\u00a0", ""), private) {
					t.Errorf("strangers see %q", private)
				}
			}
			for _, guess := range []string{guessed(href), href + "x", "/verify/%ff", "/verify/1"} {
				stranger.open(guess).wantStatus(http.StatusNotFound)
			}
		})
	}
}

// A payment in processing has no code, and none is found for it.
func TestProcessingReceiptIsNotVerified(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(500_00))
	b.draft(company, "250,50").press("Оплатить").showsNot("Проверить квитанцию")
}

// The page doesn't confirm a state that the signed log contradicts.
func TestVerificationContradictsTheLog(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, testkit.Good)
	app.startDeliveries()
	_, b := app.paidReceipt("250,50")
	href := b.page.Find(".receipt-verify a").AttrOr("href", "")
	require.Value(app.log.Seal(t.Context()))(t)
	databasetest.TamperAll(t, app.DB, "UPDATE payments SET state = 'refunded' WHERE code = '"+b.data("payment-code")+"'")
	app.browser().open(href).wantStatus(http.StatusServiceUnavailable)
}

// A receipt is verified by its code, sum and day. What is wrong is not said.
func TestVerificationByCode(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, testkit.Good)
	app.startDeliveries()
	_, b := app.paidReceipt("250,50")
	code, day := b.data("payment-code"), app.DB.Now().In(customer.Bishkek)
	today := day.Format("02.01.2006")
	app.setBiller(testkit.Good, testkit.Refused(5))
	_, refunded := app.paidReceipt("250,50")
	app.setBiller(testkit.Good, testkit.NoAnswer)
	open := app.browserOf(app.newCustomer(500_00))
	open.draft(company, "250,50").press("Оплатить")
	stranger := app.browser()
	verify := func(code, amount, day string) *browser {
		return stranger.open("/verify").fill("code", code).fill("amount", amount).fill("day", day).press("Проверить")
	}
	for _, c := range [][3]string{
		{code, "250,50", today}, {code[:4] + " " + code[4:8] + "\u00a0" + code[8:], "250.5 сом", day.Format("2.1.2006")}, {code, "250,50", day.Format(time.DateOnly)},
	} {
		if verify(c[0], c[1], c[2]).shows("Квитанция подлинная"); !strings.HasPrefix(stranger.at.Path, "/verify/") {
			t.Errorf("%q leads to %s", c, stranger.at.Path)
		}
	}
	const same = "Проведённого платежа с таким кодом, суммой и днём нет"
	for name, c := range map[string][3]string{
		"another code": {"100000000008", "250,50", today}, "another sum": {code, "250,51", today}, "another day": {code, "250,50", day.AddDate(0, 0, -1).Format("02.01.2006")},
		"refunded": {refunded.data("payment-code"), "250,50", today}, "processing": {open.data("payment-code"), "250,50", today},
	} {
		if verify(c[0], c[1], c[2]).wantStatus(422).wantPath("/verify").shows(same); stranger.value("code") != c[0] {
			t.Errorf("%s: the form has %q", name, stranger.value("code"))
		}
	}
	verify("1", "x", "31.02.2026").wantStatus(422).wantErrors(map[string]string{
		"code": "Введите 12 цифр кода", "amount": "Введите сумму, как на квитанции", "day": "Введите день, как на квитанции",
	})
}

// Tries are counted by network, and by code over all networks.
func TestVerificationIsCounted(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browser().open("/verify")
	try := func(address, code string) int {
		b.from = address + ":1234"
		return b.ask(http.MethodPost, "/verify", form(b, "code", code, "amount", "1", "day", "01.12.2026")).Code
	}
	const one, two = "100000000008", "200000000006"
	for i := range 10 {
		if got := try("198.51.100."+strconv.Itoa(i), one); got != http.StatusUnprocessableEntity {
			t.Fatalf("try %d: %d", i, got)
		}
	}
	if got := try("203.0.113.1", one); got != http.StatusTooManyRequests {
		t.Errorf("the 11th try of a code, from another network: %d", got)
	}
	for i, code := 0, 300000000000; i < 10; code++ {
		if !payment.ValidCode(strconv.Itoa(code)) {
			continue
		}
		i++
		if got := try("198.51.100.77", strconv.Itoa(code)); got != http.StatusUnprocessableEntity {
			t.Fatalf("code %d: %d", i, got)
		}
	}
	if got := try("198.51.100.200", two); got != http.StatusTooManyRequests {
		t.Errorf("the 21st try from a network: %d", got)
	}
	if got := try("192.0.2.1", two); got != http.StatusUnprocessableEntity {
		t.Errorf("another network: %d", got)
	}
}
