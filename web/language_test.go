package web_test

import (
	"net/http"
	"strings"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/testkit/require"
)

func (b *browser) wantLanguage(lang string) *browser {
	b.t.Helper()
	if got := b.page.Find("html").AttrOr("lang", ""); got != lang {
		b.t.Errorf("%s is in %q, want %q", b.at, got, lang)
	}
	return b
}

func (app *testApp) language(holder customer.Customer) string {
	app.t.Helper()
	now, err := app.Customers.ByID(app.t.Context(), holder.ID)
	require.NoError(app.t, err)
	return now.Lang
}

func TestLanguageOfAVisitor(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browser()
	b.agent = map[string]string{"Accept-Language": "en-US,en"}
	b.open("/").wantLanguage("ru") // the language of the instruction, whatever the browser's
	b.open("/offer").press("Кыргызча").wantLanguage("ky").wantPath("/offer")
	b.open("/").wantLanguage("ky").open("/nowhere").wantStatus(404).wantLanguage("ky")
	b.open("/?lang=en").wantLanguage("en").open("/help").wantLanguage("en")
	b.open("/help?lang=xx").wantLanguage("en").open("/help?lang=").wantLanguage("en")
	if n := app.count("SELECT COUNT(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions for a language", n)
	}
}

// The language switch shows a form again in the other language with its typed
// values, and does nothing else.
func TestLanguageSwitchKeepsTypedValues(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	b := app.browser().open("/")
	b.fill("phone", "0700 12").press("Кыргызча").wantStatus(200).wantPath("/").wantLanguage("ky")
	if b.value("phone") != "0700 12" || b.page.Find("#problems").Length() > 0 {
		t.Errorf("the number is %q: %s", b.value("phone"), b.text())
	}
	b.fill("phone", number.String()).press("Русский").press("Войти").wantPath("/signup").wantLanguage("ru")

	before := app.counts()
	b.fill("email", "aida@").fill("password", "123").tick("offer").press("English").wantStatus(200).wantPath("/signup").wantLanguage("en")
	if _, ticked := b.field("offer").Attr("checked"); b.value("email") != "aida@" || !ticked {
		t.Error("what was typed is gone")
	}
	b.fill("email", email).fill("password", password).press("Русский").wantStatus(200).wantPath("/signup")
	app.wantUnchanged("switching at sign-up", before)
	b.fill("password", password).press("Зарегистрироваться").wantPath("/confirm")
	before = app.counts()
	b.fill("code", app.code(number)).press("Кыргызча").wantStatus(200).wantPath("/confirm").wantLanguage("ky")
	app.wantUnchanged("switching at the code", before)
	if b.value("code") != app.code(number) {
		t.Error("the code is gone")
	}
	b.press("Ырастоо").wantPath("/cabinet").wantLanguage("ky") // not the language in which the code was asked for
	holder, err := app.Customers.ByPhone(t.Context(), number)
	require.NoError(t, err)
	if holder.Lang != "ky" {
		t.Errorf("kept %q", holder.Lang)
	}
	b.open("/cabinet?lang=ru")
	app.deposit(holder, 500_00)
	before = app.counts()
	b.open("/pay/dostek").fill("account", "0020").fill("amount", "1 0").press("Кыргызча").wantStatus(200).wantPath("/pay/dostek").wantLanguage("ky")
	if b.value("account") != "0020" || b.value("amount") != "1 0" || b.page.Find("#problems").Length() > 0 {
		t.Errorf("left %q and %q", b.value("account"), b.value("amount"))
	}
	app.wantUnchanged("switching at the form", before)
	b.fill("account", company).fill("amount", "100").press("Русский").fill("amount", "100").press("Далее")
	before = app.counts()
	b.press("English").wantStatus(200).wantLanguage("en").shows("0020 7199 6100 17", "Pay")
	if !strings.HasPrefix(b.at.Path, "/check/") {
		t.Errorf("at %s", b.at)
	}
	app.wantUnchanged("switching at the check page", before)
	b.press("Pay")
	before = app.counts()
	if !strings.HasPrefix(b.at.Path, "/receipt/") {
		t.Errorf("at %s", b.at)
	}
	b.press("Кыргызча").wantLanguage("ky").shows("Төлөм")
	app.wantUnchanged("switching at the receipt", before)
}

func TestLanguageSwitchHasNoOtherEffect(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	holder := app.newCustomer(0)
	app.messages(holder.Phone)
	b := app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти")
	for range 6 { // more often than a password may be tried
		b.fill("password", "не тот").press("English").wantStatus(200).press("Русский").wantStatus(200)
	}
	b.press("Забыли пароль?").press("English").wantStatus(200).wantPath("/reset").wantLanguage("en").press("Русский")
	if texts := app.messages(holder.Phone); len(texts) != 0 {
		t.Errorf("a switch sent %q", texts)
	}
	b.press("Получить код").wantPath("/reset/confirm")
	code := app.code(holder.Phone)
	b.fill("code", code).fill("password", "ветер над озером 7").press("Кыргызча").wantPath("/reset/confirm").wantLanguage("ky")
	b.open("/?lang=ru")
	b.logIn(holder.Phone, password)
	b.wantPath("/cabinet")
}

