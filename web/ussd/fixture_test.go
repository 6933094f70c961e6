package ussd_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/biller"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/phone"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/ussdsession"
	"elsom/web/ussd"
)

const (
	company = testkit.Company
	person  = "21503198500123"
)

// logged collects the log of all tests of the package.
var logged = &logBuffer{}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestMain(m *testing.M) {
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}

// fixture is a handler over all services, with workers that deliver payments and
// SMS to an inbox.
type fixture struct {
	*testkit.App
	t            *testing.T
	clock        *testkit.Clock
	ussdSessions *ussdsession.Sessions[ussd.Content]
	inbox        *inbox.Inbox
	parts        ussd.Parts
	handler      *ussd.Handler
	server       *echo.Echo
	numbers      atomic.Int64
	sessions     atomic.Int64
}

// each runs a test on each database.
func each(t *testing.T, test func(t *testing.T, h *fixture)) {
	t.Helper()
	clock := &testkit.Clock{}
	t.Run("sqlite", func(t *testing.T) { test(t, newFixture(t, databasetest.SQLite(t, clock.Option()), clock)) })
	t.Run("postgres", func(t *testing.T) { test(t, newFixture(t, databasetest.Postgres(t, clock.Option()), clock)) })
}

func sqlite(t *testing.T) *fixture {
	t.Helper()
	clock := &testkit.Clock{}
	return newFixture(t, databasetest.SQLite(t, clock.Option()), clock)
}

func newFixture(t *testing.T, db *database.DB, clock *testkit.Clock) *fixture {
	t.Helper()
	ctx := context.Background()
	h := &fixture{App: testkit.New(t, db, testkit.Options{}), t: t, clock: clock, inbox: inbox.New(db)}
	h.Biller.SetCheck(biller.Answer{Outcome: biller.Good, Name: "ОсОО Ала-Тоо"})
	require.NoError(t, h.Gateways.SeedDevelopment(ctx))
	h.ussdSessions = h.newSessions()
	h.parts = ussd.Parts{
		Sessions: h.ussdSessions, Customers: h.Customers, Catalog: h.Catalog, Payments: h.Payments, Wallets: h.Wallets,
		Transfers: h.Transfers, Gateways: h.Gateways, Now: db.Now,
	}
	h.handler = ussd.New(h.parts, slog.Default())
	h.server = echo.New()
	h.server.POST("/ussd", h.handler.Handle)
	working, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { h.Payments.Deliver(working) })
	workers.Go(func() { sms.NewSender(db, h.Sealer, h.inbox, sms.Options{}).Run(working, h.Notifier) })
	t.Cleanup(func() { stop(); workers.Wait() })
	return h
}

func (h *fixture) newSessions() *ussdsession.Sessions[ussd.Content] {
	h.t.Helper()
	ss, err := ussdsession.New[ussd.Content](h.DB, ussdsession.Options{
		Secret: testkit.Secret, Pepper: testkit.Secret, Lease: 500 * time.Millisecond,
	})
	require.NoError(h.t, err)
	return ss
}

// second returns the server of another process on the same database.
func (h *fixture) second() *echo.Echo {
	h.t.Helper()
	parts := h.parts
	parts.Sessions = h.newSessions()
	server := echo.New()
	server.POST("/ussd", ussd.New(parts, slog.Default()).Handle)
	return server
}

func (h *fixture) wait(d time.Duration) { h.clock.Advance(d) }

// number returns an unused Megacom number.
func (h *fixture) number() phone.Number {
	return phone.Number(fmt.Sprintf("+996550%06d", 100_000+h.numbers.Add(1)))
}

// fund puts money into a wallet.
func (h *fixture) fund(number phone.Number, amount money.Amount) customer.Customer {
	h.t.Helper()
	c, err := h.Customers.ByPhone(context.Background(), number)
	require.NoError(h.t, err)
	h.Deposit(c.ID, amount)
	return c
}

func (h *fixture) balance(number phone.Number) money.Amount {
	h.t.Helper()
	c, err := h.Customers.ByPhone(context.Background(), number)
	require.NoError(h.t, err)
	b, err := h.Wallets.Balance(context.Background(), c.ID)
	require.NoError(h.t, err)
	return b
}

// holder registers a number by *900# with its own PIN and a balance.
func (h *fixture) holder(pin string, balance money.Amount) phone.Number {
	h.t.Helper()
	number := h.number()
	h.register(number, "ru")
	first := h.pin(number)
	call := h.dial(number)
	call.all("8", "3", first, pin)
	if screen := call.press(pin); screen != "END ПИН изменён." {
		h.t.Fatalf("the PIN was not changed: %s", screen)
	}
	if balance > 0 {
		h.fund(number, balance)
	}
	return number
}

func (h *fixture) register(number phone.Number, lang string) {
	h.t.Helper()
	_, err := h.Customers.RegisterByUSSD(context.Background(), customer.USSDSignup{
		Phone: number, Name: "Бакыт Асанов", INN: person, Lang: lang, OfferVersion: customer.OfferVersion, Gateway: "ussd",
	})
	require.NoError(h.t, err)
}

var fourDigits = regexp.MustCompile(`\b[0-9]{4}\b`)

// sms waits for a message that matches and returns the newest.
func (h *fixture) sms(number phone.Number, like string) string {
	h.t.Helper()
	shape := regexp.MustCompile(like)
	for range 400 {
		messages, err := h.inbox.List(context.Background(), number)
		require.NoError(h.t, err)
		for _, m := range messages {
			if shape.MatchString(m.Text) {
				return m.Text
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	messages, _ := h.inbox.List(context.Background(), number)
	h.t.Fatalf("no message like %s: %v\n%s", like, messages, logged)
	return ""
}

// pin returns the PIN of the newest SMS.
func (h *fixture) pin(number phone.Number) string {
	h.t.Helper()
	return fourDigits.FindString(h.sms(number, `^[0-9]{4} .*(ПИН|PIN)`))
}

// phoneCall is one session of a handset.
type phoneCall struct {
	h       *fixture
	number  phone.Number
	session string
	text    string
	screen  string
}

func (h *fixture) dial(number phone.Number) *phoneCall {
	h.t.Helper()
	c := &phoneCall{h: h, number: number, session: fmt.Sprintf("s-%d", h.sessions.Add(1))}
	c.screen = c.send()
	return c
}

// press sends an input and returns the screen, its lines joined by " / ".
func (c *phoneCall) press(input string) string {
	c.h.t.Helper()
	if c.text != "" {
		c.text += "*"
	}
	c.text += input
	c.screen = c.send()
	return c.screen
}

func (c *phoneCall) all(inputs ...string) string {
	c.h.t.Helper()
	for _, input := range inputs {
		c.press(input)
	}
	return c.screen
}

func (c *phoneCall) send() string {
	c.h.t.Helper()
	status, body := c.h.post(url.Values{
		"sessionId": {c.session}, "serviceCode": {"*900#"}, "phoneNumber": {c.number.String()}, "text": {c.text},
	}, "ussd", "dev-ussd")
	if status != http.StatusOK {
		c.h.t.Errorf("status %d: %s", status, body)
	}
	if text := strings.TrimPrefix(strings.TrimPrefix(body, "CON "), "END "); ussd.Octets(text) > ussd.MaxOctets || text == body || text == "" || strings.Contains(text, "⟨") {
		c.h.t.Errorf("not a screen: %q", body)
	}
	return strings.ReplaceAll(body, "\n", " / ")
}

func (h *fixture) post(form url.Values, code, password string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/ussd", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(code, password)
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
