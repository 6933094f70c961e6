package web_test

import (
	"net/http"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit"
)

// sharedReceipt returns a browser on the page of a receipt's link, and the link.
func (app *testApp) sharedReceipt() (b *browser, receipt, link string) {
	app.t.Helper()
	app.setBiller(testkit.Good, testkit.Good)
	app.startDeliveries()
	_, b = app.paidReceipt("250,50")
	receipt = b.at.Path
	b.press("Поделиться").wantPath(receipt + "/share").shows("Номер кошелька и ИНН в ней скрыты")
	b.press("Создать ссылку").wantPath(receipt + "/share")
	link = b.page.Find("#link").AttrOr("value", "")
	if !strings.HasPrefix(link, app.base+"/r/") {
		app.t.Fatalf("the link is %q", link)
	}
	return b, receipt, link
}

// A link shows the receipt to others, masked, until its owner closes it. The link that was
// closed, a guessed one and one that never existed have the same page.
func TestSharedReceipt(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b, receipt, link := app.sharedReceipt()
	holder, code := b.page.Find(".receipt-actions").Length(), b.open(receipt).data("payment-code")
	stranger := app.browser().open(link).wantStatus(http.StatusOK).shows("Платёж проведён", "250,50", "DosTek group", "•••• 6100 17", "•••")
	if holder == 0 || stranger.data("payment-code") != code || stranger.header.Get("X-Robots-Tag") != "noindex, nofollow" || stranger.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", stranger.header)
	}
	digits := strings.Join(strings.Fields(stranger.page.Find("body").Text()), "")
	for _, secret := range []string{company, strings.TrimPrefix(receipt, "/receipt/"), "Вкошельке"} {
		if strings.Contains(digits, secret) {
			t.Errorf("strangers see %q", secret)
		}
	}
	if answer := stranger.ask(http.MethodGet, link+".pdf", nil); answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/pdf" || answer.Header().Get("X-Robots-Tag") == "" {
		t.Errorf("as PDF: %d, %v", answer.Code, answer.Header())
	}
	stranger.ask(http.MethodHead, link, nil)
	b.open(link).open(receipt + "/share").shows("Просмотров2")
	b.press("Закрыть ссылку").wantPath(receipt + "/share").shows("Ссылка закрыта")
	closed := stranger.open(link).wantStatus(http.StatusNotFound).text()
	for _, other := range []string{guessed(link), app.base + "/r/x", link + "x", app.base + "/r/" + strings.Repeat("A", 32)} {
		if got := stranger.open(other).wantStatus(http.StatusNotFound).text(); withoutRequestID(got) != withoutRequestID(closed) {
			t.Errorf("%s: another page:\n%s\n%s", other, got, closed)
		}
	}
	b.press("Создать ссылку")
	if again := b.page.Find("#link").AttrOr("value", ""); again == link || again == "" {
		t.Error("the new link is that which was closed")
	}
}

func withoutRequestID(text string) string { return requestID.ReplaceAllString(text, "") }

// Another wallet neither makes, sees nor closes the link of a receipt.
func TestShareOfAnotherWallet(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b, receipt, link := app.sharedReceipt()
	other := app.browserOf(app.newCustomer(0))
	other.open(receipt + "/share").wantStatus(http.StatusNotFound)
	other.open("/cabinet")
	for _, path := range []string{receipt + "/share", receipt + "/share/end"} {
		if answer := other.ask(http.MethodPost, path, form(other)); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
	b.open(link).wantStatus(http.StatusOK)
}

// The links of a wallet end with it.
func TestSharedReceiptOfAClosedWallet(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	_, _, link := app.sharedReceipt()
	databasetest.TamperAll(t, app.DB, "UPDATE customers SET closed_at = created_at, closed_phone = phone, phone = '~1'")
	app.browser().open(link).wantStatus(http.StatusNotFound)
}
