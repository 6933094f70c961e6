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
	"elsom/internal/catalog"
	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/transfer"
	"elsom/internal/ussdsession"
	"elsom/internal/wallet"
	"elsom/web/ussd"
)

const (
	company = "00207199610017"
	person  = "21503198500123"
)

// said is everything that was logged, by all tests of the package.
var logged = &journal{}

type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func TestMain(m *testing.M) {
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}

// fakeBiller is a biller that answers as it was told.
type fakeBiller struct {
	mu    sync.Mutex
	check biller.Answer
	paid  []money.Amount
}

func (f *fakeBiller) Check(context.Context, biller.Request) biller.Answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.check
}

func (f *fakeBiller) Pay(_ context.Context, r biller.Request) biller.Answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paid = append(f.paid, r.Sum)
	return biller.Answer{Outcome: biller.Good, Reference: "77"}
}

// fixture is the door with all acts behind it; only the biller and the phones
// are faked, and the clock can be turned.
type fixture struct {
	t            *testing.T
	db           *database.DB
	ledger       *ledger.Ledger
	catalog      *catalog.Catalog
	customers    *customer.Customers
	payments     *payment.Payments
	wallets      *wallet.Wallets
	ussdSessions *ussdsession.Sessions[ussd.Content]
	inbox        *inbox.Inbox
	biller       *fakeBiller
	parts        ussd.Parts
	handler      *ussd.Handler
	server       *echo.Echo
	skipped      *atomic.Int64
	numbers      atomic.Int64
	sessions     atomic.Int64
}

var hashed = customer.Hash{MemoryKiB: 64, Passes: 1, AtOnce: 4}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// each runs a test in a house on each database.
func each(t *testing.T, test func(t *testing.T, h *fixture)) {
	t.Helper()
	skipped := &atomic.Int64{}
	clock := database.WithClock(func() time.Time { return time.Now().Add(time.Duration(skipped.Load())) })
	t.Run("sqlite", func(t *testing.T) { test(t, newFixture(t, databasetest.SQLite(t, clock), skipped)) })
	t.Run("postgres", func(t *testing.T) { test(t, newFixture(t, databasetest.Postgres(t, clock), skipped)) })
}

func sqlite(t *testing.T) *fixture {
	t.Helper()
	skipped := &atomic.Int64{}
	clock := database.WithClock(func() time.Time { return time.Now().Add(time.Duration(skipped.Load())) })
	return newFixture(t, databasetest.SQLite(t, clock), skipped)
}

func newFixture(t *testing.T, db *database.DB, skipped *atomic.Int64) *fixture {
	t.Helper()
	ctx, secret := context.Background(), []byte("a secret of thirty-two bytes or more")
	h := &fixture{t: t, db: db, skipped: skipped, biller: &fakeBiller{check: biller.Answer{Outcome: biller.Good, Name: "ОсОО Ала-Тоо"}}}
	sealer, err := sms.NewSealer(secret)
	must(t, err)
	attempts, err := ratelimit.New(h.db, ratelimit.Options{Secret: secret})
	must(t, err)
	h.catalog = catalog.New(h.db, catalog.Options{Development: true})
	must(t, h.catalog.Seed(ctx))
	h.customers, err = customer.New(h.db, customer.Options{
		Secret: secret, PINPepper: secret, Counters: attempts, Sealer: sealer, OpenWallet: wallet.Open, Level: catalog.StandardLevel, Hash: hashed,
	})
	must(t, err)
	h.ledger = ledger.New(h.db, ledger.Options{})
	t.Cleanup(h.ledger.Close)
	timing := payment.DefaultTiming()
	timing.Pauses = []time.Duration{20 * time.Millisecond}
	bell := outbox.NewNotifier()
	h.payments = payment.New(payment.Parts{
		DB: h.db, Ledger: h.ledger, Notifier: bell, Catalog: h.catalog, Customers: h.customers, Counters: attempts,
		Client: func(catalog.Biller) biller.Biller { return h.biller }, Timing: timing,
	})
	h.wallets, h.inbox = wallet.New(h.ledger), inbox.New(h.db)
	gateways, err := credential.NewGateways(h.db, attempts, nil)
	must(t, err)
	must(t, gateways.SeedDevelopment(ctx))
	h.ussdSessions = h.newSessions()
	h.parts = ussd.Parts{
		Sessions: h.ussdSessions, Customers: h.customers, Catalog: h.catalog, Payments: h.payments, Wallets: h.wallets,
		Transfers: transfer.New(transfer.Parts{
			DB: h.db, Ledger: h.ledger, Notifier: bell, Catalog: h.catalog, Customers: h.customers, Counters: attempts,
		}),
		Gateways: gateways, Now: h.db.Now,
	}
	h.handler = ussd.New(h.parts, slog.Default())
	h.server = echo.New()
	h.server.POST("/ussd", h.handler.Handle)
	working, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { h.payments.Deliver(working) })
	for _, worker := range sms.Workers(h.db, sealer, h.inbox, sms.Options{}) {
		workers.Go(func() { outbox.Work(working, h.db, bell, worker) })
	}
	t.Cleanup(func() { stop(); workers.Wait() })
	return h
}

