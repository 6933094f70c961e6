package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/PuerkitoBio/goquery"
	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/keyedhash"
	"elsom/internal/phone"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/web/session"
)

// browser is a client without scripts, with cookies, links and forms. Every page
// that it opens is checked; see check.
type browser struct {
	ctx    context.Context // of the requests, if not nil
	t      *testing.T
	app    *testApp
	jar    *cookiejar.Jar
	from   string // address
	agent  map[string]string
	at     *url.URL
	status int
	header http.Header
	body   string
	page   *goquery.Document
	typed  url.Values
}

func (app *testApp) browser() *browser {
	app.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(app.t, err)
	at, err := url.Parse(app.base + "/")
	require.NoError(app.t, err)
	return &browser{t: app.t, app: app, jar: jar, from: "192.0.2.7:1234", at: at}
}

// browserOf returns a known browser in which the customer is signed in.
func (app *testApp) browserOf(holder customer.Customer) *browser {
	app.t.Helper()
	b := app.strangeBrowserOf(holder)
	b.makeKnown(holder)
	return b
}

// makeKnown makes the browser known, as a confirmed operation does.
func (b *browser) makeKnown(holder customer.Customer) {
	b.t.Helper()
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		s := session.Of(c)
		if err := s.Confirmed(c.Request().Context()); err != nil {
			return err
		}
		key, err := keyedhash.Derive(testkit.Secret, "elsom customer")
		if err != nil {
			return err
		}
		b.app.exec("INSERT INTO familiar_addresses (customer_id, address, seen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", holder.ID,
			key.Sum("known device", strconv.FormatInt(holder.ID, 10), s.Device()), b.app.DB.Now())
		return c.NoContent(http.StatusOK)
	}, b.app.handlers.Sessions.Middleware())
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, cookie := range b.jar.Cookies(b.at) {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.t.Fatalf("not made known: %d %s", w.Code, w.Body)
	}
	b.jar.SetCookies(b.at, w.Result().Cookies())
}

// strangeBrowserOf returns a browser in which the customer has just signed in for the
// first time.
func (app *testApp) strangeBrowserOf(holder customer.Customer) *browser {
	app.t.Helper()
	b := app.browser()
	b.open("/")
	b.logIn(holder.Phone, password)
	b.wantPath("/cabinet")
	return b
}

func (b *browser) logIn(number phone.Number, password string) {
	b.t.Helper()
	b.fill("phone", number.String())
	b.press("Войти")
	b.fill("password", password)
	b.press("Войти")
}

// ask sends one request and returns the response. Cookies are stored, redirects are
// not followed.
func (b *browser) ask(method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	return b.send(method, target, body, append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func (b *browser) send(method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	to, err := b.at.Parse(target)
	require.NoError(b.t, err)
	request := httptest.NewRequest(method, to.RequestURI(), body)
	request.Host, request.RemoteAddr = to.Host, b.from
	if b.ctx != nil {
		request = request.WithContext(b.ctx)
	}
	for _, cookie := range b.jar.Cookies(to) {
		request.AddCookie(cookie)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		request.Header.Set("Origin", b.app.base)
	}
	for name, value := range b.agent {
		request.Header.Set(name, value)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
			continue
		}
		request.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	answer := httptest.NewRecorder()
	b.app.server.ServeHTTP(answer, request)
	var cookies []*http.Cookie
	for _, set := range answer.Header().Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(set)
		require.NoError(b.t, err)
		cookies = append(cookies, cookie)
	}
	b.jar.SetCookies(to, cookies)
	b.cookies(cookies)
	return answer
}

// follow sends a request and follows redirects to a page.
func (b *browser) follow(method, target string, form url.Values) *browser {
	b.t.Helper()
	to, err := b.at.Parse(target)
	require.NoError(b.t, err)
	from := b.at.String()
	for range 10 {
		answer := b.ask(method, to.String(), form, "Referer", from)
		if place := answer.Header().Get("Location"); place != "" {
			if to, err = to.Parse(place); err != nil || to.Host != b.at.Host {
				b.t.Fatalf("redirected to %q", place)
			}
			method, form = http.MethodGet, nil
			continue
		}
		b.at = to
		b.read(answer)
		return b
	}
	b.t.Fatalf("%s: too many redirects", target)
	return nil
}

// read makes a response the current page.
func (b *browser) read(answer *httptest.ResponseRecorder) *browser {
	b.t.Helper()
	b.status, b.header, b.body, b.typed = answer.Code, answer.Header(), answer.Body.String(), url.Values{}
	var err error
	b.page, err = goquery.NewDocumentFromReader(bytes.NewReader(answer.Body.Bytes()))
	require.NoError(b.t, err)
	b.check()
	return b
}

func (b *browser) open(target string) *browser {
	b.t.Helper()
	return b.follow(http.MethodGet, target, nil)
}

// control returns the first link or button whose name has the prefix.
func (b *browser) control(words string) *goquery.Selection {
	return b.page.Find("a[href], button").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(name(s), words)
	}).First()
}

func name(control *goquery.Selection) string {
	accessible := control.Clone()
	accessible.Find("[aria-hidden=true]").Remove()
	return line(accessible.Text())
}

func (b *browser) press(words string) *browser {
	b.t.Helper()
	control := b.control(words)
	if control.Length() == 0 {
		b.t.Fatalf("%s has no %q:\n%s", b.at, words, b.text())
	}
	if href, ok := control.Attr("href"); ok {
		return b.open(href)
	}
	form, action, values := b.form(control)
	if form.AttrOr("method", "get") == "get" {
		return b.open(action + "?" + values.Encode())
	}
	return b.follow(http.MethodPost, action, values)
}

