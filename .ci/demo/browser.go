package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// browser is a visitor without scripts: it reads pages, types into fields and
// presses links and buttons by their names.
type browser struct {
	client *http.Client
	base   string
	at     *url.URL
	page   *goquery.Document
	typed  map[string]string
}

func newBrowser(base string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(base)
	return &browser{client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, base: base, at: at}, err
}

// all does one thing after another until one fails.
func (b *browser) all(list ...func() error) error {
	for _, do := range list {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (b *browser) open(ctx context.Context, path string) error {
	return b.request(ctx, http.MethodGet, path, nil)
}

func (b *browser) path() string { return b.at.Path }

func (b *browser) request(ctx context.Context, method, href string, form url.Values) error {
	target, err := b.at.Parse(href)
	if err != nil {
		return err
	}
	if method == http.MethodGet && form != nil {
		target.RawQuery, form = form.Encode(), nil
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Accept-Language", "ru")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		request.Header.Set("Origin", b.base)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		return err
	}
	b.at, b.page, b.typed = answer.Request.URL, page, map[string]string{}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", b.path(), answer.Status, b.text())
	}
	return nil
}

func (b *browser) text() string { return strings.Join(strings.Fields(b.page.Find("main").Text()), " ") }

func (b *browser) fill(field, text string) error {
	if b.page.Find(fmt.Sprintf("[name=%q]", field)).Length() == 0 {
		return fmt.Errorf("%s has no field %s: %s", b.path(), field, b.text())
	}
	b.typed[field] = text
	return nil
}

// press follows the link or sends the form of the button whose name begins so.
func (b *browser) press(ctx context.Context, words string) error {
	control := b.page.Find("a[href], button").FilterFunction(func(_ int, s *goquery.Selection) bool {
		said := s.Clone()
		said.Find("[aria-hidden=true]").Remove() // drawn only
		return strings.HasPrefix(s.AttrOr("aria-label", strings.Join(strings.Fields(said.Text()), " ")), words)
	}).First()
	if control.Length() == 0 {
		return fmt.Errorf("%s has no %q: %s", b.path(), words, b.text())
	}
	if href, ok := control.Attr("href"); ok {
		return b.open(ctx, href)
	}
	form := control.Closest("form")
	if id, ok := control.Attr("form"); ok {
		form = b.page.Find("form#" + id)
	}
	values := url.Values{}
	form.Find("input[name], select[name]").Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", "text")
		typed, given := b.typed[name]
		_, checked := s.Attr("checked")
		switch {
		case (kind == "checkbox" || kind == "radio") && !given && !checked:
		case kind == "checkbox" || kind == "radio":
			values.Set(name, s.AttrOr("value", "on"))
		case given:
			values.Set(name, typed)
		default:
			values.Set(name, s.AttrOr("value", ""))
		}
	})
	if name := control.AttrOr("name", ""); name != "" {
		values.Set(name, control.AttrOr("value", ""))
	}
	action := control.AttrOr("formaction", form.AttrOr("action", ""))
	return b.request(ctx, strings.ToUpper(form.AttrOr("method", "get")), action, values)
}

// attribute is that of the first element that has it; empty where none has.
func (b *browser) attribute(name string) string {
	return b.page.Find("["+name+"]").First().AttrOr(name, "")
}

// shows checks an attribute of the page.
func (b *browser) shows(attribute, want string) error {
	if got := b.attribute(attribute); got != want {
		return fmt.Errorf("%s shows %s=%q, not %q: %s", b.path(), attribute, got, want, b.text())
	}
	return nil
}
