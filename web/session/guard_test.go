package session

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

func TestGuard(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser().login()
	token := b.get("/form")
	strange := s.browser().login().get("/form")
	mangled := strings.Repeat("A", len(token))
	for name, c := range map[string]struct {
		token   string
		headers []string
		message string // empty: allowed
	}{
		"own form":                    {token, []string{"Sec-Fetch-Site", "same-origin"}, ""},
		"old browser":                 {token, nil, ""},
		"no token, same origin":       {"", []string{"Sec-Fetch-Site", "same-origin"}, "session.stale"},
		"no token, origin unknown":    {"", nil, "session.stale"},
		"typed into the address bar":  {"", []string{"Sec-Fetch-Site", "none"}, "session.stale"},
		"another session's token":     {strange, []string{"Sec-Fetch-Site", "same-origin"}, "session.stale"},
		"forged token":                {mangled, nil, "session.stale"},
		"not base64":                  {"ё", nil, "session.stale"},
		"another site, right token":   {token, []string{"Sec-Fetch-Site", "cross-site"}, "session.foreign"},
		"same site, right token":      {token, []string{"Sec-Fetch-Site", "same-site"}, "session.foreign"},
		"another origin, right token": {token, []string{"Origin", "https://evil.example"}, "session.foreign"},
		"opaque origin":               {token, []string{"Origin", "null"}, "session.foreign"},
	} {
		before := s.paid.Load()
		form := url.Values{}
		if c.token != "" {
			form.Set(FormField, c.token)
		}
		w := b.do(http.MethodPost, "/check/1", form, c.headers...)
		if c.message == "" {
			if w.Code != http.StatusOK || s.paid.Load() != before+1 {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
			continue
		}
		if w.Code != http.StatusForbidden || w.Body.String() != c.message || s.paid.Load() != before {
			t.Errorf("%s: %d %s, want 403 %s", name, w.Code, w.Body, c.message)
		}
	}
}

// A token in the address is not accepted: addresses are copied, logged and linked.
func TestTokenInAddressIsRefused(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser().login()
	w := b.do(http.MethodPost, "/check/1?"+FormField+"="+b.get("/form"), url.Values{})
	if w.Code != http.StatusForbidden || s.paid.Load() != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestGuardCoversOtherMethods(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser().login()
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		s.e.Add(method, "/other", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, s.Middleware(), s.Guard())
		if w := b.do(method, "/other", url.Values{}); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

// Pages are compressed: an unmasked token could be guessed from their size.
func TestTokensAreMasked(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser()
	first, second := b.get("/form"), b.get("/form")
	if first == second || first[:20] == second[:20] || first[len(first)-20:] == second[len(second)-20:] {
		t.Error("the token is not masked anew")
	}
	for _, token := range []string{first, second} {
		if w := b.do(http.MethodPost, "/set/x", url.Values{FormField: {token}}); w.Code != http.StatusNoContent {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestLoginMakesOldFormsStale(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser()
	old := b.get("/form")
	b.login()
	if w := b.do(http.MethodPost, "/check/1", url.Values{FormField: {old}}); w.Code != http.StatusForbidden {
		t.Errorf("a form from before the login: %d", w.Code)
	}
}

func TestNextStaysOnTheSite(t *testing.T) {
	for _, address := range []string{"/", "/cabinet", "/check/12?x=1&y=%D0%B0", "/services?q=a+b"} {
		if !isLocal(address) {
			t.Errorf("%q is refused", address)
		}
	}
	for _, address := range []string{
		"", "cabinet", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `/cabinet\..`, "https://evil.example/",
		"javascript:alert(1)", "/a\r\nLocation: //evil.example", "/a\nb", "/a\tb", "/\t/evil.example", "/ /evil", "/\u00a0x",
		"/%zz", "/" + strings.Repeat("x", maxNext),
	} {
		if isLocal(address) {
			t.Errorf("%q is accepted", address)
		}
	}
}

func TestRequireCustomer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser()
		w := b.do(http.MethodGet, "/check/12?x=1", nil)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
			t.Fatalf("%d to %s", w.Code, w.Header().Get("Location"))
		}
		if w = b.post("/login"); w.Header().Get("Location") != "/check/12?x=1" {
			t.Errorf("redirected to %s", w.Header().Get("Location"))
		}
		if w = b.post("/login"); w.Header().Get("Location") != "/cabinet" {
			t.Errorf("redirected to %s the second time", w.Header().Get("Location"))
		}
		if got := b.get("/cabinet"); got != "cabinet" {
			t.Errorf("signed in, got %q", got)
		}
	})
}

// A cookie without a valid MAC is ignored, as is one whose MAC is for another cookie
// or whose address leads to another site.
func TestNextRejectsForeignCookies(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	evil := "//evil.example"
	for _, value := range []string{
		base64.RawURLEncoding.EncodeToString([]byte("/check/12")),
		base64.RawURLEncoding.EncodeToString(append(make([]byte, macBytes), "/check/12"...)),
		base64.RawURLEncoding.EncodeToString(append(cookieMAC(s.cookieKeys.Current(), []byte("/check/12")), "/check/12"...)),
		base64.RawURLEncoding.EncodeToString(append(valueMAC(s.cookieKeys.Current(), nextCookie, evil), evil...)),
		"", "/check/12",
	} {
		b := s.browser()
		b.cookies[nextCookie] = value
		if w := b.post("/login"); w.Header().Get("Location") != "/cabinet" {
			t.Errorf("%q redirects to %s", value, w.Header().Get("Location"))
		}
	}
}

// A visitor's requests for pages that need a login create no row, and the stored
// address does not outlive a logout.
func TestNextNeedsNoRowAndEndsWithLogout(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), true)
	for range 5 {
		b := s.browser()
		b.get("/cabinet")
		b.get("/check/12")
	}
	if n := s.rows(); n != 0 {
		t.Errorf("%d rows for visitors", n)
	}
	b := s.browser()
	cookie := b.do(http.MethodGet, "/check/12", nil).Header().Values("Set-Cookie")
	if all := strings.Join(cookie, "\n"); !strings.Contains(all, "__Host-next=") || strings.Count(all, "HttpOnly") != strings.Count(all, "Secure") {
		t.Errorf("set %s", all)
	}
	b.post("/logout")
	if w := b.post("/login"); w.Header().Get("Location") != "/cabinet" {
		t.Errorf("after a logout redirected to %s", w.Header().Get("Location"))
	}
}

