package web_test

import (
	"net/http"
	"strings"
	"testing"

	"elsom/internal/customer"
)

func (b *browser) speaks(lang string) *browser {
	b.t.Helper()
	if got := b.page.Find("html").AttrOr("lang", ""); got != lang {
		b.t.Errorf("%s is in %q, want %q", b.at, got, lang)
	}
	return b
}

func (h *house) language(who customer.Customer) string {
	h.t.Helper()
	now, err := h.customers.ByID(h.t.Context(), who.ID)
	must(h.t, err)
	return now.Lang
}

func TestLanguageOfAVisitor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.browser()
	b.agent = map[string]string{"Accept-Language": "en-US,en"}
	b.open("/").speaks("ru") // the language of the instruction, whatever the browser's
	b.open("/offer").press("Кыргызча").speaks("ky").isAt("/offer")
	b.open("/").speaks("ky").open("/nowhere").answered(404).speaks("ky")
	b.open("/?lang=en").speaks("en").open("/help").speaks("en")
	b.open("/help?lang=xx").speaks("en").open("/help?lang=").speaks("en")
	if n := h.rows("SELECT COUNT(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions for a language", n)
	}
}

// The switch beside a form gives the page back in the other language, with
// what was typed, and does nothing else.
func TestSwitchKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	number := h.number()
	b := h.browser().open("/")
	b.fill("phone", "0700 12").press("Кыргызча").answered(200).isAt("/").speaks("ky")
	if b.value("phone") != "0700 12" || b.page.Find("#problems").Length() > 0 {
		t.Errorf("the number is %q: %s", b.value("phone"), b.text())
	}
	b.fill("phone", number.String()).press("Русский").press("Войти").isAt("/signup").speaks("ru")

	before := h.books()
	b.fill("email", "aida@").fill("password", "123").tick("offer").press("English").answered(200).isAt("/signup").speaks("en")
	if _, ticked := b.field("offer").Attr("checked"); b.value("email") != "aida@" || !ticked {
		t.Error("what was typed is gone")
	}
	b.fill("email", email).fill("password", password).press("Русский").answered(200).isAt("/signup")
	h.unchanged("switching at sign-up", before)
	b.fill("password", password).press("Зарегистрироваться").isAt("/confirm")
	before = h.books()
	b.fill("code", h.code(number)).press("Кыргызча").answered(200).isAt("/confirm").speaks("ky")
	h.unchanged("switching at the code", before)
	if b.value("code") != h.code(number) {
		t.Error("the code is gone")
	}
	b.press("Ырастоо").isAt("/cabinet").speaks("ky") // not the language in which the code was asked for
	who, err := h.customers.ByPhone(t.Context(), number)
	must(t, err)
	if who.Lang != "ky" {
		t.Errorf("kept %q", who.Lang)
	}
	b.open("/cabinet?lang=ru")
	h.fill(who, 500_00)
	before = h.books()
	b.open("/pay/dostek").fill("account", "0020").fill("amount", "1 0").press("Кыргызча").answered(200).isAt("/pay/dostek").speaks("ky")
	if b.value("account") != "0020" || b.value("amount") != "1 0" || b.page.Find("#problems").Length() > 0 {
		t.Errorf("left %q and %q", b.value("account"), b.value("amount"))
	}
	h.unchanged("switching at the form", before)
	b.fill("account", company).fill("amount", "100").press("Русский").fill("amount", "100").press("Далее")
	before = h.books()
	b.press("English").answered(200).speaks("en").says("0020 7199 6100 17", "Pay")
	if !strings.HasPrefix(b.at.Path, "/check/") {
		t.Errorf("at %s", b.at)
	}
	h.unchanged("switching at the check page", before)
	b.press("Pay")
	before = h.books()
	if !strings.HasPrefix(b.at.Path, "/receipt/") {
		t.Errorf("at %s", b.at)
	}
	b.press("Кыргызча").speaks("ky").says("Төлөм")
	h.unchanged("switching at the receipt", before)
}

func TestSwitchSendsNoCodeAndTriesNoPassword(t *testing.T) {
	t.Parallel()
	h := houseWith(t, setting{limits: true})
	who := h.holder(0)
	h.messages(who.Phone)
	b := h.browser().open("/").fill("phone", who.Phone.String()).press("Войти")
	for range 6 { // more often than a password may be tried
		b.fill("password", "не тот").press("English").answered(200).press("Русский").answered(200)
	}
	b.press("Забыли пароль?").press("English").answered(200).isAt("/reset").speaks("en").press("Русский")
	if texts := h.messages(who.Phone); len(texts) != 0 {
		t.Errorf("a switch sent %q", texts)
	}
	b.press("Получить код").isAt("/reset/confirm")
	code := h.code(who.Phone)
	b.fill("code", code).fill("password", "ветер над озером 7").press("Кыргызча").isAt("/reset/confirm").speaks("ky")
	b.open("/?lang=ru")
	b.logIn(who.Phone, password)
	b.isAt("/cabinet")
}

