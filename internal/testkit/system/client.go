package system

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"elsom/internal/i18n"
)

// NewMember is somebody who is signed up and has some money, on a reader's page.
func NewMember(t *testing.T, s *Site, som string) (*Client, Person) {
	t.Helper()
	p, r := NewPerson(), NewClient(t, s)
	SignUp(t, s, r, WordsOf[i18n.RU], p)
	if som != "" {
		s.CashIn(t, p.Phone, som)
	}
	return r, p
}

// OrderPayment types a payment to DosTek and presses «Далее».
func (r *Client) OrderPayment(account, amount string) {
	r.T.Helper()
	r.Open("/pay/dostek")
	r.Fill("account", account)
	r.Fill("amount", amount)
	r.Press("Далее")
}

// WantInvalidField wants 422 with the field named and described, and others not.
func (r *Client) WantInvalidField(field string) {
	r.T.Helper()
	if r.Status != http.StatusUnprocessableEntity {
		r.T.Errorf("status %d at %s, want 422:\n%s", r.Status, r.URL, r.Text())
		return
	}
	invalid := r.Document.Find(`[aria-invalid="true"]`)
	if invalid.Length() != 1 || invalid.AttrOr("name", "") != field {
		r.T.Errorf("%d fields are called wrong, the first %q; want %s", invalid.Length(), invalid.AttrOr("name", ""), field)
	}
	described := false
	for _, id := range strings.Fields(invalid.AttrOr("aria-describedby", "")) {
		described = described || OneLine(r.Document.Find("#"+id).Text()) != ""
	}
	if !described {
		r.T.Errorf("%s has no words that say what is wrong", field)
	}
}

// Client is a visitor without a browser: HTTP, cookies, HTML.
type Client struct {
	T        testing.TB
	base     string
	HTTP     *http.Client
	URL      *url.URL
	Status   int
	Header   http.Header
	Document *goquery.Document
	typed    map[string]string
}

func NewClient(t testing.TB, s *Site) *Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(s.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{T: t, base: s.BaseURL, URL: at, HTTP: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (r *Client) Describe() string { return "no browser" }

func (r *Client) Open(path string) { r.T.Helper(); r.Visit(path) }

func (r *Client) Visit(href string) {
	r.T.Helper()
	if err := r.Request(http.MethodGet, href, nil); err != nil {
		r.T.Fatal(err)
	}
}

// Request goes where a link or form leads, as a browser would, and reads the
// page it ends at.
func (r *Client) Request(method, href string, values url.Values) error {
	target, err := r.URL.Parse(href)
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
	answer, err := r.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		return err
	}
	r.URL, r.Status, r.Header, r.Document, r.typed = answer.Request.URL, answer.StatusCode, answer.Header, page, map[string]string{}
	return nil
}

func (r *Client) Control(words string) *goquery.Selection {
	return r.Document.Find("a[href], button, input[type=submit]").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(nameOf(s), words)
	}).First()
}

// nameOf is what a control is called: its label or its text, without what is
// drawn only.
func nameOf(control *goquery.Selection) string {
	if label, ok := control.Attr("aria-label"); ok {
		return OneLine(label)
	}
	said := control.Clone()
	said.Find("[aria-hidden=true]").Remove()
	return OneLine(said.Text())
}

func (r *Client) Offers(words string) bool { return r.Control(words).Length() > 0 }

func (r *Client) Press(words string) {
	r.T.Helper()
	control := r.Control(words)
	if control.Length() == 0 {
		r.T.Fatalf("%s offers no %q:\n%s", r.URL, words, r.Text())
	}
	if href, ok := control.Attr("href"); ok {
		r.Visit(href)
		return
	}
	form := r.formOf(control)
	action, values := r.Submission(control)
	if err := r.Request(strings.ToUpper(form.AttrOr("method", "get")), action, values); err != nil {
		r.T.Fatal(err)
	}
}

func (r *Client) formOf(button *goquery.Selection) *goquery.Selection {
	if id, ok := button.Attr("form"); ok {
		return r.Document.Find("form#" + id)
	}
	return button.Closest("form")
}

// Submission is where a button sends its form, and everything that stands in it.
func (r *Client) Submission(button *goquery.Selection) (action string, values url.Values) {
	form := r.formOf(button)
	values = r.formValues(form)
	if name, ok := button.Attr("name"); ok && name != "" {
		values.Set(name, button.AttrOr("value", ""))
	}
	return button.AttrOr("formaction", form.AttrOr("action", "")), values
}

func (r *Client) formValues(form *goquery.Selection) url.Values {
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

func (r *Client) field(name string) *goquery.Selection {
	r.T.Helper()
	field := r.Document.Find(fmt.Sprintf("[name=%q]", name)).First()
	if field.Length() == 0 {
		r.T.Fatalf("%s has no field %s:\n%s", r.URL, name, r.Text())
	}
	return field
}

func (r *Client) Fill(field, text string) {
	r.T.Helper()
	r.field(field)
	r.typed[field] = text
}

func (r *Client) Tick(field string) { r.T.Helper(); r.Fill(field, "on") }

func (r *Client) Value(field string) string {
	r.T.Helper()
	return r.field(field).AttrOr("value", "")
}

func (r *Client) Attribute(name string) string {
	r.T.Helper()
	found := r.Document.Find("[" + name + "]").First()
	if found.Length() == 0 {
		r.T.Fatalf("%s has no %s:\n%s", r.URL, name, r.Text())
	}
	return found.AttrOr(name, "")
}

func (r *Client) Text() string { return OneLine(r.Document.Find("body").Text()) }

func (r *Client) Path() string { return r.URL.Path }

// WaitAttribute reloads: without a browser nothing else refreshes a page.
func (r *Client) WaitAttribute(attribute, value string) {
	r.T.Helper()
	for begin := time.Now(); r.Attribute(attribute) != value; time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			r.T.Fatalf("%s is still %s", attribute, r.Attribute(attribute))
		}
		r.Visit(r.URL.String())
	}
}

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// Check checks what every page must bring along.
func (r *Client) Check(page string) {
	r.T.Helper()
	if r.Status != http.StatusOK {
		r.T.Errorf("%s: status %d", page, r.Status)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff",
	} {
		if got := r.Header.Get(name); got != want {
			r.T.Errorf("%s: %s is %q, want %q", page, name, got, want)
		}
	}
	for _, name := range []string{"Referrer-Policy", "Cross-Origin-Opener-Policy"} {
		if r.Header.Get(name) == "" {
			r.T.Errorf("%s: no %s", page, name)
		}
	}
	if strings.ContainsAny(r.Text(), "⟨⟩") {
		r.T.Errorf("%s: a text is missing: %s", page, r.Text())
	}
	if n := r.Document.Find("[style], style, script:not([src])").Length(); n > 0 {
		r.T.Errorf("%s: %d styles or scripts stand in the page itself", page, n)
	}
	if n := r.Document.Find("h1").Length(); n != 1 {
		r.T.Errorf("%s: %d headings of the first rank", page, n)
	}
}
