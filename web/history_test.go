package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"elsom/internal/biller"
	"elsom/internal/payment"
	"elsom/internal/testkit"
)

// The first request of a receipt waits for the outcome for a limited time.
func TestReceiptWaitsForOutcome(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, biller.Answer{Outcome: biller.Later, Result: 90})
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).draft(company, "100")
	time.AfterFunc(300*time.Millisecond, func() { app.setBiller(testkit.Good, testkit.Good) })
	begin := time.Now()
	b.press("Оплатить").wantStatus(200)
	if b.data("payment-status") == "processing" && time.Since(begin) < time.Second {
		t.Error("the first receipt page did not wait for the outcome")
	}
	b.waitEnded().shows("Платёж проведён")
	if b.data("payment-status") != "completed" || b.data("refresh") != "" || b.page.Find("noscript").Length() > 0 {
		t.Errorf("a receipt that is complete: %s, refreshed %q", b.data("payment-status"), b.data("refresh"))
	}
}

func TestReceiptProcessing(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, testkit.NoAnswer)
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).draft(company, "100")
	begin := time.Now()
	b.press("Оплатить").wantStatus(200).shows("Платёж обрабатывается", "Деньги отложены на этот платёж", "Платить ещё раз не нужно", "400,00")
	if waited := time.Since(begin); waited < 500*time.Millisecond {
		t.Errorf("the first receipt page waited only %s", waited)
	}
	if strings.Contains(b.text(), "повторите") || b.page.Find("#problems").Length() > 0 {
		t.Errorf("waiting is shown as a mistake: %s", b.text())
	}
	meta := b.page.Find("noscript").Text()
	if b.data("refresh") != "2" || !strings.Contains(meta, `http-equiv="refresh"`) || !strings.Contains(meta, `content="2; url=`+b.at.Path+`?poll=1"`) {
		t.Errorf("refreshed %q, without scripts %q", b.data("refresh"), meta)
	}
	if b.data("payment-status") != "processing" || b.page.Find("[role=status] [data-payment-status]").Length() != 1 {
		t.Errorf("it is %q", b.data("payment-status"))
	}
	code := b.data("payment-code")
	if !payment.ValidCode(code) || line(b.page.Find("[data-payment-code]").Text()) != code[:4]+" "+code[4:8]+" "+code[8:] {
		t.Errorf("the code %s is shown as %s", code, b.page.Find("[data-payment-code]").Text())
	}
	app.advance(time.Minute)
	if b.open(b.at.Path); b.data("refresh") != "5" {
		t.Errorf("after a minute: refreshed %q", b.data("refresh"))
	}
	app.advance(10 * time.Minute)
	if b.open(b.at.Path); b.data("refresh") != "30" {
		t.Errorf("after eleven minutes: refreshed %q", b.data("refresh"))
	}
	receipt := b.at.Path
	b.open("/history").shows("Обрабатывается")
	app.setBiller(testkit.Good, testkit.Good)
	b.open(receipt).waitEnded().shows("Платёж проведён", "DosTek group: деньги приняты", "0312 960 888", "0312 986 000", "время Бишкека, UTC+6")
	if b.data("payment-code") != code {
		t.Error("the payment code has changed")
	}
	app.wantBalance(holder, 400_00)
}

func TestReceiptRefunded(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.changeCatalog("    fee: none\n", "    fee: {fixed: \"5\"}\n")
	app.setBiller(testkit.Good, testkit.Refused(5))
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).draft(company, "100").press("Оплатить").waitEnded()
	b.wantStatus(200).shows("Платёж не прошёл, деньги возвращены", "Вся сумма снова в Вашем кошельке", "Такой номер или ИНН не найден", "105,00 сом", "500,00")
	if b.data("payment-status") != "refunded" || b.data("refresh") != "" {
		t.Errorf("it is %s, refreshed %q", b.data("payment-status"), b.data("refresh"))
	}
	code, receipt := b.data("payment-code"), b.at.Path
	app.wantBalance(holder, 500_00)
	texts := app.messages(holder.Phone)
	if !strings.Contains(texts[0], "деньги возвращены") || !strings.Contains(texts[0], code) || strings.Contains(texts[0], company) {
		t.Errorf("the message is %q", texts[0])
	}
	// The refunded payment is one line, and neither of its two transfers is summed.
	if b.open("/history?direction=in"); b.page.Find("main tr.op").Length() != 1 {
		t.Error("the refund stands beside its payment")
	}
	b.open("/history").shows("−105,00", "Деньги возвращены", "500,00", "0,00")
	b.press("DosTek group").wantPath(receipt).shows("105,00 сом", "0020 7199 6100 17")
	b.press("Исправить и оплатить снова").wantPath("/pay/dostek")
	if b.value("account") != company || b.value("amount") != "100,00" {
		t.Errorf("repeated with %q and %q", b.value("account"), b.value("amount"))
	}
	app.wantAudit()
}