func TestLanguageIsKeptWithTheCustomer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.deliver()
	who := h.holder(500_00)
	b := h.as(who).speaks("ru")
	b.press("Кыргызча").speaks("ky").isAt("/cabinet")
	if got := h.language(who); got != "ky" {
		t.Errorf("kept %q", got)
	}
	b.open("/settings").press("English").speaks("en").isAt("/settings")
	if got := h.language(who); got != "en" {
		t.Errorf("kept %q", got)
	}
	b.open("/pay/dostek").press("Кыргызча").speaks("ky")
	elsewhere := h.as(who) // another browser, with no cookie of a language
	elsewhere.open("/history").speaks("ky")
	elsewhere.open("/pay/dostek").fill("account", company).fill("amount", "100").press("Улантуу").press("Төлөө").ended().speaks("ky")
	if elsewhere.data("payment-status") != "completed" {
		t.Errorf("the payment is %s", elsewhere.data("payment-status"))
	}
	if texts := h.messages(who.Phone); !strings.Contains(texts[0], "төлөм") {
		t.Errorf("the message is %q", texts[0])
	}
}

// A switch on the way to the cabinet holds there; a language that somebody
// else left in the browser doesn't.
func TestLanguageSwitchedBeforeTheLogin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := h.holder(0), h.holder(0)
	b := h.browser().open("/").press("English").fill("phone", first.Phone.String()).press("Log in").fill("password", password).press("Log in")
	b.isAt("/cabinet").speaks("en").press("Log out").isAt("/").speaks("en")
	if got := h.language(first); got != "en" {
		t.Errorf("kept %q", got)
	}
	b.fill("phone", second.Phone.String()).press("Log in").fill("password", password).press("Log in").isAt("/cabinet").speaks("ru")
	if got := h.language(second); got != "ru" {
		t.Errorf("another's language: %q", got)
	}
}

func TestWordsOfMistakes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.as(h.holder(100_00))
	for lang, c := range map[string]struct{ next, account, amount, short, title string }{
		"ky": {"Улантуу", "ИНН 14 цифрадан турушу керек", "Сумма нөлдөн чоң болушу керек", "Капчыкта 100,00 сом бар", "Ката: "},
		"en": {"Continue", "An INN has 14 digits", "The amount must be above zero", "The wallet holds 100,00 som", "Error: "},
	} {
		b.open("/pay/dostek?lang="+lang).fill("account", "1").fill("amount", "0").press(c.next).answered(422).speaks(lang)
		if title := b.page.Find("title").Text(); !strings.HasPrefix(title, c.title) {
			t.Errorf("%s: the page is called %q", lang, title)
		}
		b.wrongAt(map[string]string{"account": c.account, "amount": c.amount})
		b.fill("account", company).fill("amount", "100.01").press(c.next).answered(422).wrongAt(map[string]string{"amount": c.short})
	}
}

func TestPlurals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(0)
	b := h.as(who)
	want := map[int]map[string]string{
		1: {"ru": "1 запись", "en": "1 "}, 2: {"ru": "2 записи", "en": "2 "}, 5: {"ru": "5 записей"},
		21: {"ru": "21 запись"}, 22: {"ru": "22 записи"},
	}
	for n := 1; n <= 22; n++ {
		h.fill(who, 1_00)
		for lang, words := range want[n] {
			b.open("/history?lang=" + lang)
			if got := line(b.page.Find(".sums").Text()); !strings.Contains(got+" ", words+" ") && !strings.Contains(got, words) {
				t.Errorf("%d in %s: %q", n, lang, got)
			}
		}
	}
	limited := houseWith(t, setting{limits: true})
	v := limited.browser().open("/").fill("phone", limited.holder(0).Phone.String()).press("Войти")
	for range 6 {
		v.fill("password", "не тот").press("Войти")
	}
	v.answered(http.StatusTooManyRequests).says("через 5 минут")
	limited.wait(3 * 60_000_000_000)
	v.fill("password", "не тот").press("Войти").says("через 2 минуты")
	v.open("/login?lang=en")
	_, action, values := v.form(v.page.Find("main button[type=submit]").First())
	values.Set("password", "x")
	v.follow(http.MethodPost, action, values).answered(http.StatusTooManyRequests)
	if !strings.Contains(v.text(), "2 minutes") {
		t.Errorf("in English: %s", v.text())
	}
}
