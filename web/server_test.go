package web_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/static"
	"elsom/web"
	"elsom/web/terminal"
)

func TestHeadersOfEveryResponse(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		app := newAppWith(t, options{https: https, handlers: func(d *web.Handlers) { d.Dev = breaking{} }})
		b := app.browserOf(app.newCustomer(100_00))
		for _, c := range []struct {
			method, path string
			status       int
			cache        string
		}{
			{"GET", "/cabinet", 200, "no-store"}, {"GET", "/offer", 200, "no-store"}, {"GET", "/", 303, "no-store"}, {"GET", "/help?lang=en", 200, "no-store"},
			{"GET", "/nowhere", 404, "no-store"}, {"GET", "/receipt/1", 404, "no-store"}, {"DELETE", "/cabinet", 404, "no-store"},
			{"HEAD", "/nowhere", 404, "no-store"}, {"POST", "/cabinet", 404, "no-store"}, {"POST", "/pay/dostek", 403, "no-store"},
			{"PROPFIND", "/", 404, "no-store"}, {"OPTIONS", "/", 404, "no-store"}, {"TRACE", "/", 404, "no-store"}, {"GET", "/dev/panic", 500, "no-store"}, {"GET", "/dev/internal", 500, "no-store"},
			{"GET", "/osmp", 401, "no-store"}, {"GET", static.Path("css/elsom.css"), 200, "public, max-age=31536000, immutable"},
			{"GET", "/static/css/elsom.css", 404, ""}, {"GET", "/static/../server.go", 404, "no-store"}, {"GET", "/static/css/", 404, ""},
			{"GET", "/healthz", 200, ""}, {"GET", "/checkpoint", 200, ""}, {"HEAD", "/checkpoint", 200, ""}, {"POST", "/checkpoint", 404, "no-store"}, {"GET", "/favicon.ico", 302, ""}, {"GET", "/worker.js", 200, "no-cache"}, {"GET", "/app/ky.webmanifest", 200, "no-cache"},
		} {
			answer := b.send(c.method, c.path, nil, "Content-Type", "application/x-www-form-urlencoded")
			b.at = &url.URL{Scheme: b.at.Scheme, Host: b.at.Host, Path: c.path}
			if b.secureHeaders(answer.Header()); answer.Code != c.status {
				t.Errorf("%s %s answers %d, want %d", c.method, c.path, answer.Code, c.status)
			}
			if got := answer.Header().Get("Cache-Control"); c.cache != "" && got != c.cache {
				t.Errorf("%s %s (%d): Cache-Control is %q, want %q", c.method, c.path, answer.Code, got, c.cache)
			}
		}
	}
}

// breaking has routes that fail.
type breaking struct{}

const private = "the text of an error: SELECT password_hash FROM customers"

func (breaking) Routes(g *echo.Group) {
	g.GET("/panic", func(echo.Context) error { panic(private) })
	g.GET("/internal", func(echo.Context) error { return errors.New(private) })
	g.GET("/kind/:kind", func(c echo.Context) error {
		for _, kind := range fault.Kinds() {
			if strings.ReplaceAll(kind.String(), " ", "-") == c.Param("kind") {
				return fault.New(kind, "test.act", "").After(90 * time.Second).Because(errors.New(private))
			}
		}
		return nil
	})
	g.GET("/late", func(c echo.Context) error {
		_ = c.String(http.StatusOK, "begun")
		panic(private)
	})
}

var requestID = regexp.MustCompile(`[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}`)

func TestPanicEndsARequestOnly(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Dev = breaking{} }})
	b := app.browser().open("/dev/panic").wantStatus(500).shows("У нас что-то сломалось", "Номер обращения")
	id := requestID.FindString(b.page.Find(".failure-id").Text())
	if id == "" || id != b.header.Get("X-Request-Id") {
		t.Errorf("the page names %q, the header %q", id, b.header.Get("X-Request-Id"))
	}
	for _, words := range [][]string{{"web: panic", "stack"}, {"web: request failed", id}, {"web: request", `"status":500`, id}} {
		if len(logged.lines(words...)) == 0 {
			t.Errorf("no line is logged with %q", words)
		}
	}
	if len(logged.lines("web: panic", id)) == 0 {
		t.Error("the panic's line doesn't name the request")
	}
	b.ask(http.MethodGet, "/dev/late", nil)
	b.open("/").wantStatus(200)
}

