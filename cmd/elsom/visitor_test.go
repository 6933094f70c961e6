package main_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// visitor is somebody who reads pages, types and presses what they see: in a
// browser, or with nothing but HTTP. A thing that isn't there ends the test.
type visitor interface {
	// open goes to an address of the site.
	open(path string)
	// press follows the link or presses the button whose name begins so.
	press(words string)
	// offers tells whether there is a link or button whose name begins so.
	offers(words string) bool
	fill(field, text string)
	tick(field string)
	// value is what stands in a field now.
	value(field string) string
	// attribute is that of the first element that has it.
	attribute(name string) string
	// text is all that the page says, in one line.
	text() string
	path() string
	// wait lets time pass until the page itself says what is wanted.
	wait(attribute, value string)
	// look does what this visitor checks on every page.
	look(page string)
	// size tells what the visitor comes with, for the log.
	size() string
}

// reader is a visitor without a browser: HTTP, cookies, HTML.
type reader struct {
	t      testing.TB
	base   string
	client *http.Client
	at     *url.URL
	status int
	header http.Header
	page   *goquery.Document
	typed  map[string]string
}

func newReader(t testing.TB, s *site) *reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t: t, base: s.base, at: at, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (r *reader) size() string { return "no browser" }

func (r *reader) open(path string) { r.t.Helper(); r.visit(path) }

func (r *reader) visit(href string) {
	r.t.Helper()
	if err := r.request(http.MethodGet, href, nil); err != nil {
		r.t.Fatal(err)
	}
}

// request goes where a link or form leads, as a browser would, and reads the
// page it ends at.
func (r *reader) request(method, href string, values url.Values) error {
	target, err := r.at.Parse(href)
	if err != nil {
		return err
	}
	if method == http.MethodGet && values != nil {
		target.RawQuery, values = values.Encode(), nil
	}
	request, err := http.NewRequest(method, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Accept-Language", "ru")
	if method == http.MethodPost {
		request.Header.Set("Origin", r.base)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		return err
	}
	r.at, r.status, r.header, r.page, r.typed = answer.Request.URL, answer.StatusCode, answer.Header, page, map[string]string{}
	return nil
}

func (r *reader) control(words string) *goquery.Selection {
	return r.page.Find("a[href], button, input[type=submit]").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(nameOf(s), words)
	}).First()
}

// nameOf is what a control is called: its label or its text, without what is
// drawn only.
func nameOf(control *goquery.Selection) string {
	if label, ok := control.Attr("aria-label"); ok {
		return line(label)
	}
	said := control.Clone()
	said.Find("[aria-hidden=true]").Remove()
	return line(said.Text())
}

func (r *reader) offers(words string) bool { return r.control(words).Length() > 0 }

func (r *reader) press(words string) {
	r.t.Helper()
	control := r.control(words)
	if control.Length() == 0 {
		r.t.Fatalf("%s offers no %q:\n%s", r.at, words, r.text())
	}
	if href, ok := control.Attr("href"); ok {
		r.visit(href)
		return
	}
	form := r.formOf(control)
	action, values := r.submission(control)
	if err := r.request(strings.ToUpper(form.AttrOr("method", "get")), action, values); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) formOf(button *goquery.Selection) *goquery.Selection {
	if id, ok := button.Attr("form"); ok {
		return r.page.Find("form#" + id)
	}
	return button.Closest("form")
}

// submission is where a button sends its form, and everything that stands in it.
func (r *reader) submission(button *goquery.Selection) (action string, values url.Values) {
	form := r.formOf(button)
	values = r.formValues(form)
	if name, ok := button.Attr("name"); ok && name != "" {
		values.Set(name, button.AttrOr("value", ""))
	}
	return button.AttrOr("formaction", form.AttrOr("action", "")), values
}

func (r *reader) formValues(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[name], select[name], textarea[name]").Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", "text")
		typed, given := r.typed[name]
		_, checked := s.Attr("checked")
		switch {
		case kind == "submit" || kind == "button":
		case kind == "checkbox" || kind == "radio":
			if given || checked {
				values.Set(name, s.AttrOr("value", "on"))
			}
		case given:
			values.Set(name, typed)
		default:
			values.Set(name, s.AttrOr("value", ""))
		}
	})
	return values
}

func (r *reader) field(name string) *goquery.Selection {
	r.t.Helper()
	field := r.page.Find(fmt.Sprintf("[name=%q]", name)).First()
	if field.Length() == 0 {
		r.t.Fatalf("%s has no field %s:\n%s", r.at, name, r.text())
	}
	return field
}

func (r *reader) fill(field, text string) {
	r.t.Helper()
	r.field(field)
	r.typed[field] = text
}

func (r *reader) tick(field string) { r.t.Helper(); r.fill(field, "on") }

func (r *reader) value(field string) string {
	r.t.Helper()
	return r.field(field).AttrOr("value", "")
}

func (r *reader) attribute(name string) string {
	r.t.Helper()
	found := r.page.Find("[" + name + "]").First()
	if found.Length() == 0 {
		r.t.Fatalf("%s has no %s:\n%s", r.at, name, r.text())
	}
	return found.AttrOr(name, "")
}

func (r *reader) text() string { return line(r.page.Find("body").Text()) }
func (r *reader) path() string { return r.at.Path }

// wait reloads: without a browser nothing else refreshes a page.
func (r *reader) wait(attribute, value string) {
	r.t.Helper()
	for begin := time.Now(); r.attribute(attribute) != value; time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			r.t.Fatalf("%s is still %s", attribute, r.attribute(attribute))
		}
		r.visit(r.at.String())
	}
}

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// look checks what every page must bring along.
func (r *reader) look(page string) {
	r.t.Helper()
	if r.status != http.StatusOK {
		r.t.Errorf("%s: status %d", page, r.status)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff",
	} {
		if got := r.header.Get(name); got != want {
			r.t.Errorf("%s: %s is %q, want %q", page, name, got, want)
		}
	}
	for _, name := range []string{"Referrer-Policy", "Cross-Origin-Opener-Policy"} {
		if r.header.Get(name) == "" {
			r.t.Errorf("%s: no %s", page, name)
		}
	}
	if strings.ContainsAny(r.text(), "⟨⟩") {
		r.t.Errorf("%s: a text is missing: %s", page, r.text())
	}
	if n := r.page.Find("[style], style, script:not([src])").Length(); n > 0 {
		r.t.Errorf("%s: %d styles or scripts stand in the page itself", page, n)
	}
	if n := r.page.Find("h1").Length(); n != 1 {
		r.t.Errorf("%s: %d headings of the first rank", page, n)
	}
}

// line puts a text into one line with plain spaces.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }
