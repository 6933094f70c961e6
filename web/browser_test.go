package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/PuerkitoBio/goquery"

	"elsom/internal/customer"
	"elsom/internal/phone"
)

// browser is one without scripts: cookies, links, forms. Every page that it
// comes by is looked at; see look.
type browser struct {
	hangsUp context.Context // ends the requests where there is one
	t       *testing.T
	h       *house
	jar     *cookiejar.Jar
	from    string // address
	agent   map[string]string
	at      *url.URL
	status  int
	header  http.Header
	body    string
	page    *goquery.Document
	typed   url.Values
}

func (h *house) browser() *browser {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	at, err := url.Parse(h.base + "/")
	must(h.t, err)
	return &browser{t: h.t, h: h, jar: jar, from: "192.0.2.7:1234", at: at}
}

// as signs a holder in.
func (h *house) as(who customer.Customer) *browser {
	h.t.Helper()
	b := h.browser()
	b.open("/")
	b.logIn(who.Phone, password)
	b.isAt("/cabinet")
	return b
}

func (b *browser) logIn(number phone.Number, password string) {
	b.t.Helper()
	b.fill("phone", number.String())
	b.press("Войти")
	b.fill("password", password)
	b.press("Войти")
}

// ask sends one request and gives its answer, cookies kept, nothing followed.
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
	must(b.t, err)
	request := httptest.NewRequest(method, to.RequestURI(), body)
	request.Host, request.RemoteAddr = to.Host, b.from
	if b.hangsUp != nil {
		request = request.WithContext(b.hangsUp)
	}
	for _, cookie := range b.jar.Cookies(to) {
		request.AddCookie(cookie)
	}
	if method == http.MethodPost {
		request.Header.Set("Origin", b.h.base)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
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
	b.h.server.ServeHTTP(answer, request)
	var cookies []*http.Cookie
	for _, set := range answer.Header().Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(set)
		must(b.t, err)
		cookies = append(cookies, cookie)
	}
	b.jar.SetCookies(to, cookies)
	b.cookies(cookies)
	return answer
}

// follow goes after a request to the page at which it ends.
func (b *browser) follow(method, target string, form url.Values) *browser {
	b.t.Helper()
	to, err := b.at.Parse(target)
	must(b.t, err)
	from := b.at.String()
	for range 10 {
		answer := b.ask(method, to.String(), form, "Referer", from)
		if place := answer.Header().Get("Location"); place != "" {
			if to, err = to.Parse(place); err != nil || to.Host != b.at.Host {
				b.t.Fatalf("led to %q", place)
			}
			method, form = http.MethodGet, nil
			continue
		}
		b.at = to
		b.read(answer)
		return b
	}
	b.t.Fatalf("%s leads in circles", target)
	return nil
}

// read takes an answer for the page that is shown.
func (b *browser) read(answer *httptest.ResponseRecorder) *browser {
	b.t.Helper()
	b.status, b.header, b.body, b.typed = answer.Code, answer.Header(), answer.Body.String(), url.Values{}
	var err error
	b.page, err = goquery.NewDocumentFromReader(bytes.NewReader(answer.Body.Bytes()))
	must(b.t, err)
	b.look()
	return b
}

func (b *browser) open(target string) *browser {
	b.t.Helper()
	return b.follow(http.MethodGet, target, nil)
}

// control is the link or button whose words begin so.
func (b *browser) control(words string) *goquery.Selection {
	return b.page.Find("a[href], button").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(name(s), words)
	}).First()
}

func name(control *goquery.Selection) string {
	heard := control.Clone()
	heard.Find("[aria-hidden=true]").Remove()
	return line(heard.Text())
}

func (b *browser) press(words string) *browser {
	b.t.Helper()
	control := b.control(words)
	if control.Length() == 0 {
		b.t.Fatalf("%s offers no %q:\n%s", b.at, words, b.text())
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

// form is what a button sends.
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

// fill types or pastes into a field, which cuts off what is longer than its maxlength.
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

// value is what the page shows in a field.
func (b *browser) value(field string) string {
	b.t.Helper()
	return b.field(field).AttrOr("value", "")
}

func (b *browser) csrf() string { return b.page.Find("input[name=csrf]").AttrOr("value", "") }

func (b *browser) data(name string) string {
	return b.page.Find("[data-"+name+"]").AttrOr("data-"+name, "")
}

func (b *browser) text() string { return line(b.page.Find("main").Text()) }

func (b *browser) says(words ...string) *browser {
	b.t.Helper()
	for _, w := range words {
		if !strings.Contains(b.text(), line(w)) {
			b.t.Errorf("%s (%d) doesn't say %q:\n%s", b.at, b.status, w, b.text())
		}
	}
	return b
}

func (b *browser) answered(status int) *browser {
	b.t.Helper()
	if b.status != status {
		b.t.Errorf("%s answered %d, want %d:\n%s", b.at, b.status, status, b.text())
	}
	return b
}

func (b *browser) isAt(path string) *browser {
	b.t.Helper()
	if b.at.Path != path {
		b.t.Fatalf("at %s (%d), want %s:\n%s", b.at, b.status, path, b.text())
	}
	return b
}

// wrongAt checks that exactly these fields are wrong, each with its words.
func (b *browser) wrongAt(want map[string]string) *browser {
	b.t.Helper()
	got := map[string]string{}
	b.page.Find("[aria-invalid=true]").Each(func(_ int, s *goquery.Selection) {
		field := s.AttrOr("name", "")
		got[field] = line(b.page.Find("#" + field + "-error").Text())
	})
	for field, words := range want {
		if !strings.Contains(got[field], line(words)) || got[field] == "" {
			b.t.Errorf("%s says %q at %s, want %q", b.at, got[field], field, words)
		}
	}
	if len(got) != len(want) {
		b.t.Errorf("%s finds fault with %v, want %v", b.at, got, want)
	}
	return b
}

// line puts a text into one line with plain spaces.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// ended looks at a receipt until its payment is no longer processing.
func (b *browser) ended() *browser {
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

// raw asks for an address exactly as it is written.
func (b *browser) raw(method, target string) *httptest.ResponseRecorder {
	b.t.Helper()
	request := httptest.NewRequest(method, "/", nil)
	request.Host, request.RequestURI = b.at.Host, target
	request.URL = &url.URL{Path: target}
	if u, err := url.ParseRequestURI(target); err == nil {
		request.URL = u
	}
	answer := httptest.NewRecorder()
	b.h.server.ServeHTTP(answer, request)
	return answer
}
