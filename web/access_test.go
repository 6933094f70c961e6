package web_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestOtherCustomersDataIsNotFound(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	mine := app.browserOf(holder).draft(company, "100")
	draft := mine.at.Path
	receipt := mine.press("Оплатить").at.Path
	open := mine.draft(company, "50").at.Path
	operation := mine.open("/history").page.Find("main a.op-link").First().AttrOr("href", "")
	for _, path := range []string{draft, receipt, open, operation} {
		mine.open(path).wantStatus(200)
	}
	other := app.browserOf(app.newCustomer(500_00))
	before := app.counts()
	nothing := other.open("/receipt/" + strconv.FormatInt(app.DB.NewID(), 10)).wantStatus(404).text()
	for _, path := range []string{draft, receipt, open, operation, "/history/1", "/check/x", "/receipt/-1", "/receipt/99999999999999999999"} {
		other.open(path).wantStatus(404).shows("Такой страницы нет")
		if withoutID(other.text()) != withoutID(nothing) {
			t.Errorf("%s answers differently from an unknown address:\n%s\n%s", path, other.text(), nothing)
		}
	}
	for _, path := range []string{draft, open} {
		other.open("/pay/dostek")
		other.follow(http.MethodPost, path, form(other)).wantStatus(404)
	}
	other.open("/pay/dostek?draft=" + strings.TrimPrefix(open, "/check/")).wantStatus(200)
	if other.value("account") != "" || other.value("amount") != "" {
		t.Error("another's draft fills the form")
	}
	other.open("/pay/dostek?repeat=" + strings.TrimPrefix(receipt, "/receipt/")).wantStatus(200)
	if other.value("account") != "" {
		t.Error("another's payment fills the form")
	}
	app.wantUnchanged("another customer's data", before)
}

// withoutID removes the request id from an error page.
func withoutID(text string) string {
	before, _, _ := strings.Cut(text, "Номер обращения")
	return before
}

// machines are the routes with HTTP Basic.
var machines = map[string]bool{"/osmp": true, "/ussd": true, "/ussd/kannel": true, "/sms/dlr": true}

// Every customer route redirects a visitor to the first page and, after the login,
// back to the requested page.
func TestVisitorIsRedirectedToLogin(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(500_00)
	before := app.counts()
	tried := 0
	for _, route := range app.server.Routes() {
		if open := map[string]bool{
			"/": true, "/login": true, "/login/code": true, "/login/resend": true, "/signup": true, "/confirm": true, "/confirm/resend": true, "/reset": true, "/reset/confirm": true,
			"/offer": true, "/fill": true, "/help": true, "/logout": true, "/app": true, "/offline": true, "/closed": true, "/worker.js": true, "/app/:manifest": true, "/healthz": true, "/checkpoint": true, "/verify": true, "/verify/:token": true, "/r/:token": true, "/static/*": true, "/favicon.ico": true,
		}; open[route.Path] || machines[route.Path] || strings.HasPrefix(route.Path, "/*") || route.Path == "" || route.Method != http.MethodGet && route.Method != http.MethodPost {
			continue
		}
		tried++
		path := route.Path
		for _, parameter := range []string{":id", ":draft", ":payment", ":transfer"} {
			path = strings.Replace(path, parameter, "12345", 1)
		}
		path = strings.NewReplacer(":category", "other", ":service", "dostek").Replace(path)
		b := app.browser().open("/")
		answer := b.ask(route.Method, path+"?x=1", form(b))
		if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != "/" || answer.Body.Len() > 0 {
			t.Errorf("%s %s answers a visitor %d %s", route.Method, path, answer.Code, answer.Header().Get("Location"))
		}
		if route.Method == http.MethodGet && filepath.Ext(path) == "" { // files are no pages to be led back to
			b.logIn(holder.Phone, password)
			want := path + "?x=1"
			if path == "/settings/pin/unlock" || path == "/settings/pin/code" || path == "/settings/browser" {
				want = "/settings/pin" // no SMS code is awaited
			}
			if path == "/settings/email/confirm" || path == "/settings/email/send" {
				want = "/settings" // there is no mail server
			}
			if b.at.RequestURI() != want {
				t.Errorf("%s: after the login at %s", path, b.at)
			}
		}
	}
	if tried < 12 {
		t.Errorf("only %d routes were tried", tried)
	}
	app.wantUnchanged("visitors", before)
}

