package web_test

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
)

// policy is the expected policy, not the code's constant.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// check checks the properties of every page.
func (b *browser) check() {
	b.t.Helper()
	b.secureHeaders(b.header)
	if b.status == http.StatusNotFound && strings.HasPrefix(b.at.Path, "/static/") {
		return
	}
	if got := b.header.Get("Cache-Control"); got != "no-store" {
		b.t.Errorf("%s (%d): Cache-Control is %q", b.at, b.status, got)
	}
	if got := b.header.Get("Content-Type"); got != "text/html; charset=UTF-8" {
		b.t.Errorf("%s (%d): Content-Type is %q", b.at, b.status, got)
	}
	if !utf8.ValidString(b.body) {
		b.t.Errorf("%s: broken UTF-8", b.at)
	}
	if strings.ContainsAny(b.body, "⟨⟩") || strings.Contains(b.text(), "%!") || strings.Contains(b.body, "<no value>") {
		b.t.Errorf("%s: a text is missing: %s", b.at, b.text())
	}
	if n := b.page.Find("[style], style, script:not([src]), [onclick], [onsubmit]").Length(); n > 0 {
		b.t.Errorf("%s: %d inline styles or scripts", b.at, n)
	}
	if n := b.page.Find("h1").Length(); n != 1 {
		b.t.Errorf("%s: %d h1 elements", b.at, n)
	}
	b.names()
	b.forms()
	b.summary()
}

// secureHeaders checks the headers of every response.
func (b *browser) secureHeaders(header http.Header) {
	b.t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "",
	} {
		if got := header.Get(name); got != want {
			b.t.Errorf("%s: %s is %q, want %q", b.at, name, got, want)
		}
	}
	hsts := ""
	if strings.HasPrefix(b.app.base, "https") {
		hsts = "max-age=31536000; includeSubDomains"
	}
	if got := header.Get("Strict-Transport-Security"); got != hsts {
		b.t.Errorf("%s: HSTS is %q", b.at, got)
	}
	if header.Get("Server") != "" || header.Get("X-Powered-By") != "" {
		b.t.Errorf("%s: the server software is disclosed", b.at)
	}
}

// names checks ids, labels and accessible names.
func (b *browser) names() {
	b.t.Helper()
	ids := map[string]bool{}
	b.page.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if ids[id] {
			b.t.Errorf("%s: two elements have the id %s", b.at, id)
		}
		ids[id] = true
	})
	b.page.Find("[aria-describedby], [aria-labelledby], [aria-controls]").Each(func(_ int, s *goquery.Selection) {
		for _, attribute := range []string{"aria-describedby", "aria-labelledby", "aria-controls"} {
			for _, id := range strings.Fields(s.AttrOr(attribute, "")) {
				if !ids[id] {
					b.t.Errorf("%s: %s refers to #%s, which doesn't exist", b.at, attribute, id)
				}
			}
		}
	})
	b.page.Find("input:not([type=hidden]):not([aria-hidden=true])").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		label := b.page.Find("label[for='" + id + "']")
		if around := s.Closest("label"); around.Length() == 1 {
			label = around
		}
		if label.Length() != 1 || line(label.Text()) == "" {
			b.t.Errorf("%s: the field %q has no label", b.at, s.AttrOr("name", ""))
		}
		if s.AttrOr("type", "") == "number" {
			b.t.Errorf("%s: the field %q is of type number", b.at, id)
		}
	})
	b.page.Find("a[href], button:not([aria-hidden=true])").Each(func(_ int, s *goquery.Selection) {
		if name(s) == "" {
			html, _ := goquery.OuterHtml(s)
			b.t.Errorf("%s: no accessible name: %s", b.at, html)
		}
	})
	switch lang := b.page.Find("html").AttrOr("lang", ""); lang {
	case "ky", "ru", "en":
	default:
		b.t.Errorf("%s: the language is %q", b.at, lang)
	}
}