// A session ends while the check page is open: the button pays nothing, and the
// login returns to the check page.
func TestEndedSessionReturnsToCheckPage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, headers := range [][]string{nil, {"Referer", "http://example.com/check/12"}, {"Referer", "https://evil.example/x"}} {
			s := newApp(t, db, false)
			b := s.browser().login()
			token := b.get("/form")
			s.wait(Idle + time.Second)
			w := b.do(http.MethodPost, "/check/12", url.Values{FormField: {token}}, headers...)
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || s.paid.Load() != 0 {
				t.Errorf("%v: %d to %s, %d paid", headers, w.Code, w.Header().Get("Location"), s.paid.Load())
			}
			if w = b.post("/login"); w.Header().Get("Location") != "/check/12" || s.paid.Load() != 0 {
				t.Errorf("%v: redirected to %s, %d paid", headers, w.Header().Get("Location"), s.paid.Load())
			}
			s.exec(`DELETE FROM sessions`)
			databasetest.Tamper(t, s.db, `DELETE FROM customers`)
		}
	})
}

func TestListAndEnd(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, s := context.Background(), newApp(t, db, false)
		one, two, three := s.browser().login(), s.browser().login(), s.browser().login()
		var list []Listed
		s.e.GET("/list", func(c echo.Context) (err error) {
			list, err = s.List(ctx, Of(c))
			return err
		}, s.Middleware())
		one.get("/list")
		if len(list) != 3 {
			t.Fatalf("list %+v", list)
		}
		epoch := s.holder.SessionEpoch
		for at, want := range map[int64]int{epoch: 3, epoch + 1: 0} { // all are ended by a later epoch
			if n, err := Count(ctx, db, s.holder.ID, at); err != nil || n != want {
				t.Errorf("%d sessions of epoch %d, %v", n, at, err)
			}
		}
		current := 0
		for _, l := range list {
			if l.Current {
				current++
			}
			if l.ID == "" || l.Seen.IsZero() || l.Device == "" {
				t.Errorf("listed %+v", l)
			}
		}
		if current != 1 {
			t.Errorf("%d sessions are current", current)
		}
		// Another customer can't end the session.
		s.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
			VALUES (8, '+996550123456', '', 'ru', 'a hash', FALSE, 3, 'standard', $1)`, s.holder.CreatedAt)
		s.holder.ID = 8
		stranger := s.browser().login()
		if w := stranger.post("/end", "session", list[0].ID); w.Code != http.StatusNotFound {
			t.Errorf("another customer's session: %d", w.Code)
		}
		if w := stranger.post("/end", "session", "x"); w.Code != http.StatusNotFound {
			t.Errorf("unknown session: %d", w.Code)
		}
		if !one.signedIn() || !two.signedIn() || !three.signedIn() {
			t.Fatal("another customer ended the session")
		}
		last := list[0]
		for _, l := range list {
			if !l.Current {
				last = l
			}
		}
		if w := one.post("/end", "session", last.ID); w.Code >= 400 {
			t.Errorf("end: %d", w.Code)
		}
		if two.signedIn() == three.signedIn() {
			t.Error("not exactly one session was ended")
		}
		if w := one.post("/end", "session", Others); w.Code >= 400 || two.signedIn() || three.signedIn() || !one.signedIn() {
			t.Errorf("ending the others: %d", w.Code)
		}
	})
}

func TestDevices(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36":                  "Chrome, Android",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36":        "Samsung Internet, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36":     "Yandex, Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0":                                                                  "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0":           "Edge, Windows",
		"curl/8.0": "—", "": "—",
	} {
		if got := NameOf(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