func (h *fixture) newSessions() *ussdsession.Sessions[ussd.Content] {
	h.t.Helper()
	secret := []byte("a secret of thirty-two bytes or more")
	ds, err := ussdsession.New[ussd.Content](h.db, ussdsession.Options{Secret: secret, Pepper: secret, Lease: 500 * time.Millisecond})
	must(h.t, err)
	return ds
}

// second is another process on the same database.
func (h *fixture) second() *echo.Echo {
	h.t.Helper()
	parts := h.parts
	parts.Sessions = h.newSessions()
	server := echo.New()
	server.POST("/ussd", ussd.New(parts, slog.Default()).Handle)
	return server
}

func (h *fixture) wait(d time.Duration) { h.skipped.Add(int64(d)) }

// number is a Megacom number that nobody has.
func (h *fixture) number() phone.Number {
	return phone.Number(fmt.Sprintf("+996550%06d", 100_000+h.numbers.Add(1)))
}

// fund puts money into a wallet.
func (h *fixture) fund(number phone.Number, amount money.Amount) customer.Customer {
	h.t.Helper()
	ctx := context.Background()
	c, err := h.customers.ByPhone(ctx, number)
	must(h.t, err)
	bank, err := h.ledger.Account(ctx, ledger.Bank, "kicb")
	must(h.t, err)
	_, err = h.ledger.Post(ctx, ledger.Posting{Key: fmt.Sprintf("fund:%d", h.numbers.Add(1)), Op: "test.fund", Entries: []ledger.Entry{
		{Account: bank, Amount: -amount}, {Account: c.ID, Amount: amount},
	}})
	must(h.t, err)
	return c
}

func (h *fixture) balance(number phone.Number) money.Amount {
	h.t.Helper()
	c, err := h.customers.ByPhone(context.Background(), number)
	must(h.t, err)
	b, err := h.wallets.Balance(context.Background(), c.ID)
	must(h.t, err)
	return b
}

// holder has a wallet that was opened by *900#, an own PIN, and money.
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
	_, err := h.customers.RegisterByUSSD(context.Background(), customer.USSDSignup{
		Phone: number, Name: "Бакыт Асанов", INN: person, Lang: lang, OfferVersion: customer.OfferVersion, Gateway: "ussd",
	})
	must(h.t, err)
}

var fourDigits = regexp.MustCompile(`\b[0-9]{4}\b`)

// sms gives the newest message that matches, and waits for it.
func (h *fixture) sms(number phone.Number, like string) string {
	h.t.Helper()
	shape := regexp.MustCompile(like)
	for range 400 {
		kept, err := h.inbox.List(context.Background(), number)
		must(h.t, err)
		for _, m := range kept {
			if shape.MatchString(m.Text) {
				return m.Text
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	kept, _ := h.inbox.List(context.Background(), number)
	h.t.Fatalf("no message like %s came: %v\n%s", like, kept, logged)
	return ""
}

// pin gives the PIN that the newest SMS brings.
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

// press gives an input and the screen that answers it, lines joined by " / ".
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
		c.h.t.Errorf("no screen: %q", body)
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
