package dev_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/phone"
	"elsom/static"
	"elsom/web/dev"
	"elsom/web/session"
	"elsom/web/terminal"
)

const (
	asel    phone.Number = "+996700123456"
	blocked phone.Number = "+996770123456"
)

// site serves the development pages and the real OSMP handler.
type site struct {
	t        testing.TB
	server   *httptest.Server
	browser  *http.Client
	books    *ledger.Ledger
	asel     int64
	agents   *cashin.Agents
	messages map[phone.Number][]dev.Message
	// down replaces the OSMP handler.
	down http.HandlerFunc
}

func open(t testing.TB) *site {
	t.Helper()
	db, ctx := databasetest.SQLite(t), context.Background()
	s := &site{t: t, books: ledger.New(db, ledger.Options{}), messages: map[phone.Number][]dev.Message{}}
	t.Cleanup(s.books.Close)
	goods := catalog.New(db, catalog.Options{Development: true})
	if err := goods.Seed(ctx); err != nil {
		t.Fatal(err)
	}
	wallets := map[phone.Number]cashin.Wallet{}
	for _, number := range []phone.Number{asel, blocked} {
		zero := money.Amount(0)
		err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			id := tx.NewID()
			wallets[number] = cashin.Wallet{Customer: id, Lang: "ru", Level: catalog.StandardLevel, Blocked: number == blocked}
			return ledger.Open(tx, &ledger.Account{ID: id, Type: ledger.Wallet, Subject: fmt.Sprint(id), Floor: &zero})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.asel = wallets[asel].Customer
	var err error
	if s.agents, err = cashin.NewAgents(db, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.agents.SeedDevelopment(ctx); err != nil {
		t.Fatal(err)
	}
	desk := cashin.New(cashin.Parts{DB: db, Books: s.books, Levels: goods,
		Wallets: cashin.WalletsFunc(func(_ context.Context, number phone.Number) (cashin.Wallet, error) {
			if wallet, known := wallets[number]; known {
				return wallet, nil
			}
			return cashin.Wallet{}, fault.New(fault.NotFound, "test", "")
		})})
	s.serve(db, goods, desk)
	return s
}

func (s *site) serve(db *database.DB, goods *catalog.Catalog, desk *cashin.CashIn) {
	s.t.Helper()
	sessions, err := session.New(db, session.Options{Secret: []byte(strings.Repeat("s", 32))})
	if err != nil {
		s.t.Fatal(err)
	}
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	e.Match([]string{http.MethodGet, http.MethodPost}, "/osmp", terminal.New(s.agents, desk, slog.New(slog.DiscardHandler)).Handle)
	e.GET("/static/*", echo.WrapHandler(static.Handler()))
	handler := dev.New(dev.Parts{
		Messages: func(_ context.Context, number phone.Number) ([]dev.Message, error) { return s.messages[number], nil },
		Emails: func(_ context.Context, number phone.Number) ([]dev.Email, error) {
			if number != asel {
				return nil, nil
			}
			return []dev.Email{{To: "asel@example.kg", Subject: "Пароль изменён", Text: "Здравствуйте!\n\nПароль изменён.", CreatedAt: db.Now()}}, nil
		},
		Carrier: goods.Carrier,
		Server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.down != nil {
				s.down(w, r)
				return
			}
			e.ServeHTTP(w, r)
		}),
		Agents: cashin.DevelopmentAgents(), Now: db.Now,
	})
	handler.Routes(e.Group("/dev", sessions.Middleware(), language, sessions.Guard()))
	s.server = httptest.NewServer(e)
	s.t.Cleanup(s.server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.browser = &http.Client{Jar: jar}
}

// language applies a requested language, as the portal does.
func language(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		session.Of(c).SetLang(c.QueryParam("lang"))
		return next(c)
	}
}

