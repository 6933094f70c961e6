package page_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/component"
	"elsom/templates/gallery"
	"elsom/templates/layout"
	"elsom/templates/page"
)

func render(t *testing.T, view templ.Component) *goquery.Document {
	t.Helper()
	var b strings.Builder
	if err := view.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// offerText has the hash of the Russian text of each published version. A changed
// text needs a new version and date in CurrentOffer and a new line here; published
// lines never change.
var offerText = map[string]string{
	"1.0": "98aa902b3ef0f6557f166920404db48632e68f21a6f0bea41c90b64d8108cd3b",
	"1.1": "a75b8ea69b0d94095e14b18c6c2f53397ebb2cf6a15cc7b4a90c1d194dac018b",
	"1.2": "4ef87d22300b9216a6b7fc1cf3b2cf840db8a1dee3727abd8ebec1d96ce1a80c",
}

func TestOfferTextMatchesItsVersion(t *testing.T) {
	edition := page.CurrentOffer()
	text := render(t, page.OfferPage{Edition: edition}.Page()).Find("article.offer").Text()
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
	if got := hex.EncodeToString(sum[:]); offerText[edition.Version] != got {
		t.Errorf("the text of version %s has the fingerprint %s: give the new text a version of its own", edition.Version, got)
	}
}

// Every form that changes something has the token, on every page.
func TestEveryFormHasTheToken(t *testing.T) {
	forms := 0
	for _, s := range gallery.States() {
		render(t, s.Render(i18n.RU)).Find("form").Each(func(_ int, form *goquery.Selection) {
			if form.AttrOr("method", "get") != "post" {
				return
			}
			forms++
			if token := form.Find(`input[type=hidden][name=csrf]`); token.Length() != 1 || token.AttrOr("value", "") != "token" {
				t.Errorf("%s: the form to %s has no token", s.Name, form.AttrOr("action", "?"))
			}
			if form.AttrOr("action", "") == "" {
				t.Errorf("%s: a form that posts to nowhere", s.Name)
			}
		})
	}
	if forms < 40 {
		t.Errorf("only %d forms", forms)
	}
}

// The summary has the messages of the fields, with links to them.
func TestSummaryMatchesFields(t *testing.T) {
	view := page.PayPage{Code: "dostek"}
	view.Fail("amount", "Введите сумму")
	view.Fail("account", "Введите ИНН")
	view.Fail("account", "second words at one field")
	view.Fail("weather", "Касса закрыта")
	doc := render(t, view.Page())
	var lines []string
	doc.Find("#problems li").Each(func(_ int, li *goquery.Selection) { lines = append(lines, li.Text()) })
	if got := strings.Join(lines, "|"); got != "Касса закрыта|Введите ИНН|Введите сумму" {
		t.Errorf("summary: %s", got)
	}
	doc.Find("#problems a").Each(func(_ int, a *goquery.Selection) {
		field := doc.Find(a.AttrOr("href", "?"))
		if field.AttrOr("aria-invalid", "") != "true" {
			t.Errorf("%s is not marked", a.AttrOr("href", "?"))
		}
		first, _, _ := strings.Cut(field.AttrOr("aria-describedby", ""), " ")
		if words := strings.TrimSpace(doc.Find("#" + first).Text()); words != a.Text() {
			t.Errorf("summary %q, field %q", a.Text(), words)
		}
	})
	if title := doc.Find("title").Text(); !strings.HasPrefix(title, "Ошибка: ") {
		t.Errorf("title %q", title)
	}
	if doc.Find(`main > :first-child`).AttrOr("id", "") != "problems" {
		t.Error("the summary is not at the top of main")
	}
}

func TestPasswordsAreNeverRendered(t *testing.T) {
	in := component.Input{Value: "s3cret-тайна"}
	for _, view := range []page.Page{
		page.LoginPage{Password: in},
		page.SignupPage{Password: in, Edition: page.CurrentOffer()},
		page.ResetConfirmPage{Password: in},
		page.SettingsPage{Password: in, OldPassword: in},
	} {
		html, err := render(t, view.Page()).Html()
		if err != nil || strings.Contains(html, "s3cret") {
			t.Errorf("%T shows a password (%v)", view, err)
		}
	}
}

// Typed values are escaped.
func TestTypedValuesAreEscaped(t *testing.T) {
	nasty := `"><script>alert(1)</script>`
	in := component.Input{Value: nasty, Error: nasty}
	doc := render(t, page.PayPage{Code: `x"/../`, Service: nasty, AccountLabel: nasty, Account: in, Amount: in}.Page())
	if n := doc.Find("script").Length(); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if got := doc.Find("#account").AttrOr("value", ""); got != nasty {
		t.Errorf("shown again as %q", got)
	}
	doc = render(t, page.ServicesPage{Query: nasty}.Page())
	if doc.Find("#q").AttrOr("value", "") != nasty || doc.Find("script").Length() != 1 {
		t.Error("the search is not shown again as text")
	}
}

// On a page with a form the language switch posts the form, so that typed values are
// kept; elsewhere it links to the same page. Enter still presses the form's own
// button.
func TestLanguageSwitch(t *testing.T) {
	doc := render(t, page.PayPage{Code: "dostek", Frame: layout.Frame{Path: "/pay/dostek"}}.Page())
	buttons := doc.Find(`.languages button[form=pay]`)
	if first := buttons.First(); first.AttrOr("name", "") != "" || first.AttrOr("aria-hidden", "") != "true" {
		t.Error("Enter would switch the language")
	}
	var values []string
	doc.Find(`button[name=` + layout.SwitchField + `]`).Each(func(_ int, b *goquery.Selection) {
		values = append(values, b.AttrOr("value", ""))
	})
	if strings.Join(values, " ") != "ky en" {
		t.Errorf("switches to %v", values)
	}
	for path, want := range map[string]string{
		"/history?direction=in": "/history?direction=in&lang=ky",
		"/history?lang=en":      "/history?lang=ky",
		"//evil.example/":       "/?lang=ky",
		"https://evil.example/": "/?lang=ky",
		"":                      "/?lang=ky",
	} {
		doc := render(t, page.HistoryPage{Frame: layout.Frame{Path: path}}.Page())
		if got := doc.Find(`a[hreflang=ky]`).AttrOr("href", ""); got != want {
			t.Errorf("%q: %q, not %q", path, got, want)
		}
	}
	// The check page's form pays: its language switch must not post it.
	if n := render(t, page.CheckPage{State: page.Ready}.Page()).Find(`.languages button`).Length(); n != 0 {
		t.Error("the switch on the check page posts")
	}
}

// Other tests and scripts find elements by these texts and attributes.
func TestTextsAndMarksForOtherTests(t *testing.T) {
	state := func(name string) *goquery.Document {
		for _, s := range gallery.States() {
			if s.Name == name {
				return render(t, s.Render(i18n.RU))
			}
		}
		t.Fatalf("no state %q", name)
		return nil
	}
	control := func(view, words string) {
		t.Helper()
		found := false
		state(view).Find("a, button").Each(func(_ int, c *goquery.Selection) {
			found = found || strings.HasPrefix(strings.Join(strings.Fields(c.Text()), " "), words)
		})
		if !found {
			t.Errorf("%s has no control %q", view, words)
		}
	}
	for view, words := range map[string][]string{
		"phone": {"Войти"}, "login": {"Войти"}, "signup": {"Зарегистрироваться"}, "confirm": {"Подтвердить"},
		"cabinet": {"Услуги", "История", "Выйти"}, "services": {"Другие"}, "category": {"DosTek group"},
		"pay": {"Далее"}, "check": {"Оплатить 250,50 сом", "Назад"},
	} {
		for _, w := range words {
			control(view, w)
		}
	}
	balance := state("cabinet").Find("[data-balance]")
	if balance.AttrOr("data-balance", "") != "74950" || balance.Text() != "749,50" {
		t.Errorf("balance %q %q", balance.AttrOr("data-balance", ""), balance.Text())
	}
	for view, words := range map[string]string{
		"receipt-processing": "Платёж обрабатывается", "receipt": "Платёж проведён",
		"receipt-refunded": "Платёж не прошёл, деньги возвращены",
	} {
		doc := state(view)
		if got := doc.Find("[data-payment-status]").Text(); got != words {
			t.Errorf("%s says %q", view, got)
		}
		code := doc.Find("[data-payment-code]")
		if code.AttrOr("data-payment-code", "") != "482915730264" || code.Text() != "4829\u00a01573\u00a00264" {
			t.Errorf("%s: code %q", view, code.Text())
		}
	}
	if state("signup").Find("#offer[checked]").Length() != 0 {
		t.Error("the offer is ticked beforehand")
	}
	if state("pay").Find("#account").AttrOr("type", "") != "text" || state("pay").Find("#account").AttrOr("inputmode", "") != "numeric" {
		t.Error("the ИНН wants a numeric keypad on a text field")
	}
}

// What is shared is the link alone: nothing of the receipt is in it.
func TestOnlyTheLinkIsShared(t *testing.T) {
	const link = "https://elsom.example/r/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ"
	button := render(t, (&page.SharePage{Link: link}).Page()).Find("[data-share]")
	if got := button.AttrOr("data-share", ""); got != link {
		t.Errorf("shared: %q", got)
	}
	if _, hidden := button.Attr("hidden"); !hidden {
		t.Error("it is offered where it can't be done")
	}
}

// Every error page shows the state of the money first; if the outcome is unknown it
// links to the history.
func TestErrorsShowTheMoneyFirst(t *testing.T) {
	for _, status := range []int{403, 404, 422, 429, 500, 503} {
		doc := render(t, page.ErrorPage{Status: status, Frame: layout.Frame{Person: "x"}}.Page())
		words := doc.Find(".failure h1 + p strong").Text()
		if !strings.Contains(words, "еньг") && status != 500 {
			t.Errorf("%d begins with %q", status, words)
		}
		first := doc.Find(".failure .actions a").First()
		if (first.AttrOr("href", "") == "/history") != (status == 500) {
			t.Errorf("%d leads to %q", status, first.AttrOr("href", ""))
		}
		if first.HasClass("button-quiet") != (status == 429) {
			t.Errorf("%d: wrong emphasis of the first link", status)
		}
	}
	// An operation whose outcome is being checked shows only that.
	if n := render(t, page.ErrorPage{Status: 503, Message: "?"}.Page()).Find(".failure strong").Length(); n != 0 {
		t.Error("the page states an outcome")
	}
}

func TestFeeText(t *testing.T) {
	for want, fee := range map[string]page.FeeRule{
		"Без комиссии.":                         {},
		"Комиссия 1,5 %, не меньше 5,00 сом.":   {BasisPoints: 150, Minimum: 500},
		"Комиссия 0,05 %, не больше 10,00 сом.": {BasisPoints: 5, Maximum: 1000},
		"Комиссия 10,00 сом.":                   {Fixed: 1000},
		"Комиссия 2 % и 3,00 сом.":              {BasisPoints: 200, Fixed: 300},
	} {
		if got := render(t, page.PayPage{Fee: fee}.Page()).Find("#amount-hint").Text(); strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("%+v: %q", fee, got)
		}
	}
}