// form returns the form of a button and the values that it sends.
func (b *browser) form(button *goquery.Selection) (form *goquery.Selection, action string, values url.Values) {
	form, values = button.Closest("form"), url.Values{}
	if id, ok := button.Attr("form"); ok {
		form = b.page.Find("form#" + id)
	}
	form.Find("input[name]").Each(func(_ int, s *goquery.Selection) {
		field := s.AttrOr("name", "")
		_, checked := s.Attr("checked")
		typed, given := b.typed[field]
		switch {
		case s.AttrOr("type", "") == "checkbox":
			if given && typed[0] != "" || !given && checked {
				values.Set(field, s.AttrOr("value", "on"))
			}
		case given:
			values[field] = typed
		default:
			values.Set(field, s.AttrOr("value", ""))
		}
	})
	form.Find("textarea[name]").Each(func(_ int, s *goquery.Selection) {
		field := s.AttrOr("name", "")
		if values.Set(field, s.Text()); b.typed.Has(field) {
			values.Set(field, b.typed.Get(field))
		}
	})
	if field, ok := button.Attr("name"); ok {
		values.Set(field, button.AttrOr("value", ""))
	}
	return form, form.AttrOr("action", ""), values
}

func (b *browser) field(name string) *goquery.Selection {
	b.t.Helper()
	field := b.page.Find("main [name=" + name + "]").First()
	if field.Length() == 0 {
		b.t.Fatalf("%s (%d) has no field %s:\n%s", b.at, b.status, name, b.text())
	}
	return field
}

// fill types into a field, which cuts the text at its maxlength as browsers do.
func (b *browser) fill(field, text string) *browser {
	b.t.Helper()
	if most, err := strconv.Atoi(b.field(field).AttrOr("maxlength", "")); err == nil {
		units := utf16.Encode([]rune(text))
		text = string(utf16.Decode(units[:min(most, len(units))]))
	}
	b.typed.Set(field, text)
	return b
}

func (b *browser) tick(field string) *browser { b.t.Helper(); return b.fill(field, "on") }

// value returns the value of a field on the page.
func (b *browser) value(field string) string {
	b.t.Helper()
	return b.field(field).AttrOr("value", "")
}

func (b *browser) csrf() string { return b.page.Find("input[name=csrf]").AttrOr("value", "") }

func (b *browser) data(name string) string {
	return b.page.Find("[data-"+name+"]").AttrOr("data-"+name, "")
}

func (b *browser) text() string { return line(b.page.Find("main").Text()) }

func (b *browser) shows(words ...string) *browser {
	b.t.Helper()
	for _, w := range words {
		if !strings.Contains(b.text(), line(w)) {
			b.t.Errorf("%s (%d) doesn't show %q:\n%s", b.at, b.status, w, b.text())
		}
	}
	return b
}

func (b *browser) showsNot(words string) *browser {
	b.t.Helper()
	if strings.Contains(b.text(), line(words)) {
		b.t.Errorf("%s (%d) shows %q:\n%s", b.at, b.status, words, b.text())
	}
	return b
}

func (b *browser) wantStatus(status int) *browser {
	b.t.Helper()
	if b.status != status {
		b.t.Errorf("%s answered %d, want %d:\n%s", b.at, b.status, status, b.text())
	}
	return b
}

func (b *browser) wantPath(path string) *browser {
	b.t.Helper()
	if b.at.Path != path {
		b.t.Fatalf("at %s (%d), want %s:\n%s", b.at, b.status, path, b.text())
	}
	return b
}

// wantErrors checks that exactly these fields have errors, with these texts.
func (b *browser) wantErrors(want map[string]string) *browser {
	b.t.Helper()
	got := map[string]string{}
	b.page.Find("[aria-invalid=true]").Each(func(_ int, s *goquery.Selection) {
		field := s.AttrOr("name", "")
		got[field] = line(b.page.Find("#" + field + "-error").Text())
	})
	for field, words := range want {
		if !strings.Contains(got[field], line(words)) || got[field] == "" {
			b.t.Errorf("%s shows %q at %s, want %q", b.at, got[field], field, words)
		}
	}
	if len(got) != len(want) {
		b.t.Errorf("%s has errors %v, want %v", b.at, got, want)
	}
	return b
}

// line returns a text on one line with plain spaces.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// waitEnded reloads a receipt until its payment is no longer processing.
func (b *browser) waitEnded() *browser {
	b.t.Helper()
	for range 1500 {
		if b.data("payment-status") != "processing" {
			return b
		}
		time.Sleep(20 * time.Millisecond)
		b.open(b.at.Path)
	}
	b.t.Fatalf("%s is still processing", b.at)
	return nil
}

// raw requests an address exactly as written.
func (b *browser) raw(method, target string) *httptest.ResponseRecorder {
	b.t.Helper()
	request := httptest.NewRequest(method, "/", nil)
	request.Host, request.RequestURI = b.at.Host, target
	request.URL = &url.URL{Path: target}
	if u, err := url.ParseRequestURI(target); err == nil {
		request.URL = u
	}
	answer := httptest.NewRecorder()
	b.app.server.ServeHTTP(answer, request)
	return answer
}

var (
	digits = regexp.MustCompile(`\b\d{6}\b`)
	number = regexp.MustCompile(`\+996\s?\d{3}\s?\d{3}\s?\d{3}`)
)

// masked returns the page's text without its number.
func masked(b *browser) string { return number.ReplaceAllString(b.text(), "+996") }

// form returns the page's token and these fields, as a form to post.
func form(b *browser, pairs ...string) url.Values {
	values := url.Values{"csrf": {b.csrf()}}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}
