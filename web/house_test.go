package web_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/labstack/echo/v4"

	"elsom/internal/audit"
	"elsom/internal/biller"
	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
	"elsom/web"
	"elsom/web/portal"
	"elsom/web/session"
	"elsom/web/terminal"
)

const (
	company  = "00207199610017"
	password = "горы Ала-Тоо весной"
	email    = "aida@example.kg"
)

// said is everything that was logged, by all tests of the package.
var said = &journal{}

type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// lines gives those that hold all of the words.
func (j *journal) lines(words ...string) (found []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		holds := true
		for _, word := range words {
			holds = holds && strings.Contains(line, word)
		}
		if holds {
			found = append(found, line)
		}
	}
	return found
}

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait more than they work
		panic(err)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}

var (
	good    = biller.Answer{Outcome: biller.Good, Result: 0, Name: "ОсОО «Ала-Тоо»", Reference: "77"}
	silence = biller.Answer{Outcome: biller.Unknown, Result: biller.ResultNone}
)

// setting is what a test wants otherwise.
type setting struct {
	https    bool
	limits   bool // the counters against guessing and flooding
	handlers func(*web.Handlers)
	notices  bool // push notifications are on
	books    ledger.Options
	hash     customer.Hash                                     // the tests' own where it isn't said
	on       func(testing.TB, ...database.Option) *database.DB // SQLite where it isn't said
	trace    func(statement string, args []any)
}

// house is the doors with all acts behind them; only the biller and the phones
// are faked, and the clock can be turned.
type house struct {
	t         *testing.T
	db        *database.DB
	ledger    *ledger.Ledger
	catalog   *catalog.Catalog
	customers *customer.Customers
	payments  *payment.Payments
	transfers *transfer.Transfers
	notices   *push.Subscriptions // nil unless set
	cashin    *cashin.CashIn
	sealer    *sms.Sealer
	inbox     *inbox.Inbox
	biller    *fake
	portal    *portal.Portal
	server    *echo.Echo
	handlers  web.Handlers // of the server
	base      string
	skipped   *atomic.Int64
	agent     cashin.Agent
	numbers   atomic.Int64
}

var hashed = customer.Hash{MemoryKiB: 64, Passes: 1, AtOnce: 4}

func newHouse(t *testing.T) *house { t.Helper(); return houseWith(t, setting{}) }