func TestNextStaysOnTheSite(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	for _, c := range []struct{ method, path, referer string }{
		{http.MethodGet, "/cabinet?next=https://evil.example/", ""},
		{http.MethodPost, "/settings/sessions/end", "https://evil.example/cabinet"},
		{http.MethodPost, "/settings/sessions/end", app.base + "//evil.example/"},
		{http.MethodPost, "/settings/sessions/end", app.base + `/\evil.example/`},
		{http.MethodPost, "/settings/sessions/end", app.base + "/%0d%0aLocation:%20//evil.example"},
		{http.MethodPost, "/settings/sessions/end", "javascript:alert(1)"},
	} {
		b := app.browser().open("/")
		b.ask(c.method, c.path, form(b, "next", "//evil.example/"), "Referer", c.referer)
		b.open("/?next=//evil.example/").fill("phone", holder.Phone.String()).press("Войти").fill("password", password)
		_, action, values := b.form(b.control("Войти"))
		values.Set("next", "//evil.example/")
		place := b.ask(http.MethodPost, action, values).Header().Get("Location")
		if to, err := url.Parse(place); err != nil || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(place, "/") ||
			strings.HasPrefix(place, "//") || strings.ContainsAny(place, "\\\r\n") {
			t.Errorf("%+v: redirected to %q", c, place)
		}
	}
	for _, path := range []string{"//evil.example", "//evil.example/cabinet", `/\evil.example`, "/%5cevil.example", "/cabinet/../%2f%2fevil.example"} {
		answer := app.browser().raw(http.MethodGet, path)
		if place := answer.Header().Get("Location"); strings.HasPrefix(place, "//") || strings.HasPrefix(place, `/\`) {
			t.Errorf("%s redirects to %q", path, place)
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).draft(company, "250")
	strange := app.browserOf(app.newCustomer(0)).open("/cabinet").csrf()
	visitor := app.browser().open("/").csrf()
	action, values := b.paying()
	before := app.counts()
	const stale, foreign = "Страница устарела", "Эта форма отправлена с другого сайта"
	for name, c := range map[string]struct {
		token   string
		headers []string
		words   string
	}{
		"no token":                       {"", nil, stale},
		"no token, no origin":            {"", []string{"Sec-Fetch-Site", "", "Origin", ""}, stale},
		"another customer's token":       {strange, nil, stale},
		"a visitor's token":              {visitor, nil, stale},
		"a made-up token":                {strings.Repeat("A", len(visitor)), nil, stale},
		"a cut token":                    {values.Get("csrf")[:20], nil, stale},
		"another site":                   {values.Get("csrf"), []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, foreign},
		"another site, no origin":        {values.Get("csrf"), []string{"Sec-Fetch-Site", "cross-site", "Origin", ""}, foreign},
		"same site":                      {values.Get("csrf"), []string{"Sec-Fetch-Site", "same-site", "Origin", "http://other.elsom.test"}, foreign},
		"an old browser on another site": {values.Get("csrf"), []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, foreign},
	} {
		posted := url.Values{}
		if c.token != "" {
			posted.Set("csrf", c.token)
		}
		shown := app.browser() // shows b's response
		shown.read(b.ask(http.MethodPost, action, posted, c.headers...)).wantStatus(403).shows(c.words)
		if way := shown.page.Find(".actions a").First().AttrOr("href", ""); (way == b.at.Path) != (c.words == stale) {
			t.Errorf("%s: the button leads to %s", name, way)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	// A token in the address is not accepted, and a GET pays nothing.
	shown := app.browser()
	shown.read(b.ask(http.MethodPost, action+"?csrf="+url.QueryEscape(values.Get("csrf")), url.Values{})).wantStatus(403)
	b.ask(http.MethodGet, action+"?csrf="+url.QueryEscape(values.Get("csrf")), nil)
	app.wantUnchanged("foreign forms", before)
	app.wantBalance(holder, 500_00)
	b.press("Оплатить").shows("250,00 сом") // the page's own form
}

// A form is stale after another login in another tab; its typed values are kept.
func TestStaleFormKeepsTypedValues(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).open("/pay/dostek")
	tab := app.browser()
	tab.jar = b.jar
	tab.open("/cabinet").press("Выйти")
	tab.logIn(holder.Phone, password)
	before := app.counts()
	b.fill("account", "0020 7199 6100 17").fill("amount", "100,5").press("Далее").wantStatus(403).shows("Страница устарела", "Ничего не оплачено")
	app.wantUnchanged("a stale form", before)
	tab.open("/pay/hoster")
	if tab.value("account") != "" {
		t.Error("it fills another service's form")
	}
	b.press("Открыть заново").wantPath("/pay/dostek")
	if b.value("account") != "0020 7199 6100 17" || b.value("amount") != "100,5" {
		t.Errorf("left %q and %q", b.value("account"), b.value("amount"))
	}
	b.press("Далее").shows("Оплатить 100,50 сом")
}

// Every route that changes something requires the token.
func TestEveryFormNeedsAToken(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(500_00)).draft(company, "250")
	before, tried := app.counts(), 0
	for _, route := range app.server.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodHead || machines[route.Path] || strings.HasPrefix(route.Method, "echo_") {
			continue
		}
		tried++
		path := strings.NewReplacer(":service", "dostek", ":draft", strings.TrimPrefix(b.at.Path, "/check/")).Replace(route.Path)
		everything := url.Values{
			"phone": {"0700123456"}, "email": {email}, "password": {password}, "old_password": {password}, "offer": {"on"}, "code": {"123456"},
			"account": {company}, "amount": {"10"}, "session": {"others"}, "switch_lang": {"ky"}, "lang": {"ky"},
		}
		shown := app.browser()
		shown.read(b.ask(route.Method, path, everything)).wantStatus(403)
	}
	if tried < 12 {
		t.Errorf("only %d forms were tried", tried)
	}
	app.wantUnchanged("forms without a token", before)
	if b.open("/cabinet").wantPath("/cabinet").page.Find("html").AttrOr("lang", "") != "ru" {
		t.Error("a form without a token switched the language")
	}
}

func TestTokensDifferOnEachPage(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(0))
	seen := map[string]bool{}
	for range 5 {
		for _, path := range []string{"/cabinet", "/pay/dostek", "/settings"} {
			token := b.open(path).csrf()
			if seen[token] || len(token) < 40 {
				t.Fatalf("%s: the token %s again", path, token)
			}
			seen[token] = true
		}
	}
}

// Following all links, signed in and not, changes nothing in the ledger.
func TestLinksChangeNothing(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).draft(company, "100").press("Оплатить").waitEnded()
	open := b.draft(company, "50").at.Path
	app.messages(holder.Phone)
	before := app.counts()
	for name, walker := range map[string]*browser{"a holder": b, "a visitor": app.browser()} {
		seen, queue := map[string]bool{}, []string{"/", "/cabinet", open, "/pay/dostek?repeat=1", "/settings/password", "/confirm", "/login", "/reset/confirm"}
		for len(queue) > 0 && len(seen) < 200 {
			path := queue[0]
			queue = queue[1:]
			if seen[path] {
				continue
			}
			seen[path] = true
			if file, _, _ := strings.Cut(path, "?"); strings.Contains(file, ".") { // a file, not a page
				if answer := walker.ask(http.MethodGet, path, nil); answer.Code != http.StatusOK {
					t.Errorf("%s: %s answers %d", name, path, answer.Code)
				}
				continue
			}
			walker.open(path)
			if walker.status >= 400 {
				t.Errorf("%s: %s answers %d", name, path, walker.status)
			}
			if walker.at.Path != "/logout" {
				walker.page.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
					if to, err := walker.at.Parse(s.AttrOr("href", "")); err == nil && to.Host == walker.at.Host {
						queue = append(queue, to.RequestURI())
					}
				})
			}
		}
		if least := map[string]int{"a holder": 40, "a visitor": 8}[name]; len(seen) < least {
			t.Errorf("%s came by %d pages only", name, len(seen))
		}
		app.wantUnchanged(name, before)
	}
	app.wantBalance(holder, 400_00)
}

func TestEndingOtherSessions(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	b, other, third, stranger := app.browserOf(holder), app.browserOf(holder), app.browserOf(holder), app.browserOf(app.newCustomer(0))
	strange := stranger.open("/settings")
	id := app.count("SELECT handle FROM sessions WHERE customer_id <> ?", holder.ID)
	b.open("/settings")
	b.follow(http.MethodPost, "/settings/sessions/end", form(b, "end_password", password, "session", strconv.Itoa(id))).wantStatus(404)
	strange.open("/settings").wantStatus(200).wantPath("/settings")
	b.open("/settings").fill("end_password", password).press("Закрыть этот вход").wantPath("/settings").shows("Вход закрыт")
	b.fill("end_password", password).press("Закрыть все остальные входы").wantPath("/settings")
	other.open("/cabinet").wantPath("/")
	third.open("/cabinet").wantPath("/")
	b.open("/cabinet").wantPath("/cabinet")
}
