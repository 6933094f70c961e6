package web_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"elsom/web"
)

var ourProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:1::/48")}

// TestAddressesBehindProxies checks that X-Forwarded-For is used only behind trusted
// proxies, in every notation that proxies use.
func TestAddressesBehindProxies(t *testing.T) {
	t.Parallel()
	elsewhere := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		trusted []netip.Prefix
		header  string
		want    string
	}{
		{nil, "198.51.100.1, 203.0.113.9", "192.0.2.7"},
		{elsewhere, "198.51.100.1, 203.0.113.9", "192.0.2.7"},
		{ourProxies, "198.51.100.1, 203.0.113.9", "203.0.113.9"},
		{ourProxies, "203.0.113.7:51008", "203.0.113.7"},
		{ourProxies, "198.51.100.1, 203.0.113.7:51008, 192.0.2.9:4711", "203.0.113.7"},
		{ourProxies, "[2001:db8::1]:443", "2001:db8::1"},
		{ourProxies, "[2001:db8::1]", "2001:db8::1"},
		{ourProxies, "2001:db8::1", "2001:db8::1"},
		{ourProxies, "2001:DB8:0::1", "2001:db8::1"},
		{ourProxies, "::ffff:203.0.113.7", "203.0.113.7"},
		{ourProxies, `"203.0.113.7:51008"`, "203.0.113.7"},
		{ourProxies, `"[2001:db8::1]:443"`, "2001:db8::1"},
		{ourProxies, "203.0.113.7,", "203.0.113.7"},
		{ourProxies, "203.0.113.7 , ,", "203.0.113.7"},
		{ourProxies, "  203.0.113.7  ", "203.0.113.7"},
		{ourProxies, "[2001:db8::1]:443, [2001:db8:1::5]:80", "2001:db8::1"},
		// Entries forged by the client come before the proxy's.
		{ourProxies, "unknown, 203.0.113.7", "203.0.113.7"},
		{ourProxies, "203.0.113.7, unknown", "192.0.2.7"},
		{ourProxies, "203.0.113.7, unknown, 192.0.2.9", "192.0.2.9"},
		{ourProxies, "192.0.2.8, 192.0.2.9", "192.0.2.8"},
		{ourProxies, "", "192.0.2.7"},
		{ourProxies, ",", "192.0.2.7"},
	} {
		app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.TrustedProxies = c.trusted }})
		number := app.newNumber()
		b := app.browser()
		b.agent = map[string]string{"X-Forwarded-For": c.header, "X-Real-Ip": "198.51.100.2"}
		b.open("/").fill("phone", number.String()).press("Войти")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
		if n := app.count("SELECT COUNT(*) FROM confirmations WHERE address = ?", c.want); n != 1 {
			t.Errorf("%q, trusting %v: not from %s", c.header, c.trusted, c.want)
		}
	}
}

// TestUntrustedForwardedForIsLogged checks that X-Forwarded-For from an unknown
// proxy is logged once.
func TestUntrustedForwardedForIsLogged(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browser()
	b.from = "198.18.0.99:1234"
	b.agent = map[string]string{"X-Forwarded-For": "203.0.113.7"}
	for range 3 {
		b.open("/").fill("phone", app.newNumber().String()).press("Войти").wantPath("/signup")
	}
	if lines := logged.lines("X-Forwarded-For ignored", "198.18.0.99"); len(lines) != 1 {
		t.Errorf("%d warnings: %q", len(lines), lines)
	}
}

