package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"elsom/internal/testkit"
	"elsom/web"
)

// TestSecondLook has a test of each promise about words, input and ways that the pages
// make, where no browser is needed; see also TestLayout of the gallery.
func TestSecondLook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T, app *testApp){
		"empty wallet: the solid button is top up":        emptyWalletToppedUpFirst,
		"install hint stands below the operations":        installHintIsLast,
		"session over is information":                     sessionOverIsInformation,
		"page-wide failure is headed as one":              failureIsHeadedAsOne,
		"too little money names the sum and the way back": tooLittleMoney,
		"a row of a payment or transfer is its receipt":   rowsLeadToReceipts,
		"transfer numbers are in groups of four":          transferNumbersInFours,
		"input as it is written elsewhere":                inputAsWritten,
		"search":                                          searchFinds,
		"SMS of top-up and payment name the balance":      smsNameTheBalance,
		"one mask":               oneMask,
		"one name for one place": oneName,
		"айкын оферта":           kyrgyzOffer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newApp(t))
		})
	}
}

func (b *browser) wantSolid(words string) {
	b.t.Helper()
	solid := b.page.Find(".quick .button:not(.button-quiet)")
	if solid.Length() != 1 || !strings.HasPrefix(name(solid), words) {
		b.t.Errorf("the solid buttons are %q, want %q", line(solid.Text()), words)
	}
}

func emptyWalletToppedUpFirst(t *testing.T, app *testApp) {
	holder := app.newCustomer(0)
	b := app.browserOf(holder)
	b.open("/cabinet").wantSolid("Пополнить")
	app.deposit(holder, 1_00)
	b.open("/cabinet").wantSolid("Услуги")
}

// The script shows the hint: below everything else it moves nothing.
func installHintIsLast(_ *testing.T, app *testApp) {
	b := app.browserOf(app.newCustomer(0)).open("/cabinet")
	if b.page.Find("main > [data-install-hint]:last-child").Length() != 1 || b.page.Find(".cabinet [data-install-hint]").Length() != 0 {
		b.t.Error("the install hint is not the last part of the page")
	}
}

func sessionOverIsInformation(t *testing.T, app *testApp) {
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder).draft(company, "100")
	app.exec("DELETE FROM sessions")
	b.press("Оплатить").wantPath("/").shows("ничего не оплачено")
	if note := b.page.Find(".flash .notice"); !note.HasClass("notice-info") || note.HasClass("notice-good") {
		t.Errorf("the note is %q", note.AttrOr("class", ""))
	}
}

func failureIsHeadedAsOne(_ *testing.T, app *testApp) {
	app.setBiller(testkit.Refused(7), testkit.Good)
	b := app.browserOf(app.newCustomer(1000_00)).draft(company, "100").wantStatus(422)
	if heading := line(b.page.Find("#problems h2").Text()); heading != "Не получилось" {
		b.t.Errorf("the heading is %q", heading)
	}
	b.draft("12", "100").wantStatus(422)
	if heading := line(b.page.Find("#problems h2").Text()); heading != "Проверьте, пожалуйста" {
		b.t.Errorf("the heading of a field's error is %q", heading)
	}
}

func tooLittleMoney(_ *testing.T, app *testApp) {
	holder, other := app.newCustomer(100_00), app.newCustomer(0)
	b := app.browserOf(holder)
	b.draft("0020 7199 6100 17", "250,50").wantStatus(422).wantPath("/pay/dostek").
		wantErrors(map[string]string{"amount": "не хватает 150,50 сом"})
	b.press("Пополнить кошелёк").wantPath("/fill").press("Вернуться к оплате").wantPath("/pay/dostek")
	if b.value("account") != "0020 7199 6100 17" || b.value("amount") != "250,50" {
		b.t.Errorf("the form has %q and %q", b.value("account"), b.value("amount"))
	}
	b.open("/transfer").fill("phone", other.Phone.String()).fill("amount", "250,50").press("Далее").wantStatus(422).wantPath("/transfer").wantErrors(map[string]string{"amount": "не хватает 150,50 сом"})
	b.press("Пополнить кошелёк").press("Вернуться к переводу").wantPath("/transfer")
	if b.value("phone") == "" || b.value("amount") != "250,50" {
		b.t.Errorf("the form has %q and %q", b.value("phone"), b.value("amount"))
	}
	for _, form := range []string{"nothing", "//elsewhere.example", "dostek/../..", ""} {
		b.open("/fill?form=" + url.QueryEscape(form)).wantStatus(200).showsNot("Вернуться")
	}
}

