package terminal_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/web/terminal"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	asel    phone.Number = "+996700123456"
	blocked phone.Number = "+996770123456"
)

// agentClient calls the handler in front of the real services.
type agentClient struct {
	t       testing.TB
	handler http.Handler
	books   *ledger.Ledger
	asel    int64
	log     *bytes.Buffer
}

func serve(agents terminal.Agents, service terminal.Service, log *slog.Logger) http.Handler {
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	e.Match([]string{http.MethodGet, http.MethodPost}, "/osmp", terminal.New(agents, service, log).Handle)
	return e
}

func newTerminal(t testing.TB) *agentClient {
	t.Helper()
	db, ctx := databasetest.SQLite(t), context.Background()
	term := &agentClient{t: t, books: ledger.New(db, ledger.Options{}), log: &bytes.Buffer{}}
	t.Cleanup(term.books.Close)
	levels := catalog.New(db, catalog.Options{Development: true})
	if err := levels.Seed(ctx); err != nil {
		t.Fatal(err)
	}
	wallets := map[phone.Number]cashin.Wallet{}
	for _, number := range []phone.Number{asel, blocked} {
		zero := money.Amount(0)
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			id := tx.NewID()
			wallets[number] = cashin.Wallet{Customer: id, Lang: "ru", Level: catalog.StandardLevel, Blocked: number == blocked}
			return ledger.Open(tx, &ledger.Account{ID: id, Type: ledger.Wallet, Subject: fmt.Sprint(id), Floor: &zero})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	term.asel = wallets[asel].Customer
	counters, err := ratelimit.New(db, ratelimit.Options{Secret: bytes.Repeat([]byte("s"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	agents, err := cashin.NewAgents(db, counters, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := agents.SeedDevelopment(ctx); err != nil {
		t.Fatal(err)
	}
	tight := cashin.NewAgent{Code: "tight", Name: "Tight", Password: "correct horse", Ceiling: 100_00}
	if err := agents.AddAgent(ctx, tight); err != nil {
		t.Fatal(err)
	}
	service := cashin.New(cashin.Parts{DB: db, Books: term.books, Levels: levels,
		Wallets: cashin.WalletsFunc(func(_ context.Context, number phone.Number) (cashin.Wallet, error) {
			if wallet, known := wallets[number]; known {
				return wallet, nil
			}
			return cashin.Wallet{}, fault.New(fault.NotFound, "test", "")
		})})
	term.handler = serve(agents, service, slog.New(slog.NewJSONHandler(term.log, nil)))
	return term
}

func (term *agentClient) balance() money.Amount {
	term.t.Helper()
	balance, err := term.books.Balance(context.Background(), term.asel)
	if err != nil {
		term.t.Fatal(err)
	}
	return balance
}

type call struct {
	method, agent, password, query, form, kind string
}

func (term *agentClient) call(c call) *httptest.ResponseRecorder {
	term.t.Helper()
	if c.method == "" {
		c.method = http.MethodGet
	}
	var body io.Reader
	if c.form != "" {
		body = strings.NewReader(c.form)
	}
	target := "/osmp"
	if c.query != "" {
		target += "?" + c.query
	}
	r := httptest.NewRequest(c.method, target, body)
	if c.form != "" && c.kind == "" {
		c.kind = "application/x-www-form-urlencoded"
	}
	if c.kind != "" {
		r.Header.Set("Content-Type", c.kind)
	}
	if c.agent != "" {
		r.SetBasicAuth(c.agent, c.password)
	}
	w := httptest.NewRecorder()
	term.handler.ServeHTTP(w, r)
	return w
}

func (term *agentClient) kicb(query string) *httptest.ResponseRecorder {
	term.t.Helper()
	return term.call(call{agent: "kicb", password: "dev-kicb", query: query})
}

var resultTag = regexp.MustCompile(`<result>([0-9]+)</result>`)

func result(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	found := resultTag.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	return found[1]
}

var referenceTag = regexp.MustCompile(`<prv_txn>([0-9]+)</prv_txn>`)

// Each answer is compared with a file of testdata, in which REFERENCE replaces our
// reference, which differs in each run.
func TestGoldenAnswers(t *testing.T) {
	term := newTerminal(t)
	const date = "&txn_date=20261122120005"
	for _, step := range []struct{ name, query string }{
		{"check", "command=check&txn_id=0&account=0700123456&sum=0.00"},
		{"check-unknown", "command=check&txn_id=1&account=0555000000&sum=10.00"},
		{"check-account", "command=check&txn_id=1&account=12345&sum=10.00"},
		{"check-large", "command=check&txn_id=1&account=0700123456&sum=100000.01"},
		{"pay", "command=pay&txn_id=1234567&account=0700123456&sum=250.50" + date},
		{"pay-repeated", "command=pay&txn_id=1234567&account=%2B996700123456&sum=250.5" + date},
		{"pay-other-sum", "command=pay&txn_id=1234567&account=0700123456&sum=250.51" + date},
		{"pay-account", "command=pay&txn_id=2&account=%3Cb%3E%26&sum=1.00" + date},
		{"pay-unknown", "command=pay&txn_id=3&account=0555000000&sum=1.00" + date},
		{"pay-blocked", "command=pay&txn_id=4&account=0770123456&sum=1.00" + date},
		{"pay-nothing", "command=pay&txn_id=5&account=0700123456&sum=0.00" + date},
		{"pay-large", "command=pay&txn_id=6&account=0700123456&sum=100000.01" + date},
		{"pay-endless", "command=pay&txn_id=7&account=0700123456&sum=99999999999999999999" + date},
		{"malformed", "command=pay&txn_id=8&account=0700123456&sum=1,00" + date},
	} {
		t.Run(step.name, func(t *testing.T) {
			w := term.kicb(step.query)
			if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || kind != "application/xml; charset=utf-8" {
				t.Errorf("status %d, %s", w.Code, kind)
			}
			got := referenceTag.ReplaceAllString(w.Body.String(), "<prv_txn>REFERENCE</prv_txn>")
			file := filepath.Join("testdata", step.name+".xml")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	if term.balance() != 250_50 {
		t.Errorf("the wallet holds %s", term.balance())
	}
}

func TestRepeatGetsTheSameAnswer(t *testing.T) {
	term := newTerminal(t)
	for _, query := range []string{
		"command=pay&txn_id=1&account=0700123456&sum=10.00&txn_date=20261122120005",
		"command=pay&txn_id=2&account=junk&sum=10.00&txn_date=20261122120005",
	} {
		first := term.kicb(query).Body.String()
		if again := term.kicb(query).Body.String(); again != first || !referenceTag.MatchString(first) {
			t.Errorf("first\n%s\nthen\n%s", first, again)
		}
	}
	if term.balance() != 10_00 {
		t.Errorf("the wallet holds %s", term.balance())
	}
}

func TestCeilingRefuses(t *testing.T) {
	term := newTerminal(t)
	pay := func(id int, sum string) string {
		return result(t, term.call(call{agent: "tight", password: "correct horse", query: fmt.Sprintf(
			"command=pay&txn_id=%d&account=0700123456&sum=%s&txn_date=20261122120005", id, sum)}))
	}
	for i, step := range []struct{ sum, want string }{{"100.01", "7"}, {"99.99", "0"}, {"0.02", "7"}, {"0.01", "0"}, {"0.01", "7"}} {
		if got := pay(i, step.sum); got != step.want {
			t.Errorf("%s: result %s, want %s", step.sum, got, step.want)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	term := newTerminal(t)
	good := url.Values{"command": {"pay"}, "txn_id": {"9"}, "txn_date": {"20261122120005"}, "account": {"0700123456"}, "sum": {"1.00"}}
	for name, spoil := range map[string]func(v url.Values){
		"no command":           func(v url.Values) { v.Del("command") },
		"cancel":               func(v url.Values) { v.Set("command", "cancel") },
		"no id":                func(v url.Values) { v.Del("txn_id") },
		"a letter in the id":   func(v url.Values) { v.Set("txn_id", "9a") },
		"29 digits":            func(v url.Values) { v.Set("txn_id", strings.Repeat("9", 29)) },
		"Arabic digits":        func(v url.Values) { v.Set("txn_id", "٩") },
		"no date":              func(v url.Values) { v.Del("txn_date") },
		"a dashed date":        func(v url.Values) { v.Set("txn_date", "2026-11-22") },
		"the 31st of November": func(v url.Values) { v.Set("txn_date", "20261131120005") },
		"no account":           func(v url.Values) { v.Del("account") },
		"an endless account":   func(v url.Values) { v.Set("account", strings.Repeat("7", 201)) },
		"a broken account":     func(v url.Values) { v.Set("account", "\xff") },
		"no sum":               func(v url.Values) { v.Del("sum") },
		"an empty sum":         func(v url.Values) { v.Set("sum", "") },
		"a comma":              func(v url.Values) { v.Set("sum", "1,00") },
		"three decimals":       func(v url.Values) { v.Set("sum", "1.001") },
		"a negative sum":       func(v url.Values) { v.Set("sum", "-1.00") },
		"an exponent":          func(v url.Values) { v.Set("sum", "1e3") },
		"a grouped sum":        func(v url.Values) { v.Set("sum", "1 000") },
		"a dot and nothing":    func(v url.Values) { v.Set("sum", "1.") },
		"nothing and a dot":    func(v url.Values) { v.Set("sum", ".50") },
		"two accounts":         func(v url.Values) { v.Add("account", "0700123456") },
		"two sums":             func(v url.Values) { v.Add("sum", "1.00") },
		"two ids":              func(v url.Values) { v.Add("txn_id", "9") },
		"two commands":         func(v url.Values) { v.Add("command", "check") },
		"two dates":            func(v url.Values) { v.Add("txn_date", "20261122120005") },
		"an oversized request": func(v url.Values) { v.Set("zzz", strings.Repeat("x", 9<<10)) },
	} {
		t.Run(name, func(t *testing.T) {
			values := url.Values{}
			for k, v := range good {
				values[k] = append([]string(nil), v...)
			}
			spoil(values)
			for kind, c := range map[string]call{
				"GET":  {query: values.Encode()},
				"POST": {method: http.MethodPost, form: values.Encode()},
			} {
				c.agent, c.password = "qiwi", "dev-qiwi"
				if got := result(t, term.call(c)); got != "300" {
					t.Errorf("%s: result %s", kind, got)
				}
			}
		})
	}
	for name, c := range map[string]call{
		"a check of two sums":       {query: "command=check&txn_id=9&account=0700123456&sum=1.00&sum=2.00"},
		"broken escapes":            {query: "command=pay&txn_id=%zz"},
		"semicolons":                {query: "command=pay;txn_id=9"},
		"one sum in query and form": {method: http.MethodPost, query: "sum=1.00", form: good.Encode()},
		"a form of files":           {method: http.MethodPost, form: good.Encode(), kind: "multipart/form-data; boundary=x"},
		"JSON":                      {method: http.MethodPost, form: `{"command":"pay"}`, kind: "application/json"},
	} {
		c.agent, c.password = "qiwi", "dev-qiwi"
		if got := result(t, term.call(c)); got != "300" {
			t.Errorf("%s: result %s", name, got)
		}
	}
	if term.balance() != 0 {
		t.Errorf("the wallet holds %s", term.balance())
	}
	// None of them was stored: the valid request succeeds under the same id.
	if got := result(t, term.call(call{method: http.MethodPost, form: good.Encode(), agent: "qiwi", password: "dev-qiwi"})); got != "0" {
		t.Errorf("the valid request: result %s", got)
	}
}

func TestExtraParametersAreIgnored(t *testing.T) {
	term := newTerminal(t)
	query := "command=pay&txn_id=1&txn_date=20261122120005&account=0700123456&sum=5&prv_id=1&trm_id=2&pay_type=3&data1=a&data1=b"
	if got := result(t, term.kicb(query)); got != "0" {
		t.Errorf("result %s", got)
	}
}

func TestUnknownCallersAreRefused(t *testing.T) {
	term := newTerminal(t)
	const query = "command=pay&txn_id=1&txn_date=20261122120005&account=0700123456&sum=5"
	for name, c := range map[string]call{
		"no credentials":   {},
		"no password":      {agent: "kicb"},
		"a wrong password": {agent: "kicb", password: "dev-qiwi"},
		"another agent":    {agent: "bank", password: "dev-kicb"},
	} {
		c.query = query
		w := term.call(c)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s: status %d, %q", name, w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	if term.balance() != 0 {
		t.Error("an unknown caller's payment was credited")
	}
	for range 30 {
		term.call(call{agent: "mobilnik", password: "guess", query: query})
	}
	w := term.call(call{agent: "mobilnik", password: "guess", query: query})
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("after 30 guesses: status %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
}

func TestOtherMethods(t *testing.T) {
	term := newTerminal(t)
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodDelete} {
		if w := term.call(call{method: method, agent: "kicb", password: "dev-kicb"}); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
}

// A refused caller is logged with its address, but without a user name that can't be
// a code: it may be a password.
func TestRefusedCallersAreLogged(t *testing.T) {
	term := newTerminal(t)
	for agent, want := range map[string]string{"kicb": `"agent":"kicb","address":"192.0.2.1"`, "My Pass w0rd": `"agent":"","address":"192.0.2.1"`} {
		term.log.Reset()
		term.call(call{agent: agent, password: "a guess"})
		if line := term.log.String(); !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, want) || strings.Contains(line, "w0rd") {
			t.Errorf("%s: logged %s, want %s", agent, line, want)
		}
	}
}
