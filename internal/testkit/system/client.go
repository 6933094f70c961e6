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

// NewMember registers a person with som in the wallet.
func NewMember(t *testing.T, s *Site, som string) (*Client, Person) {
	t.Helper()
	p, r := NewPerson(), NewClient(t, s)
	SignUp(t, s, r, WordsOf[i18n.RU], p)
	if som != "" {
		s.CashIn(t, p.Phone, som)
	}
	return r, p
}

// OrderPayment fills the form of a payment to DosTek in and presses «Далее».
func (c *Client) OrderPayment(account, amount string) {
	c.T.Helper()
	c.Open("/pay/dostek")
	c.Fill("account", account)
	c.Fill("amount", amount)
	c.Press("Далее")
}

// WantInvalidField reports an error unless the page has the status 422 and exactly
// this field is marked as invalid, with a description.
func (c *Client) WantInvalidField(field string) {
	c.T.Helper()
	if c.Status != http.StatusUnprocessableEntity {
		c.T.Errorf("status %d at %s, want 422:\n%s", c.Status, c.URL, c.Text())
		return
	}
	invalid := c.Document.Find(`[aria-invalid="true"]`)
	if invalid.Length() != 1 || invalid.AttrOr("name", "") != field {
		c.T.Errorf("%d fields are invalid, the first %q; want %s", invalid.Length(), invalid.AttrOr("name", ""), field)
	}
	described := false
	for _, id := range strings.Fields(invalid.AttrOr("aria-describedby", "")) {
		described = described || OneLine(c.Document.Find("#"+id).Text()) != ""
	}
	if !described {
		c.T.Errorf("the invalid field %s has no description", field)
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
func (c *Client) Describe() string { return "plain HTTP" }

// Open implements Page.
func (c *Client) Open(path string) { c.T.Helper(); c.Visit(path) }

// Visit goes to an address, which may be relative to the page's.
func (c *Client) Visit(href string) {
	c.T.Helper()
	require.NoError(c.T, c.Request(http.MethodGet, href, nil))
}

// Request sends what a link or form sends, and reads the page that it leads to.
func (c *Client) Request(method, href string, values url.Values) error {
	return c.Client.Request(context.Background(), method, href, values)
}

// Offers implements Page.
func (c *Client) Offers(words string) bool { return c.Control(words).Length() > 0 }

// Press implements Page.
func (c *Client) Press(words string) {
	c.T.Helper()
	control := c.Control(words)
	if control.Length() == 0 {
		c.T.Fatalf("%s offers no %q:\n%s", c.URL, words, c.Text())
	}
	require.NoError(c.T, c.Activate(context.Background(), control))
}

func (c *Client) field(name string) *goquery.Selection {
	c.T.Helper()
	field := c.Field(name)
	if field.Length() == 0 {
		c.T.Fatalf("%s has no field %s:\n%s", c.URL, name, c.Text())
	}
	return field
}

// Fill implements Page.
func (c *Client) Fill(field, text string) {
	c.T.Helper()
	c.field(field)
	c.Type(field, text)
}

// Tick implements Page.
func (c *Client) Tick(field string) { c.T.Helper(); c.Fill(field, "on") }

// Value implements Page.
func (c *Client) Value(field string) string {
	c.T.Helper()
	return c.field(field).AttrOr("value", "")
}

// Attribute implements Page.
func (c *Client) Attribute(name string) string {
	c.T.Helper()
	found := c.Document.Find("[" + name + "]").First()
	if found.Length() == 0 {
		c.T.Fatalf("%s has no %s:\n%s", c.URL, name, c.Text())
	}
	return found.AttrOr(name, "")
}

// WaitAttribute implements Page. It reloads, as a browser does by the page's
// refresh.
func (c *Client) WaitAttribute(attribute, value string) {
	c.T.Helper()
	for begin := time.Now(); c.Attribute(attribute) != value; time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			c.T.Fatalf("%s is still %s", attribute, c.Attribute(attribute))
		}
		c.Visit(c.URL.String())
	}
}

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// Check implements Page: status, security headers, texts and headings.
func (c *Client) Check(page string) {
	c.T.Helper()
	if c.Status != http.StatusOK {
		c.T.Errorf("%s: status %d", page, c.Status)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff",
	} {
		if got := c.Header.Get(name); got != want {
			c.T.Errorf("%s: %s is %q, want %q", page, name, got, want)
		}
	}
	for _, name := range []string{"Referrer-Policy", "Cross-Origin-Opener-Policy"} {
		if c.Header.Get(name) == "" {
			c.T.Errorf("%s: no %s", page, name)
		}
	}
	if strings.ContainsAny(c.Text(), "⟨⟩") {
		c.T.Errorf("%s: a text is missing: %s", page, c.Text())
	}
	if n := c.Document.Find("[style], style, script:not([src])").Length(); n > 0 {
		c.T.Errorf("%s: %d inline styles or scripts", page, n)
	}
	if n := c.Document.Find("h1").Length(); n != 1 {
		c.T.Errorf("%s: %d h1 headings", page, n)
	}
}