// forms checks that each form has a route and a token, and that no password is
// rendered.
func (b *browser) forms() {
	b.t.Helper()
	b.page.Find("form[method=post]").Each(func(_ int, form *goquery.Selection) {
		action := form.AttrOr("action", "")
		if !strings.HasPrefix(action, "/") || strings.HasPrefix(action, "//") {
			b.t.Errorf("%s: a form goes to %q", b.at, action)
		}
		to := b.app.server.NewContext(nil, nil)
		if b.app.server.Router().Find(http.MethodPost, action, to); to.Path() == "" || to.Path() == "/*" {
			b.t.Errorf("%s: the form to %s has no route", b.at, action)
		}
		if token := form.Find("input[name=csrf]"); token.Length() != 1 || (token.AttrOr("value", "") == "" && b.header.Get("Set-Cookie") != "") {
			b.t.Errorf("%s: the form to %s has no token", b.at, action)
		}
	})
	b.page.Find("input[type=password]").Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("value", "") != "" {
			b.t.Errorf("%s: a password is rendered", b.at)
		}
	})
}

// summary checks the error summary: first on the page, with the messages of the
// fields and links to them.
func (b *browser) summary() {
	b.t.Helper()
	links := map[string]string{}
	b.page.Find("#problems li a").Each(func(_ int, s *goquery.Selection) {
		links[strings.TrimPrefix(s.AttrOr("href", ""), "#")] = line(s.Text())
	})
	wrong := b.page.Find("[aria-invalid=true]")
	wrong.Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		words := line(b.page.Find("#" + id + "-error").Text())
		if words == "" || words != links[id] {
			b.t.Errorf("%s: the error at %s is %q, in the summary %q", b.at, id, words, links[id])
		}
		if !strings.Contains(" "+s.AttrOr("aria-describedby", "")+" ", " "+id+"-error ") {
			b.t.Errorf("%s: %s isn't described by its error", b.at, id)
		}
	})
	if wrong.Length() != len(links) {
		b.t.Errorf("%s: %d fields have errors, the summary links to %d", b.at, wrong.Length(), len(links))
	}
	title := b.page.Find("title").Text()
	marked := strings.HasPrefix(title, map[string]string{"ky": "Ката: ", "ru": "Ошибка: ", "en": "Error: "}[b.page.Find("html").AttrOr("lang", "")])
	if summary := b.page.Find("#problems"); (summary.Length() > 0 || b.status >= 400 && b.page.Find(".notice").Length() == 0) && !marked {
		b.t.Errorf("%s (%d): the title of an error is %q", b.at, b.status, title)
	} else if summary.Length() > 0 && !b.page.Find("#main").Children().First().IsSelection(summary) {
		b.t.Errorf("%s: the summary is not first", b.at)
	}
	if b.status >= 400 && b.page.Find("#problems").Length() == 0 && b.page.Find(".failure, .notice").Length() == 0 {
		b.t.Errorf("%s (%d): no error is shown: %s", b.at, b.status, b.text())
	}
}

// cookies checks the attributes of each cookie.
func (b *browser) cookies(set []*http.Cookie) {
	b.t.Helper()
	https := strings.HasPrefix(b.app.base, "https")
	for _, c := range set {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != https {
			b.t.Errorf("the cookie %s has wrong attributes: %s", c.Name, c.Raw)
		}
		name, guarded := strings.CutPrefix(c.Name, "__Host-")
		if guarded != https {
			b.t.Errorf("the cookie %s has the wrong prefix", c.Name)
		}
		switch name {
		case "elsom":
			if c.MaxAge != 0 || !c.Expires.IsZero() {
				b.t.Errorf("the session cookie is persistent: %s", c.Raw)
			}
		case "lang", "lang_choice":
		case "elsom_device":
			if c.MaxAge > 90*24*60*60 {
				b.t.Errorf("the device cookie expires too late: %s", c.Raw)
			}
		case "next", "note", "elsom_page":
			if c.MaxAge > 15*60 {
				b.t.Errorf("a short-lived cookie expires too late: %s", c.Raw)
			}
		default:
			b.t.Errorf("an unknown cookie %s", c.Name)
		}
	}
}