func (s *site) get(address string, status int) *goquery.Document {
	s.t.Helper()
	answer, err := s.browser.Get(s.server.URL + address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return s.page(answer, status)
}

// submit posts a form with its current values.
func (s *site) submit(form *goquery.Selection, status int) *goquery.Document {
	s.t.Helper()
	values := url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) {
		values.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	answer, err := s.browser.PostForm(s.server.URL+form.AttrOr("action", ""), values)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return s.page(answer, status)
}

func (s *site) page(answer *http.Response, status int) *goquery.Document {
	s.t.Helper()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer.StatusCode != status {
		s.t.Fatalf("%s: status %d, want %d: %.300s", answer.Request.URL, answer.StatusCode, status, page.Text())
	}
	if text := page.Text(); strings.Contains(text, "⟨") {
		s.t.Errorf("%s: a message is missing: %s", answer.Request.URL, text)
	}
	return page
}

func (s *site) balance() money.Amount {
	s.t.Helper()
	balance, err := s.books.Balance(context.Background(), s.asel)
	if err != nil {
		s.t.Fatal(err)
	}
	return balance
}

const terminalQuery = "/dev/terminal?agent=qiwi&phone=0700123456&amount=250,50"

func TestTerminalTopsUp(t *testing.T) {
	s := open(t)
	if page := s.get("/dev/terminal", 200); page.Find(`input[name=agent]`).Length() != 3 ||
		page.Find(`input[name=phone]`).Length() != 1 || page.Find(`input[name=amount]`).Length() != 1 {
		t.Error("the first screen lacks a field")
	}
	cash := s.get(terminalQuery, 200)
	if text := cash.Find(".kiosk").Text(); !strings.Contains(text, "+996\u00a0700\u00a0123\u00a0456") || !strings.Contains(text, "250,50") {
		t.Errorf("the second screen: %s", text)
	}
	if s.balance() != 0 {
		t.Error("a check moved money")
	}
	pay := cash.Find(`form[method=post]`).First()
	slip := s.submit(pay, 200)
	if result := slip.Find("[data-cashin-result]").AttrOr("data-cashin-result", ""); result != "0" || s.balance() != 250_50 {
		t.Fatalf("result %s, the balance is %s", result, s.balance())
	}
	// The same form is the same cash-in.
	again := s.submit(pay, 200)
	if first, second := slip.Find(".facts").Text(), again.Find(".facts").Text(); first != second || s.balance() != 250_50 {
		t.Errorf("again: %s; the balance is %s", second, s.balance())
	}
	// Back keeps the typed values and sends no request.
	s.down = func(http.ResponseWriter, *http.Request) { t.Error("going back sent a request") }
	back := s.get(cash.Find("a.button-plain").AttrOr("href", ""), 200)
	if back.Find(`input[name=phone]`).AttrOr("value", "") != "0700123456" ||
		back.Find(`input[name=amount]`).AttrOr("value", "") != "250,50" ||
		back.Find(`input[name=agent][checked]`).AttrOr("value", "") != "qiwi" {
		t.Error("back lost a value")
	}
}

func TestTerminalRefuses(t *testing.T) {
	s := open(t)
	for name, c := range map[string]struct{ phone, amount, field string }{
		"no number":         {"", "250", "phone"},
		"half a number":     {"0700", "250", "phone"},
		"a landline":        {"0312960888", "250", "phone"},
		"a foreign number":  {"+79161234567", "250", "phone"},
		"no wallet":         {"0555000000", "250", "phone"},
		"a blocked wallet":  {blocked.String(), "250", "phone"},
		"no amount":         {"0700123456", "", "amount"},
		"zero":              {"0700123456", "0", "amount"},
		"words":             {"0700123456", "abc", "amount"},
		"a negative amount": {"0700123456", "-5", "amount"},
		"a floating amount": {"0700123456", "1e3", "amount"},
		"above the limit":   {"0700123456", "100000,01", "amount"},
		"too many digits":   {"0700123456", "99999999999999999999", "amount"},
	} {
		for _, lang := range i18n.Langs() {
			page := s.get("/dev/terminal?lang="+string(lang)+"&agent=kicb&phone="+url.QueryEscape(c.phone)+"&amount="+url.QueryEscape(c.amount), 422)
			if wrong := page.Find("[aria-invalid=true]"); wrong.Length() != 1 || wrong.AttrOr("name", "") != c.field {
				t.Errorf("%s in %s: %d fields, %q", name, lang, wrong.Length(), wrong.AttrOr("name", ""))
			}
			if page.Find(`input[name=amount]`).AttrOr("value", "") != c.amount || page.Find(`input[name=phone]`).AttrOr("value", "") != c.phone {
				t.Errorf("%s in %s: the typed value is lost", name, lang)
			}
		}
	}
	if s.balance() != 0 {
		t.Errorf("the balance is %s", s.balance())
	}
}

func TestTerminalRepeatsUnfinished(t *testing.T) {
	s := open(t)
	pay := s.get(terminalQuery, 200).Find(`form[method=post]`).First()
	for name, answer := range map[string]struct {
		status int
		body   string
		result string
	}{
		"temporary":    {200, "<response><result>1</result></response>", "1"},
		"not finished": {200, "<response><result>90</result></response>", "90"},
		"no XML":       {200, "hello", "-1"},
		"empty":        {200, "", "-1"},
		"a failure":    {500, "oops", "HTTP 500"},
		"unauthorized": {401, "", "HTTP 401"},
	} {
		s.down = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			_, _ = w.Write([]byte(answer.body))
		}
		slip := s.submit(pay, 200)
		if got := slip.Find("[data-cashin-result]").AttrOr("data-cashin-result", ""); got != answer.result {
			t.Errorf("%s: shown as %s", name, got)
		}
		repeat := slip.Find(`form[method=post]`)
		if repeat.Length() == 0 || repeat.Find(`[name=txn_id]`).AttrOr("value", "") != pay.Find(`[name=txn_id]`).AttrOr("value", "") {
			t.Fatalf("%s: no repeat under the same id", name)
		}
	}
	s.down = nil
	slip := s.submit(pay, 200)
	if got := slip.Find("[data-cashin-result]").AttrOr("data-cashin-result", ""); got != "0" || s.balance() != 250_50 {
		t.Errorf("the repeat: %s, the balance is %s", got, s.balance())
	}
}