func rowsLeadToReceipts(_ *testing.T, app *testApp) {
	holder, other := app.newCustomer(1000_00), app.newCustomer(0)
	b := app.browserOf(holder)
	b.draft(company, "100").press("Оплатить")
	receipt := b.at.Path
	b.sending(other, "50").press("Перевести 50")
	transfer := b.at.Path
	for _, page := range []string{"/cabinet", "/history"} {
		for _, path := range []string{receipt, transfer} {
			if b.open(page).page.Find(`main a[href="`+path+`"]`).Length() != 1 {
				b.t.Errorf("%s has no row for %s", page, path)
			}
		}
	}
}

func transferNumbersInFours(_ *testing.T, app *testApp) {
	b := app.browserOf(app.newCustomer(1000_00)).sending(app.newCustomer(0), "50").press("Перевести 50")
	if !regexp.MustCompile(`Номер перевода(\d{4} )+\d{1,4}\D`).MatchString(b.text()) {
		b.t.Errorf("no number in fours: %s", b.text())
	}
}

func inputAsWritten(_ *testing.T, app *testApp) {
	b := app.browserOf(app.newCustomer(5000_00))
	for _, account := range []string{"0020.7199.6100.17", "0020\u20097199\u20096100\u200917", "0020\u202f7199\u202f6100\u202f17", "\u200b00207199\u200d610017\ufeff", "0020–7199–6100–17"} {
		b.draft(account, "100").wantStatus(200).shows("0020 7199 6100 17")
	}
	for _, amount := range []string{"1250,50 сом", "1\u2009250,50", "1\u202f250.50 сом", "1\u00a0250,5\u00a0сома", "\u200b1250,50"} {
		b.draft(company, amount).wantStatus(200).shows("Оплатить 1 250,50 сом")
	}
}

func searchFinds(_ *testing.T, app *testApp) {
	b := app.browserOf(app.newCustomer(0))
	for _, query := range []string{
		"налог", "отчёт", "отчет", "эсф", "ЭСФ", // what accountants look for
		"гр", "дост", "gro", // the start of any word
		"ljcntr", "ljcn", "вщыеул", "yfkjub", "'ca", // in the other keyboard layout
	} {
		b.open("/services?q=" + url.QueryEscape(query)).shows("DosTek group")
	}
	b.open("/services?q=" + url.QueryEscape("ног")).showsNot("DosTek group")
}

func oneMask(_ *testing.T, app *testApp) {
	app.startDeliveries()
	holder := app.newCustomer(1000_00)
	b := app.browserOf(holder)
	b.draft(company, "100").press("Оплатить").waitEnded()
	b.open("/cabinet").shows("•••• 6100 17").showsNot("…6100")
	if text := app.messages(holder.Phone)[0]; !strings.Contains(line(text), "•••• 6100 17") {
		b.t.Errorf("the SMS is %q", text)
	}
}

func smsNameTheBalance(_ *testing.T, app *testApp) {
	app.startDeliveries()
	holder := app.newCustomer(0)
	app.deposit(holder, 1000_00)
	app.browserOf(holder).draft(company, "250,50").press("Оплатить").waitEnded()
	for _, text := range app.messages(holder.Phone) {
		if !strings.Contains(line(text), "В кошельке 749,50 сом.") && !strings.Contains(line(text), "В кошельке 1 000,00 сом.") {
			app.t.Errorf("an SMS without the balance: %q", text)
		}
	}
}

func oneName(_ *testing.T, app *testApp) {
	b := app.browserOf(app.newCustomer(0)).open("/cabinet")
	if heading, title := line(b.page.Find("h1").Text()), line(b.page.Find("title").Text()); heading != "Личный кабинет" || !strings.HasPrefix(title, heading) {
		b.t.Errorf("the page is called %q and %q", heading, title)
	}
	b.press("Перевести").wantPath("/transfer").press("Личный кабинет").wantPath("/cabinet")
	b.open("/help").shows("В личном кабинете нажмите «Перевести»")
}

func kyrgyzOffer(_ *testing.T, app *testApp) {
	b := app.browser().open("/?lang=ky")
	if name := line(b.page.Find(`footer a[href="/offer"]`).Text()); name != "Айкын оферта" {
		b.t.Errorf("the offer is called %q", name)
	}
	b.open("/offer").shows("айкын оферта").showsNot("публичный")
}

// Request numbers are read out on the telephone.
func TestRequestIDSigns(t *testing.T) {
	t.Parallel()
	const ids, signs = 50_000, 31
	seen := map[string]int{}
	for range ids {
		id := web.NewRequestID()
		if !requestID.MatchString(id) || len(id) != 9 {
			t.Fatalf("%q", id)
		}
		for _, sign := range strings.ReplaceAll(id, "-", "") {
			seen[string(sign)]++
		}
	}
	const mean = ids * 8 / signs
	for sign, n := range seen {
		if strings.Contains("0O1Il", sign) || n < mean*94/100 || n > mean*106/100 {
			t.Errorf("%s: %d times", sign, n)
		}
	}
	if len(seen) != signs {
		t.Errorf("%d signs are used", len(seen))
	}
}