func houseWith(t *testing.T, with setting) *house {
	t.Helper()
	ctx, secret := context.Background(), []byte("a secret of thirty-two bytes or more")
	h := &house{t: t, skipped: &atomic.Int64{}, base: "http://elsom.test", biller: &fake{check: good, pay: good, paid: map[string]money.Amount{}}}
	if with.https {
		h.base = "https://elsom.test"
	}
	if with.on == nil {
		with.on = databasetest.SQLite
	}
	h.db = with.on(t, database.WithTrace(with.trace),
		database.WithClock(func() time.Time { return time.Now().Add(time.Duration(h.skipped.Load())) }))
	var err error
	h.sealer, err = sms.NewSealer(secret)
	must(t, err)
	attempts, err := ratelimit.New(h.db, ratelimit.Options{Secret: secret, Off: !with.limits})
	must(t, err)
	h.catalog = catalog.New(h.db, catalog.Options{Development: true})
	must(t, h.catalog.Seed(ctx))
	if with.hash == (customer.Hash{}) {
		with.hash = hashed
	}
	h.customers, err = customer.New(h.db, customer.Options{
		Secret: secret, PINPepper: secret, Counters: attempts, Sealer: h.sealer, OpenWallet: wallet.Open, Level: catalog.StandardLevel, Hash: with.hash,
	})
	must(t, err)
	agents, err := cashin.NewAgents(h.db, attempts, secret)
	must(t, err)
	h.ledger = ledger.New(h.db, with.books)
	t.Cleanup(h.ledger.Close)
	timing := payment.DefaultTiming()
	timing.Pauses = []time.Duration{20 * time.Millisecond, 40 * time.Millisecond}
	parts := payment.Parts{
		DB: h.db, Ledger: h.ledger, Bell: outbox.NewNotifier(), Catalog: h.catalog, Customers: h.customers, Attempts: attempts,
		Wire: func(catalog.Biller) biller.Biller { return h.biller }, Timing: timing,
	}
	if with.notices {
		h.notices = push.New(h.db, push.Options{Key: "the public key", Hosts: []string{"push.example.net"}, Attempts: attempts})
		parts.Notices = h.notices
	}
	h.payments = payment.New(parts)
	h.transfers = transfer.New(transfer.Parts{
		DB: h.db, Ledger: h.ledger, Bell: outbox.NewNotifier(), Catalog: h.catalog, Customers: h.customers, Attempts: attempts,
	})
	h.cashin = cashin.New(cashin.Parts{DB: h.db, Books: h.ledger, Levels: h.catalog, Wallets: cashin.WalletsFunc(
		func(ctx context.Context, number phone.Number) (cashin.Wallet, error) {
			c, err := h.customers.ByPhone(ctx, number)
			return cashin.Wallet{Customer: c.ID, Blocked: c.Blocked, Lang: c.Lang, Level: c.Level}, err
		})})
	must(t, agents.AddAgent(ctx, cashin.NewAgent{Code: "kicb", Name: "KICB", Password: "terminal's word", Ceiling: 1_000_000_000_00}))
	list, err := agents.ListAgents(ctx)
	must(t, err)
	h.agent = list[0]
	h.inbox = inbox.New(h.db)
	sessions, err := session.New(h.db, session.Options{Secret: secret, Secure: with.https, Public: h.base, Left: push.RemoveBrowser, Ended: push.RemoveForCustomer})
	must(t, err)
	h.portal = portal.New(portal.Services{
		Customers: h.customers, Wallets: wallet.New(h.ledger), Payments: h.payments, Catalog: h.catalog, Agents: agents,
		Transfers: h.transfers, Notices: h.notices,
		Closing:  wallet.NewClosing(wallet.ClosingParts{DB: h.db, Ledger: h.ledger, Bell: outbox.NewNotifier(), Customers: h.customers}),
		Messages: sms.NewMessages(h.db, h.sealer), Sessions: sessions, Now: h.db.Now,
	})
	handlers := web.Handlers{
		Portal: h.portal, Terminal: terminal.New(agents, h.cashin, slog.Default()), Sessions: sessions, HTTPS: with.https,
		Healthy: func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") },
	}
	if with.handlers != nil {
		with.handlers(&handlers)
	}
	h.handlers, h.server = handlers, web.New(handlers)
	return h
}

// databases are those on which a setting's on makes one.
var databases = map[string]func(testing.TB, ...database.Option) *database.DB{
	"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
}

// wait turns the clock.
func (h *house) wait(d time.Duration) { h.skipped.Add(int64(d)) }

// imports replaces pieces of the catalogue.
func (h *house) imports(pieces ...string) {
	h.t.Helper()
	exported, err := h.catalog.Export(context.Background())
	must(h.t, err)
	text := string(exported)
	for i := 0; i < len(pieces); i += 2 {
		if strings.Count(text, pieces[i]) < 1 {
			h.t.Fatalf("no %q in the catalogue:\n%s", pieces[i], text)
		}
		text = strings.Replace(text, pieces[i], pieces[i+1], 1)
	}
	change, err := h.catalog.Prepare(context.Background(), []byte(text), true)
	must(h.t, err)
	must(h.t, h.catalog.Apply(context.Background(), change, catalog.By{}))
	h.wait(2 * time.Second) // copies are looked after once a second
}

var passwordHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(password, &argon2id.Params{
		Memory: hashed.MemoryKiB, Iterations: hashed.Passes, Parallelism: 1, SaltLength: 16, KeyLength: 32,
	})
	if err != nil {
		panic(err)
	}
	return hash
})

// number is one that nobody has.
func (h *house) number() phone.Number {
	return phone.Number(fmt.Sprintf("+996700%06d", 100_000+h.numbers.Add(1)))
}

// holder is registered on the site and has money in the wallet.
func (h *house) holder(balance money.Amount) customer.Customer {
	h.t.Helper()
	return h.holderOf(h.number(), balance)
}

