// Package webclient is a browser without scripts: it reads pages, fills forms in
// and follows controls by their names.
package webclient

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

// Client is one person's browser, with its cookies. Its page is the last that a
// request led to. A Client is not safe for concurrent use.
type Client struct {
	HTTP     *http.Client
	URL      *url.URL
	Status   int
	Header   http.Header
	Document *goquery.Document

	origin string
	typed  map[string]string
}

// New returns a client of the site at origin, such as http://127.0.0.1:8080. It
// has no page yet.
func New(origin string) (*Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	return &Client{origin: origin, URL: at, HTTP: &http.Client{Jar: jar, Timeout: 30 * time.Second}}, nil
}

// Request sends what a link or form sends, follows redirects and reads the page,
// whatever its status.
func (c *Client) Request(ctx context.Context, method, href string, values url.Values) error {
	target, err := c.URL.Parse(href)
	if err != nil {
		return err
	}
	if method == http.MethodGet && values != nil {
		target.RawQuery, values = values.Encode(), nil
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Accept-Language", "ru")
	if method == http.MethodPost {
		request.Header.Set("Origin", c.origin)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		return err
	}
	c.URL, c.Status, c.Header, c.Document, c.typed = answer.Request.URL, answer.StatusCode, answer.Header, page, map[string]string{}
	return nil
}

// Control returns the first link or button whose name begins with words; empty
// if there is none.
func (c *Client) Control(words string) *goquery.Selection {
	words = OneLine(words)
	return c.Document.Find("a[href], button, input[type=submit]").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(nameOf(s), words)
	}).First()
}

// nameOf returns a control's accessible name: its label, or its text without
// what is decoration.
func nameOf(control *goquery.Selection) string {
	if label, ok := control.Attr("aria-label"); ok {
		return OneLine(label)
	}
	visible := control.Clone()
	visible.Find("[aria-hidden=true]").Remove()
	return OneLine(visible.Text())
}

// Activate follows a link, or submits the form of a button.
func (c *Client) Activate(ctx context.Context, control *goquery.Selection) error {
	if href, ok := control.Attr("href"); ok {
		return c.Request(ctx, http.MethodGet, href, nil)
	}
	action, values := c.Submission(control)
	return c.Request(ctx, strings.ToUpper(c.formOf(control).AttrOr("method", "get")), action, values)
}

func (c *Client) formOf(button *goquery.Selection) *goquery.Selection {
	if id, ok := button.Attr("form"); ok {
		return c.Document.Find("form#" + id)
	}
	return button.Closest("form")
}

// Submission returns where a button sends its form, and the form's values.
func (c *Client) Submission(button *goquery.Selection) (action string, values url.Values) {
	form := c.formOf(button)
	values = c.formValues(form)
	if name, ok := button.Attr("name"); ok && name != "" {
		values.Set(name, button.AttrOr("value", ""))
	}
	return button.AttrOr("formaction", form.AttrOr("action", "")), values
}

func (c *Client) formValues(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[name], select[name], textarea[name]").Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", "text")
		typed, given := c.typed[name]
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

// Field returns the page's first field of a name; empty if there is none.
func (c *Client) Field(name string) *goquery.Selection {
	return c.Document.Find(fmt.Sprintf("[name=%q]", name)).First()
}

// Type sets what a field holds when its form is submitted.
func (c *Client) Type(field, text string) { c.typed[field] = text }

// Text returns the page's text in one line.
func (c *Client) Text() string { return OneLine(c.Document.Find("body").Text()) }

// Path returns the path of the page's address.
func (c *Client) Path() string { return c.URL.Path }

// OneLine replaces each run of white space by one space.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
