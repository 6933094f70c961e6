package system

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit/require"
	"elsom/internal/testkit/webclient"

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

// Client is a Page over plain HTTP. A control or field that is missing ends the
// test.
type Client struct {
	T testing.TB
	webclient.Client
}

// NewClient returns a client of a site, with cookies of its own.
func NewClient(t testing.TB, s *Site) *Client {
	t.Helper()
	client, err := webclient.New(s.BaseURL)
	require.NoError(t, err)
	return &Client{T: t, Client: *client}
}

// Describe implements Page.
func (r *Client) Describe() string { return "plain HTTP" }

// Open implements Page.
func (r *Client) Open(path string) { r.T.Helper(); r.Visit(path) }

// Visit goes to an address, which may be relative to the page's.
func (r *Client) Visit(href string) {
	r.T.Helper()
	require.NoError(r.T, r.Request(http.MethodGet, href, nil))
}

// Request sends what a link or form sends, and reads the page that it leads to.
func (r *Client) Request(method, href string, values url.Values) error {
	return r.Client.Request(context.Background(), method, href, values)
}

// Offers implements Page.
func (r *Client) Offers(words string) bool { return r.Control(words).Length() > 0 }

// Press implements Page.
func (r *Client) Press(words string) {
	r.T.Helper()
	control := r.Control(words)
	if control.Length() == 0 {
		r.T.Fatalf("%s offers no %q:\n%s", r.URL, words, r.Text())
	}
	require.NoError(r.T, r.Activate(context.Background(), control))
}

func (r *Client) field(name string) *goquery.Selection {
	r.T.Helper()
	field := r.Field(name)
	if field.Length() == 0 {
		r.T.Fatalf("%s has no field %s:\n%s", r.URL, name, r.Text())
	}
	return field
}

func (r *Client) Fill(field, text string) {
	r.T.Helper()
	r.field(field)
	r.Type(field, text)
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
