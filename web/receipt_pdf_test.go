package web_test

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"regexp"
	"testing"

	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

var keepReceipts = flag.String("receipts", "", "TestReceiptPDF writes its receipts to this folder")

var pdfPage = regexp.MustCompile(`/Type\s*/Page\b`)

// A receipt is a PDF of one page in every language and state, with an emoji in the name
// too; another wallet doesn't get it.
func TestReceiptPDF(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	named := testkit.Good
	named.Name = "ОсОО «Жаңы Өмүр 🏔️ Үй» Ltd"
	app.setBiller(named, testkit.Good)
	app.startDeliveries()
	_, b := app.paidReceipt("250,50")
	completed := b.at.Path
	app.setBiller(named, testkit.Refused(5))
	b.draft(company, "100").press("Оплатить").waitEnded()
	refunded := b.at.Path
	app.setBiller(named, testkit.NoAnswer)
	b.draft(company, "50").press("Оплатить")
	open := b.at.Path
	for name, path := range map[string]string{"completed": completed, "refunded": refunded, "open": open} {
		for _, lang := range []string{"ru", "ky", "en"} {
			b.open(path + "?lang=" + lang)
			if href := b.control(map[string]string{"ru": "Скачать PDF", "ky": "PDF жүктөп алуу", "en": "Download PDF"}[lang]).AttrOr("href", ""); href != path+".pdf" {
				t.Errorf("%s, %s: the link leads to %q", name, lang, href)
			}
			answer := b.ask(http.MethodGet, path+".pdf", nil)
			file := answer.Body.Bytes()
			if kind := answer.Header().Get("Content-Type"); answer.Code != http.StatusOK || kind != "application/pdf" || !bytes.HasPrefix(file, []byte("%PDF-")) {
				t.Fatalf("%s, %s: %d, %s", name, lang, answer.Code, kind)
			}
			if want := `attachment; filename="receipt-` + b.data("payment-code") + `.pdf"`; answer.Header().Get("Content-Disposition") != want {
				t.Errorf("%s: %v", name, answer.Header())
			}
			if n := len(pdfPage.FindAll(file, -1)); n != 1 || len(file) > 100<<10 {
				t.Errorf("%s, %s: %d pages, %d bytes", name, lang, n, len(file))
			}
			if *keepReceipts != "" {
				require.NoError(t, os.WriteFile(*keepReceipts+"/"+name+"-"+lang+".pdf", file, 0o600))
			}
		}
	}
	for _, path := range []string{completed, completed + ".png"} {
		if answer := app.browserOf(app.newCustomer(0)).ask(http.MethodGet, path+".pdf", nil); answer.Code != http.StatusNotFound {
			t.Errorf("another wallet, %s: %d", path, answer.Code)
		}
	}
	b.open(completed + ".html").wantStatus(http.StatusNotFound)
}