// Every kind of fault has a page, which shows no internal details.
func TestEveryFaultKindHasAPage(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Dev = breaking{} }})
	want := map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 422, fault.NotFound: 404, fault.Forbidden: 403, fault.Conflict: 422,
		fault.Insufficient: 422, fault.Limit: 422, fault.TooMany: 429, fault.Unavailable: 503, fault.Unknown: 503,
	}
	if len(want) != len(fault.Kinds()) {
		t.Fatal("there are other kinds")
	}
	for _, lang := range []string{"ru", "ky", "en"} {
		b := app.browser().open("/?lang=" + lang)
		for kind, status := range want {
			b.open("/dev/kind/" + strings.ReplaceAll(kind.String(), " ", "-")).wantStatus(status)
			if strings.Contains(b.body, "SELECT") || strings.Contains(b.body, "test.act") || strings.Contains(b.body, kind.String()+":") {
				t.Errorf("%s shows internal details: %s", kind, b.text())
			}
			if b.control(map[string]string{"ru": "Помощь", "ky": "Жардам", "en": "Help"}[lang]).Length() == 0 ||
				b.page.Find(".failure .actions a").Length() == 0 {
				t.Errorf("%s: no link to continue: %s", kind, b.text())
			}
			if retry := b.header.Get("Retry-After"); (kind == fault.TooMany || kind == fault.Unavailable) && retry != "90" {
				t.Errorf("%s: Retry-After %q", kind, retry)
			}
			if got := b.page.Find("html").AttrOr("lang", ""); got != lang {
				t.Errorf("%s in %s: the page is in %s", kind, lang, got)
			}
		}
	}
	b := app.browser().open("/dev/kind/too-many")
	b.shows("Попробуйте снова через 2 минуты")
}

func TestLargeAndMalformedBodies(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(500_00)).open("/pay/dostek")
	before, token := app.counts(), url.QueryEscape(b.csrf())
	const kind = "application/x-www-form-urlencoded"
	large := "csrf=" + token + "&account=" + strings.Repeat("1", 16<<10)
	shown := app.browser()
	shown.read(b.send(http.MethodPost, "/pay/dostek", strings.NewReader(large), "Content-Type", kind))
	if shown.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body above 16 KiB: %d", shown.status)
	}
	shown.shows("Не получилось прочитать запрос", "Деньги не списаны")
	b.read(b.send(http.MethodDelete, "/cabinet", strings.NewReader("csrf="+token), "Content-Type", kind)).wantStatus(404)
	// A body without a length that never ends.
	endless := io.MultiReader(strings.NewReader(large), strings.NewReader(large))
	if shown.read(b.send(http.MethodPost, "/pay/dostek", struct{ io.Reader }{endless}, "Content-Type", kind)); shown.status < 400 {
		t.Errorf("an endless body: %d", shown.status)
	}
	for name, body := range map[string]string{
		"a huge field":         "csrf=" + token + "&account=" + strings.Repeat("1", 15_000) + "&amount=10",
		"broken UTF-8":         "csrf=" + token + "&account=%ff%fe%00&amount=%ff",
		"a broken escape":      "csrf=" + token + "&account=%zz&amount=10",
		"many fields":          "csrf=" + token + strings.Repeat("&a=1", 3_800),
		"no fields":            "csrf=" + token,
		"a semicolon":          "csrf=" + token + ";account=1",
		"field that are lists": "csrf=" + token + "&account=&account=" + company + "&amount=&amount=10",
	} {
		b.read(b.send(http.MethodPost, "/pay/dostek", strings.NewReader(body), "Content-Type", kind))
		if b.status != 422 && b.status != 403 {
			t.Errorf("%s: %d", name, b.status)
		}
	}
	for _, kind := range []string{"text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=x", "x"} {
		if answer := b.send(http.MethodPost, "/pay/dostek", strings.NewReader("csrf="+token+"&account="+company+"&amount=10"), "Content-Type", kind); answer.Code != 403 {
			t.Errorf("a form as %s: %d", kind, answer.Code)
		}
	}
	app.wantUnchanged("strange bodies", before)
	b.read(b.send(http.MethodPost, "/pay/dostek", strings.NewReader("csrf="+token+"&account=1&account="+company+"&amount=10&amount=20"),
		"Content-Type", kind)).wantStatus(422).wantErrors(map[string]string{"account": "14 цифр"}) // the first counts
	app.wantUnchanged("fields twice", before)
	b.open("/services?q=" + strings.Repeat("%D1%8F", 5000)).wantStatus(200)
	b.open("/services?q=%ff%00").wantStatus(200)
	b.open("/history?before=-1&direction=%00").wantStatus(200)
	b.open("/history?before=99999999999999999999").wantStatus(200)
	b.open("/pay/dostek?draft=%ff&repeat=x").wantStatus(200)
	b.open("/pay/%ff").wantStatus(404)
	b.open("/services/%00").wantStatus(404)
	b.open("/cabinet?lang=%00&lang=xx").wantStatus(200)
}