func TestLanguageIsStoredWithTheCustomer(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).wantLanguage("ru")
	b.press("Кыргызча").wantLanguage("ky").wantPath("/cabinet")
	if got := app.language(holder); got != "ky" {
		t.Errorf("kept %q", got)
	}
	b.open("/settings").press("English").wantLanguage("en").wantPath("/settings")
	if got := app.language(holder); got != "en" {
		t.Errorf("kept %q", got)
	}
	b.open("/pay/dostek").press("Кыргызча").wantLanguage("ky")
	elsewhere := app.browserOf(holder) // another browser, with no cookie of a language
	elsewhere.open("/history").wantLanguage("ky")
	elsewhere.open("/pay/dostek").fill("account", company).fill("amount", "100").press("Улантуу").press("Төлөө").waitEnded().wantLanguage("ky")
	if elsewhere.data("payment-status") != "completed" {
		t.Errorf("the payment is %s", elsewhere.data("payment-status"))
	}
	if texts := app.messages(holder.Phone); !strings.Contains(texts[0], "төлөм") {
		t.Errorf("the message is %q", texts[0])
	}
}

// A language switched shortly before the login is stored with the customer; an older
// one in the browser is not.
func TestLanguageSwitchedBeforeTheLogin(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	first, second := app.newCustomer(0), app.newCustomer(0)
	b := app.browser().open("/").press("English").fill("phone", first.Phone.String()).press("Log in").fill("password", password).press("Log in")
	b.wantPath("/cabinet").wantLanguage("en").press("Log out").wantPath("/").wantLanguage("en")
	if got := app.language(first); got != "en" {
		t.Errorf("kept %q", got)
	}
	b.fill("phone", second.Phone.String()).press("Log in").fill("password", password).press("Log in").wantPath("/cabinet").wantLanguage("ru")
	if got := app.language(second); got != "ru" {
		t.Errorf("another's language: %q", got)
	}
}

func TestErrorMessagesInOtherLanguages(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(100_00))
	for lang, c := range map[string]struct{ next, account, amount, short, title string }{
		"ky": {"Улантуу", "ИНН 14 цифрадан турушу керек", "Сумма нөлдөн чоң болушу керек", "Капчыкта 100,00 сом бар", "Ката: "},
		"en": {"Continue", "An INN has 14 digits", "The amount must be above zero", "The wallet holds 100,00 som", "Error: "},
	} {
		b.open("/pay/dostek?lang="+lang).fill("account", "1").fill("amount", "0").press(c.next).wantStatus(422).wantLanguage(lang)
		if title := b.page.Find("title").Text(); !strings.HasPrefix(title, c.title) {
			t.Errorf("%s: the page is called %q", lang, title)
		}
		b.wantErrors(map[string]string{"account": c.account, "amount": c.amount})
		b.fill("account", company).fill("amount", "100.01").press(c.next).wantStatus(422).wantErrors(map[string]string{"amount": c.short})
	}
}

func TestPlurals(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	b := app.browserOf(holder)
	want := map[int]map[string]string{
		1: {"ru": "1 запись", "en": "1 "}, 2: {"ru": "2 записи", "en": "2 "}, 5: {"ru": "5 записей"},
		21: {"ru": "21 запись"}, 22: {"ru": "22 записи"},
	}
	for n := 1; n <= 22; n++ {
		app.deposit(holder, 1_00)
		for lang, words := range want[n] {
			b.open("/history?lang=" + lang)
			if got := line(b.page.Find(".sums").Text()); !strings.Contains(got+" ", words+" ") && !strings.Contains(got, words) {
				t.Errorf("%d in %s: %q", n, lang, got)
			}
		}
	}
	limited := newAppWith(t, options{limits: true})
	v := limited.browser().open("/").fill("phone", limited.newCustomer(0).Phone.String()).press("Войти")
	for range 6 {
		v.fill("password", "не тот").press("Войти")
	}
	v.wantStatus(http.StatusTooManyRequests).shows("через 5 минут")
	limited.advance(3 * 60_000_000_000)
	v.fill("password", "не тот").press("Войти").shows("через 2 минуты")
	v.open("/login?lang=en")
	_, action, values := v.form(v.page.Find("main button[type=submit]").First())
	values.Set("password", "x")
	v.follow(http.MethodPost, action, values).wantStatus(http.StatusTooManyRequests)
	if !strings.Contains(v.text(), "2 minutes") {
		t.Errorf("in English: %s", v.text())
	}
}

// A link on another site shows a page in its language and stores nothing.
func TestForeignLanguageLinkIsNotStored(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	b := app.browserOf(holder)
	for name, headers := range map[string][]string{
		"another site":                   {"Sec-Fetch-Site", "cross-site"},
		"a typed address":                {"Sec-Fetch-Site", "none"},
		"an old browser on another site": {"Sec-Fetch-Site", "", "Referer", "https://evil.example/?http://elsom.test/"},
		"an old browser without Referer": {"Sec-Fetch-Site", ""},
	} {
		answer := b.ask(http.MethodGet, "/cabinet?lang=en", nil, headers...)
		if !strings.Contains(answer.Body.String(), `<html lang="en"`) {
			t.Errorf("%s: the page is in another language", name)
		}
		for _, cookie := range answer.Header().Values("Set-Cookie") {
			if strings.Contains(cookie, "lang=") {
				t.Errorf("%s: %s", name, cookie)
			}
		}
		if got := app.language(holder); got != "ru" {
			t.Errorf("%s: stored %s", name, got)
		}
	}
	if b.ask(http.MethodGet, "/cabinet?lang=ky", nil, "Sec-Fetch-Site", "", "Referer", "http://elsom.test/cabinet"); app.language(holder) != "ky" {
		t.Error("a link of this site in an old browser is not followed")
	}
}