// walk reads the history from a page to its end and back.
func (b *browser) walk(path string, most int, want []string) {
	b.t.Helper()
	var pages, got []string
	b.open(path)
	for {
		sums := b.page.Find("main tr.op").Map(func(_ int, s *goquery.Selection) string {
			return strings.TrimSuffix(line(s.Find(".row-sum").Text()), " сом")
		})
		pages, got = append(pages, b.at.RequestURI()), append(got, sums...)
		if b.control("Раньше").Length() == 0 {
			break
		}
		if len(sums) != most {
			b.t.Errorf("%s: %d on a page", b.at, len(sums))
		}
		b.press("Раньше")
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("%s: %v, want %v", path, got, want)
	}
	for i := len(pages) - 2; i >= 0; i-- {
		if b.press("Новее"); b.at.RequestURI() != pages[i] {
			b.t.Errorf("newer than %s: %s, want %s", pages[i+1], b.at.RequestURI(), pages[i])
		}
	}
	if b.control("Новее").Length() > 0 {
		b.t.Errorf("there is something newer than %s", b.at)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	holder := app.newCustomer(0)
	b := app.browserOf(holder)
	b.open("/history").shows("Здесь пока ничего нет")
	b.open("/history?direction=out").shows("Здесь пока ничего нет")
	var want []string // newest first
	for n := 1; n <= 43; n++ {
		app.deposit(holder, 1_00)
		want = append([]string{"+1,00"}, want...)
	}
	for _, amount := range []string{"10", "5"} {
		b.draft(company, amount).press("Оплатить").wantStatus(200)
		want = append([]string{"−" + amount + ",00"}, want...)
	}
	b.walk("/history", 20, want)
	b.shows("43,00", "15,00", "45 записей")
	b.walk("/history?direction=in", 20, want[2:])
	b.shows("43,00", "43 записи")
	if strings.Contains(b.text(), "Списано") {
		t.Error("the sum of outgoing operations is shown with the incoming ones")
	}
	b.walk("/history?direction=out", 20, want[:2])
	b.shows("15,00", "2 записи")
	b.open("/history?direction=both").shows("45 записей")
	b.open("/history").shows("За всё время", "ОсОО «Ала-Тоо»", "0020 7199 6100 17")
	b.press("DosTek group").wantStatus(200).shows("Квитанция", "5,00 сом", "0020 7199 6100 17", "Код платежа")
	b.open("/history?direction=in").press("KICB").wantStatus(200).shows("Пополнение", "+1,00", "KICB")
	b.open("/cabinet").shows("28,00")
	if n := b.page.Find(".cabinet-main a.row").Length(); n != 5 || b.data("balance") != "2800" {
		t.Errorf("the cabinet shows %d operations and %s", n, b.data("balance"))
	}
	again := b.page.Find("#again-title").Parent().Find("a.row")
	if again.Length() != 1 || !strings.Contains(line(again.Text()), "ОсОО «Ала-Тоо» · •••• 6100 17") || !strings.Contains(line(again.Text()), "5,00 сом") {
		t.Errorf("to pay again: %s", line(again.Text()))
	}
	// Another customer's payments are not shown.
	app.deposit(app.newCustomer(0), 7_00)
	b.open("/history").shows("45 записей")
}

func TestServices(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(100_00))
	b.press("Услуги").press("Другие").press("DosTek group").wantPath("/pay/dostek")
	for _, words := range []string{"достэк", "dostek", "ДОСТЕК", "сочи"} {
		b.open("/services?q=" + words).shows("Найдена 1 услуга").press("DosTek group").wantPath("/pay/dostek")
	}
	b.open(`/services?q="><i>яяя`).wantStatus(200).shows("ничего не нашлось", `"><i>яяя`)
	if b.page.Find("main i").Length() > 0 {
		t.Error("what was typed became markup")
	}
	b.open("/services/nothing").wantStatus(404)
	b.open("/pay/nothing").wantStatus(404)
}