// A terminal gets plain text and a status that makes it repeat, for a large body and
// for a panic.
func TestTerminalErrorsArePlainText(t *testing.T) {
	t.Parallel()
	for status, c := range map[int]struct {
		options options
		body    string
	}{
		500: {options{handlers: func(d *web.Handlers) { d.Terminal = terminal.New(nil, nil, slog.Default()) }}, "command=check"},
		413: {options{}, strings.Repeat("1", 8<<10+1)},
	} {
		answer := newAppWith(t, c.options).browser().send(http.MethodPost, "/osmp", strings.NewReader(c.body),
			"Content-Type", "application/x-www-form-urlencoded", "Authorization", "Basic a2ljYjp0ZXJtaW5hbCdzIHdvcmQ=")
		if kind := answer.Header().Get("Content-Type"); answer.Code != status || kind != "text/plain; charset=UTF-8" {
			t.Errorf("%d as %s, want %d as plain text: %.200s", answer.Code, kind, status, answer.Body)
		}
		if answer.Header().Get("Cache-Control") != "no-store" || len(answer.Header().Values("Set-Cookie")) > 0 {
			t.Errorf("%d: %v", status, answer.Header())
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	app := newAppWith(t, options{handlers: func(d *web.Handlers) {
		d.Healthy = func(c echo.Context) error { return c.String(status, "x\n") }
	}})
	for _, status = range []int{http.StatusOK, http.StatusServiceUnavailable} {
		answer := app.browser().ask(http.MethodGet, "/healthz", nil)
		if answer.Code != status || len(answer.Header().Values("Set-Cookie")) > 0 {
			t.Errorf("%d with cookies %q", answer.Code, answer.Header().Values("Set-Cookie"))
		}
	}
}

func TestNoDevelopmentPagesInProduction(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(0))
	for _, path := range []string{"/dev", "/dev/", "/dev/phone", "/dev/terminal", "/dev/sms?phone=0700123456", "/metrics", "/debug/pprof/"} {
		b.open(path).wantStatus(404)
	}
	for _, path := range []string{"/", "/fill", "/cabinet", "/help"} {
		if b.open(path); strings.Contains(b.body, "/dev/") {
			t.Errorf("%s mentions development mode", path)
		}
	}
}

// Machine routes use no session and no form token.
func TestTerminalNeedsNoSession(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	query := url.Values{
		"command": {"pay"}, "txn_id": {"1"}, "txn_date": {"20261122120000"}, "account": {holder.Phone.String()}, "sum": {"100.00"},
	}
	for i, method := range []string{http.MethodGet, http.MethodPost} {
		query.Set("txn_id", []string{"1", "2"}[i])
		var request *http.Request
		if method == http.MethodGet {
			request = httptest.NewRequest(method, "/osmp?"+query.Encode(), nil)
		} else {
			request = httptest.NewRequest(method, "/osmp", strings.NewReader(query.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		answer := httptest.NewRecorder()
		app.server.ServeHTTP(answer, request.Clone(request.Context()))
		if answer.Code != http.StatusUnauthorized {
			t.Errorf("%s without a password: %d", method, answer.Code)
		}
		request.SetBasicAuth("kicb", "terminal's word")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		if method == http.MethodPost {
			request.Body = io.NopCloser(strings.NewReader(query.Encode()))
		}
		answer = httptest.NewRecorder()
		app.server.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "<result>0</result>") ||
			!strings.HasPrefix(answer.Header().Get("Content-Type"), "application/xml") && !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/xml") {
			t.Errorf("%s: %d %s %s", method, answer.Code, answer.Header().Get("Content-Type"), answer.Body)
		}
		if len(answer.Header().Values("Set-Cookie")) > 0 {
			t.Errorf("%s: a terminal gets a cookie", method)
		}
	}
	app.wantBalance(holder, 200_00)
}

func TestRequestIDsAreOurs(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var seen []string
	for _, path := range []string{"/nowhere", "/", "/healthz"} {
		id := app.browser().ask(http.MethodGet, path, nil, "X-Request-Id", "a number that somebody sent").Header().Get("X-Request-Id")
		if !requestID.MatchString(id) || slices.Contains(seen, id) {
			t.Errorf("the request has the number %q", id)
		}
		seen = append(seen, id)
	}
}