func TestTerminalOfDisabledAgent(t *testing.T) {
	s := open(t)
	if err := s.agents.DisableAgent(t.Context(), "qiwi"); err != nil {
		t.Fatal(err)
	}
	if page := s.get(terminalQuery, 422); !strings.Contains(page.Find(".summary").Text(), "401") {
		t.Errorf("the page says: %s", page.Find(".summary").Text())
	}
}

func TestTerminalNeedsItsForm(t *testing.T) {
	s := open(t)
	pay := s.get(terminalQuery, 200).Find(`form[method=post]`).First()
	pay.Find("[name=csrf]").SetAttr("value", "stolen")
	if page := s.submit(pay, 500); s.balance() != 0 { // this test's server has no error pages
		t.Errorf("a form from another site was accepted: %s", page.Text())
	}
	for _, address := range []string{"/dev/terminal/slip", "/dev/terminal/slip?agent=none&amount=1&phone=0700123456&result=0"} {
		if page := s.get(address, 200); page.Find(".kiosk").Length() != 1 {
			t.Errorf("%s does not show the first screen", address)
		}
	}
}

func TestHandset(t *testing.T) {
	s := open(t)
	if page := s.get("/dev/phone", 200); page.Find(".handset").Length() != 0 {
		t.Error("a handset is shown without a number")
	}
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s.messages[asel] = []dev.Message{
		{Phone: asel, Text: "второе <b>", CreatedAt: at.Add(time.Minute)}, {Phone: asel, Text: "первое", CreatedAt: at},
	}
	for _, number := range []string{"+996700123456", "%2B996700123456", "0700%20123%20456"} {
		page := s.get("/dev/phone?phone="+number, 200)
		texts := page.Find(".sms-text").Map(func(_ int, p *goquery.Selection) string { return p.Text() })
		if len(texts) != 2 || texts[0] != "второе <b>" || texts[1] != "первое" {
			t.Errorf("%s: %q", number, texts)
		}
		if at := page.Find(".sms-at").First().Text(); at != "22.11.2026, 14:01" {
			t.Errorf("at %s", at)
		}
		if bar := page.Find(".handset-bar").Text(); !strings.Contains(bar, "O!") {
			t.Errorf("carrier: %s", bar)
		}
		if page.Find(".letter").Length() != 1 {
			t.Error("the e-mail is not shown")
		}
		if page.Find("noscript").Length() != 0 || page.Find("button.handset-refresh").AttrOr("form", "") != "dial" {
			t.Error("the handset reloads itself, or has no button to refresh it")
		}
	}
	// Handset and terminal offer the number again.
	if page := s.get("/dev/phone", 200); page.Find(".handset").Length() != 1 {
		t.Error("the number is not offered")
	}
	if got := s.get("/dev/terminal", 200).Find("[name=phone]").AttrOr("value", ""); got != asel.Pretty() {
		t.Errorf("the terminal offers %q", got)
	}
	if page := s.get("/dev/phone?phone=0312960888", 422); page.Find("[aria-invalid=true]").Length() != 1 {
		t.Error("a handset is shown for a landline")
	}
	for _, lang := range i18n.Langs() {
		s.get("/dev/phone?phone=0555000000&lang="+string(lang), 200)
	}
}

func TestSMSAsJSON(t *testing.T) {
	s := open(t)
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s.messages[asel] = []dev.Message{{Phone: asel, Text: "второе", CreatedAt: at.Add(time.Minute)}, {Phone: asel, Text: "первое", CreatedAt: at}}
	for number, want := range map[string]string{
		"+996700123456":   `[{"phone":"+996700123456","text":"второе","created_at":"2026-11-22T08:01:00Z"},{"phone":"+996700123456","text":"первое","created_at":"2026-11-22T08:00:00Z"}]`,
		"%2B996700123456": "",
		"%2B996555000000": "[]",
	} {
		answer, err := s.browser.Get(s.server.URL + "/dev/sms?phone=" + number)
		if err != nil {
			t.Fatal(err)
		}
		var list []json.RawMessage
		raw := json.RawMessage{}
		err = json.NewDecoder(answer.Body).Decode(&raw)
		_ = answer.Body.Close()
		if err != nil || json.Unmarshal(raw, &list) != nil || answer.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %s, %v", number, answer.Header.Get("Content-Type"), err)
		}
		if want != "" && string(raw) != want {
			t.Errorf("%s: %s", number, raw)
		}
		if want == "" && len(list) != 2 {
			t.Errorf("%s: %s", number, raw)
		}
	}
	answer, err := s.browser.Get(s.server.URL + "/dev/sms?phone=junk")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("junk: status %d", answer.StatusCode)
	}
}