// TestPlainRequestsAreRedirectedToTLS checks that a browser's GET which reached a
// trusted proxy without TLS is redirected to the public address. X-Forwarded-Proto
// from others is ignored.
func TestPlainRequestsAreRedirectedToTLS(t *testing.T) {
	t.Parallel()
	const base = "https://wallet.example.kg"
	app := newAppWith(t, options{https: true, handlers: func(d *web.Handlers) { d.TrustedProxies, d.BaseURL = ourProxies, base }})
	for _, c := range []struct {
		method, path, proto string
		status              int
		location            string
	}{
		{http.MethodGet, "/help?x=1", "http", http.StatusPermanentRedirect, base + "/help?x=1"},
		{http.MethodHead, "/help?x=1", "http", http.StatusPermanentRedirect, base + "/help?x=1"},
		{http.MethodGet, "/help?x=1", "http, http", http.StatusPermanentRedirect, base + "/help?x=1"},
		{http.MethodGet, "/help?x=1", "HTTP,https", http.StatusPermanentRedirect, base + "/help?x=1"},
		{http.MethodPost, "/", "http", http.StatusForbidden, ""},
		{http.MethodPost, "/", "http,http", http.StatusForbidden, ""},
		{http.MethodGet, "/help?x=1", "https", http.StatusOK, ""},
		{http.MethodGet, "/help?x=1", "https, http", http.StatusOK, ""},
		{http.MethodHead, "/help?x=1", "https", http.StatusOK, ""},
		{http.MethodGet, "/help?x=1", "", http.StatusOK, ""},
		// A machine's password was sent: it must not be sent again.
		{http.MethodGet, "/osmp?command=check", "http", http.StatusForbidden, ""},
		{http.MethodPost, "/osmp", "http, http", http.StatusForbidden, ""},
		{http.MethodPost, "/ussd", "http", http.StatusForbidden, ""},
		{http.MethodPost, "/ussd/kannel", "http", http.StatusForbidden, ""},
		{http.MethodGet, "/sms/dlr", "http", http.StatusForbidden, ""},
		{http.MethodGet, "/osmp?command=check", "https", http.StatusOK, ""},
		// Only what browsers open is redirected.
		{http.MethodGet, "/healthz", "http", http.StatusOK, ""},
		{http.MethodHead, "/healthz", "http,http", http.StatusOK, ""},
		{http.MethodGet, "/checkpoint", "http", http.StatusOK, ""},
		{http.MethodGet, "/favicon.ico", "http", http.StatusPermanentRedirect, base + "/favicon.ico"},
	} {
		answer := app.browser().ask(c.method, c.path, nil, "X-Forwarded-Proto", c.proto, "Authorization", "Basic a2ljYjp0ZXJtaW5hbCdzIHdvcmQ=")
		if answer.Code != c.status || answer.Header().Get("Location") != c.location {
			t.Errorf("%s %s over %q: %d %s", c.method, c.path, c.proto, answer.Code, answer.Header().Get("Location"))
		}
		if machines[strings.Split(c.path, "?")[0]] && c.status == http.StatusForbidden {
			if kind := answer.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || strings.Count(answer.Body.String(), "\n") != 1 {
				t.Errorf("%s is answered as %s: %s", c.path, kind, answer.Body)
			}
		}
	}
	app = newAppWith(t, options{https: true, handlers: func(d *web.Handlers) { d.BaseURL = base }})
	if answer := app.browser().ask(http.MethodGet, "/help", nil, "X-Forwarded-Proto", "http"); answer.Code != http.StatusOK {
		t.Errorf("X-Forwarded-Proto of an untrusted client is used: %d", answer.Code)
	}
}

// TestFormsBehindAProxyThatChangesTheHost checks that a form's Origin is compared
// with the public address, for browsers without Sec-Fetch-Site.
func TestFormsBehindAProxyThatChangesTheHost(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{https: true})
	holder := app.newCustomer(0)
	for _, c := range []struct {
		host, origin string
		ours         bool
	}{
		{"10.1.2.3:8080", "https://elsom.test", true},
		{"portal", "https://elsom.test", true},
		{"elsom.test:443", "https://elsom.test", true},
		{"ELSOM.test", "https://elsom.test", true},
		{"elsom.test", "https://elsom.test", true},
		{"elsom.test", "", true},
		{"evil.example", "https://evil.example", false},
		{"10.1.2.3:8080", "http://10.1.2.3:8080", false},
		{"elsom.test", "http://elsom.test", false},
		{"elsom.test", "https://elsom.test:8443", false},
		{"elsom.test", "https://elsom.test.evil.example", false},
		{"elsom.test", "null", false},
	} {
		b := app.browserOf(holder).open("/settings")
		values := url.Values{"csrf": {b.csrf()}, "switch_lang": {"ky"}, "lang": {"ky"}}
		want := http.StatusSeeOther
		if !c.ours {
			want = http.StatusForbidden
		}
		answer := b.ask(http.MethodPost, "/language", values, "Sec-Fetch-Site", "", "Origin", c.origin, "Host", c.host)
		if answer.Code != want {
			t.Errorf("Host %s, Origin %q: %d, want %d", c.host, c.origin, answer.Code, want)
		}
	}
	// The login returns to the page with the form.
	b := app.browser().open("/")
	b.ask(http.MethodPost, "/settings/sessions/end", form(b), "Referer", app.base+"/settings?x=1", "Host", "portal")
	b.logIn(holder.Phone, password)
	if b.at.RequestURI() != "/settings?x=1" {
		t.Errorf("after the login at %s", b.at.RequestURI())
	}
}

// TestTerminalPostsItsQuery checks that a terminal can POST its parameters in the
// query, without a body, with any content type.
func TestTerminalPostsItsQuery(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	query := func(id string) string {
		return "command=pay&txn_id=" + id + "&txn_date=20261122120005&sum=1.00&account=" + holder.Phone.National()
	}
	for i, c := range []struct{ kind, query, body, result string }{
		{"", query("1"), "", "0"},
		{"text/xml", query("2"), "", "0"},
		{"application/x-www-form-urlencoded", query("3"), "", "0"},
		{"application/x-www-form-urlencoded", "", query("4"), "0"},
		{"", "", query("5"), "300"},
		{"text/xml", query("6"), "<x/>", "300"},
		{"application/x-www-form-urlencoded", query("7"), query("7"), "300"},
	} {
		answer := app.browser().send(http.MethodPost, "/osmp?"+c.query, strings.NewReader(c.body),
			"Content-Type", c.kind, "Authorization", "Basic a2ljYjp0ZXJtaW5hbCdzIHdvcmQ=")
		if !strings.Contains(answer.Body.String(), "<result>"+c.result+"</result>") {
			t.Errorf("request %d: %d %s", i+1, answer.Code, answer.Body)
		}
	}
	app.wantBalance(holder, 4_00)
}