func (h *house) holderOf(number phone.Number, balance money.Amount) customer.Customer {
	h.t.Helper()
	ctx, row := context.Background(), customer.Record{}
	must(h.t, h.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		row = customer.Record{
			ID: tx.NewID(), Phone: number.String(), Email: email, Lang: "ru", PasswordHash: passwordHash(),
			SessionEpoch: 1, Level: catalog.StandardLevel, CreatedAt: tx.Now(),
		}
		if err := tx.Gorm().Create(&row).Error; err != nil {
			return err
		}
		return wallet.Open(ctx, tx, row.ID)
	}))
	who := row.Customer()
	if balance > 0 {
		h.fill(who, balance)
	}
	return who
}

// fill brings cash through the agent.
func (h *house) fill(who customer.Customer, amount money.Amount) {
	h.t.Helper()
	answer, err := h.cashin.PayIn(context.Background(), h.agent, cashin.Request{
		TxnID: strconv.FormatInt(h.db.NewID(), 10), TxnDate: "20261122120000", Account: who.Phone.String(), Sum: amount,
	})
	must(h.t, err)
	if answer.Result != cashin.Done {
		h.t.Fatalf("cash-in: %d", answer.Result)
	}
}

// deliver runs the deliveries to the biller until the test ends.
func (h *house) deliver() {
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	workers.Go(func() { h.payments.Deliver(ctx) })
	h.t.Cleanup(func() { cancel(); workers.Wait() })
}

// messages carries the SMS that are due, and gives a number's, newest first.
func (h *house) messages(number phone.Number) []string {
	h.t.Helper()
	ctx := context.Background()
	workers := sms.Workers(h.db, h.sealer, h.inbox, sms.Options{})
	var tasks []outbox.LeasedMessage
	for _, worker := range workers {
		must(h.t, h.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			more, err := outbox.Acquire(ctx, tx, worker.Queue, 100, time.Minute)
			tasks = append(tasks, more...)
			return err
		}))
	}
	// In the order in which they became due, whatever their lanes.
	slices.SortFunc(tasks, func(a, b outbox.LeasedMessage) int { return cmp.Compare(a.ID, b.ID) })
	for _, task := range tasks {
		workers[0].Do(ctx, task)
	}
	list, err := h.inbox.List(ctx, number)
	must(h.t, err)
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = m.Text
	}
	return texts
}

// code is the one of the newest SMS to a number.
func (h *house) code(number phone.Number) string {
	h.t.Helper()
	texts := h.messages(number)
	if len(texts) == 0 || len(texts[0]) < 6 {
		h.t.Fatalf("no code among %q", texts)
	}
	return texts[0][:6]
}

// wrong is a code that is not the given one.
func wrong(code string) string { return code[:5] + string((code[5]-'0'+1)%10+'0') }

// rows counts what a query finds.
func (h *house) rows(query string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.db.Pool().QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}

func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	_, err := h.db.Pool().ExecContext(context.Background(), query, args...)
	must(h.t, err)
}

// books is how much stands in the books and beside them.
type books struct{ Transfers, Entries, Payments, Drafts, Promises, Codes, Customers int }

func (h *house) books() books {
	h.t.Helper()
	count := func(table string) int { return h.rows("SELECT COUNT(*) FROM " + table) }
	return books{
		count("transfers"), count("entries"), count("payments"), count("drafts"), count("promises"), count("confirmations"), count("customers"),
	}
}

func (h *house) unchanged(what string, before books) {
	h.t.Helper()
	if now := h.books(); now != before {
		h.t.Errorf("%s: written %+v, was %+v", what, now, before)
	}
}

func (h *house) holds(who customer.Customer, want money.Amount) {
	h.t.Helper()
	got, err := h.ledger.Balance(context.Background(), who.ID)
	must(h.t, err)
	if got != want {
		h.t.Errorf("the wallet holds %s, want %s", got, want)
	}
}

// audited proves the books.
func (h *house) audited() {
	h.t.Helper()
	result, err := audit.Run(context.Background(), h.db)
	must(h.t, err)
	if !result.OK() {
		h.t.Errorf("the audit failed: %+v", result)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
