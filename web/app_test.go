package web_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
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
	"elsom/internal/checkpoint"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/receipt"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
	"elsom/internal/wallet"
	"elsom/web"
	"elsom/web/portal"
	"elsom/web/session"
	"elsom/web/terminal"
)

const (
	company       = testkit.Company
	password      = "горы Ала-Тоо весной"
	email         = "aida@example.kg"
	agentPassword = "terminal's word"
)

// logged holds the log of all tests of the package.
var logged = &logBuffer{}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines returns the lines that contain all the words.
func (l *logBuffer) lines(words ...string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			found = append(found, line)
		}
	}
	return found
}

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // the tests wait more than they compute
		panic(err)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}

// options configures a testApp.
type options struct {
	https    bool
	limits   bool // rate limits are on
	notices  bool // push notifications are on
	mail     bool // e-mails are on
	handlers func(*web.Handlers)
	ledger   ledger.Options
	hash     customer.Hash
	newDB    func(testing.TB, ...database.Option) *database.DB // nil: SQLite
	trace    func(statement string, args []any)
}

// testApp is the server with all middleware and all services. Only the biller and
// the senders of messages are faked.
type testApp struct {
	*testkit.App
	t        *testing.T
	clock    *testkit.Clock
	inbox    *inbox.Inbox
	server   *echo.Echo
	handlers web.Handlers // of the server
	base     string
	agent    cashin.Agent
	log      *translog.Log
	numbers  atomic.Int64
}

// checkpointKeys sign the checkpoints of the tests' logs.
var checkpointKeys = sync.OnceValue(func() *checkpoint.Keys {
	key, err := checkpoint.DevelopmentKey(testkit.Secret)
	if err != nil {
		panic(err)
	}
	keys, err := checkpoint.ParseKeys(key)
	if err != nil {
		panic(err)
	}
	return keys
})

// receiptFile returns the receipt of a payment as a file.
func (app *testApp) receiptFile(ctx context.Context, payment int64) ([]byte, error) {
	r, err := app.log.Receipt(ctx, payment)
	if err != nil {
		return nil, err
	}
	return r.Encode()
}

// sealed returns what the log proves of a payment.
func (app *testApp) sealed(ctx context.Context, id int64) (payment.Seal, error) {
	proved, err := app.log.Verified(ctx, id)
	if proved.State == receipt.Accepted {
		proved.State = receipt.State(payment.Processing)
	}
	return payment.Seal{State: payment.State(proved.State), Records: proved.Checkpoint.Size, At: proved.Checkpoint.At}, err
}

func newApp(t *testing.T) *testApp { t.Helper(); return newAppWith(t, options{}) }

func newAppWith(t *testing.T, o options) *testApp {
	t.Helper()
	ctx, clock, base := context.Background(), &testkit.Clock{}, "http://elsom.test"
	if o.https {
		base = "https://elsom.test"
	}
	if o.newDB == nil {
		o.newDB = databasetest.SQLite
	}
	services := testkit.Options{NoRateLimits: !o.limits, Email: o.mail, Hash: o.hash, Ledger: o.ledger}
	if o.notices {
		services.Push = &push.Options{Key: "the public key", Hosts: []string{"push.example.net"}}
	}
	app := &testApp{App: testkit.New(t, o.newDB(t, database.WithTrace(o.trace), clock.Option()), services), t: t, clock: clock, base: base}
	require.NoError(t, app.Agents.AddAgent(ctx, cashin.NewAgent{Code: "kicb", Name: "KICB", Password: agentPassword, Ceiling: 1_000_000_000_00}))
	list, err := app.Agents.ListAgents(ctx)
	require.NoError(t, err)
	app.agent, app.inbox = list[0], inbox.New(app.DB)
	sessions, err := session.New(app.DB, session.Options{
		Secret: testkit.Secret, Secure: o.https, Public: base, Left: push.RemoveBrowser, Ended: push.RemoveForCustomer,
		SecurityLog: app.Security,
	})
	require.NoError(t, err)
	app.log = translog.New(app.DB, translog.Options{Keys: checkpointKeys()})
	app.handlers = web.Handlers{
		Portal: portal.New(portal.Services{
			Customers: app.Customers, Wallets: app.Wallets, History: app.History, Payments: app.Payments, Transfers: app.Transfers, Closing: app.Closing,
			Catalog: app.Catalog, Agents: app.Agents, Messages: app.Messages, Notices: app.Push, Sessions: sessions, Links: app.Links, Security: app.Security, Templates: app.Templates, Lists: app.Lists, Now: app.DB.Now,
			Proof: app.receiptFile, Sealed: app.sealed, BaseURL: base,
		}),
		Terminal: terminal.New(app.Agents, app.CashIn, slog.Default()), Sessions: sessions, HTTPS: o.https, SecurityLog: app.Security,
		Healthy:    func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") },
		Checkpoint: func(c echo.Context) error { return c.String(http.StatusOK, "a checkpoint\n") },
	}
	if o.handlers != nil {
		o.handlers(&app.handlers)
	}
	app.server = web.New(app.handlers)
	return app
}

// databases are the values of options.newDB by name.
var databases = map[string]func(testing.TB, ...database.Option) *database.DB{
	"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
}

func (app *testApp) advance(d time.Duration) { app.clock.Advance(d) }

// setBiller sets the biller's answers to check and to pay.
func (app *testApp) setBiller(check, pay biller.Answer) {
	app.Biller.SetCheck(check)
	app.Biller.SetScript(pay)
}

// changeCatalog imports the catalog with texts replaced: old, new, old, new, …
func (app *testApp) changeCatalog(pieces ...string) {
	app.t.Helper()
	exported, err := app.Catalog.Export(context.Background())
	require.NoError(app.t, err)
	text := string(exported)
	for i := 0; i < len(pieces); i += 2 {
		if strings.Count(text, pieces[i]) < 1 {
			app.t.Fatalf("no %q in the catalog:\n%s", pieces[i], text)
		}
		text = strings.Replace(text, pieces[i], pieces[i+1], 1)
	}
	change, err := app.Catalog.Prepare(context.Background(), []byte(text), true)
	require.NoError(app.t, err)
	require.NoError(app.t, app.Catalog.Apply(context.Background(), change, catalog.Author{}))
	app.advance(2 * time.Second) // the catalog's copy is checked once a second
}

var passwordHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(password, &argon2id.Params{
		Memory: testkit.WeakHash.MemoryKiB, Iterations: testkit.WeakHash.Passes, Parallelism: 1, SaltLength: 16, KeyLength: 32,
	})
	if err != nil {
		panic(err)
	}
	return hash
})

// newNumber returns a number without a wallet.
func (app *testApp) newNumber() phone.Number {
	return phone.Number(fmt.Sprintf("+996700%06d", 100_000+app.numbers.Add(1)))
}

// newCustomer adds a customer with a password and deposits balance.
func (app *testApp) newCustomer(balance money.Amount) customer.Customer {
	app.t.Helper()
	return app.newCustomerWith(app.newNumber(), balance)
}

func (app *testApp) newCustomerWith(number phone.Number, balance money.Amount) customer.Customer {
	app.t.Helper()
	ctx, row := context.Background(), customer.Record{}
	require.NoError(app.t, app.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		row = customer.Record{
			ID: tx.NewID(), Phone: number.String(), Email: email, Lang: "ru", PasswordHash: passwordHash(),
			SessionEpoch: 1, Level: catalog.StandardLevel, CreatedAt: tx.Now(),
		}
		if err := row.Insert(tx); err != nil {
			return err
		}
		return wallet.Open(ctx, tx, row.ID)
	}))
	holder := row.Customer()
	holder.Browser = customer.Browser{Session: "a test", Known: true}
	if balance > 0 {
		app.deposit(holder, balance)
	}
	return holder
}

// deposit pays cash in through the agent.
func (app *testApp) deposit(holder customer.Customer, amount money.Amount) {
	app.t.Helper()
	answer, err := app.CashIn.PayIn(context.Background(), app.agent, cashin.Request{
		TxnID: strconv.FormatInt(app.DB.NewID(), 10), TxnDate: "20261122120000", Account: holder.Phone.String(), Sum: amount,
	})
	require.NoError(app.t, err)
	if answer.Result != cashin.Done {
		app.t.Fatalf("cash-in: %d", answer.Result)
	}
}

// startDeliveries sends payments to the biller until the test ends.
func (app *testApp) startDeliveries() {
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	workers.Go(func() { app.Payments.Deliver(ctx) })
	app.t.Cleanup(func() { cancel(); workers.Wait() })
}

// messages is allMessages without those about logins in new browsers, which most tests
// make.
func (app *testApp) messages(number phone.Number) []string {
	app.t.Helper()
	return slices.DeleteFunc(app.allMessages(number), func(text string) bool { return newBrowserSMS.MatchString(text) })
}

var newBrowserSMS = regexp.MustCompile("вход в кошелёк в новом браузере|жаңы браузерден кирүү|login to your wallet in a new browser")

// allMessages sends the SMS that are due and returns those to a number, newest first.
func (app *testApp) allMessages(number phone.Number) []string {
	app.t.Helper()
	ctx := context.Background()
	_, err := sms.NewSender(app.DB, app.Sealer, app.inbox, sms.Options{}).SendDue(ctx)
	require.NoError(app.t, err)
	list, err := app.inbox.List(ctx, number)
	require.NoError(app.t, err)
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = m.Text
	}
	return texts
}

// code returns the code in the newest SMS to a number.
func (app *testApp) code(number phone.Number) string {
	app.t.Helper()
	texts := app.messages(number)
	if len(texts) == 0 || len(texts[0]) < 6 {
		app.t.Fatalf("no code among %q", texts)
	}
	return texts[0][:6]
}

// wrongCode returns another code.
func wrongCode(code string) string { return code[:5] + string((code[5]-'0'+1)%10+'0') }

// count returns the number that a query returns.
func (app *testApp) count(query string, args ...any) (n int) {
	app.t.Helper()
	require.NoError(app.t, app.DB.Pool().QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}

func (app *testApp) exec(query string, args ...any) {
	app.t.Helper()
	_, err := app.DB.Pool().ExecContext(context.Background(), query, args...)
	require.NoError(app.t, err)
}

// counts are the numbers of rows that a refused request must not change.
type counts struct{ Transfers, Entries, Payments, Drafts, Messages, Codes, Customers int }

func (app *testApp) counts() counts {
	app.t.Helper()
	count := func(table string) int { return app.count("SELECT COUNT(*) FROM " + table) }
	return counts{
		count("transfers"), count("entries"), count("payments"), count("drafts"), count("promises") + count("messages WHERE key NOT LIKE 'customer:login:%'"), count("confirmations"), count("customers"),
	}
}

func (app *testApp) wantUnchanged(what string, before counts) {
	app.t.Helper()
	if now := app.counts(); now != before {
		app.t.Errorf("%s: the rows are %+v, were %+v", what, now, before)
	}
}

func (app *testApp) wantBalance(holder customer.Customer, want money.Amount) {
	app.t.Helper()
	got, err := app.Ledger.Balance(context.Background(), holder.ID)
	require.NoError(app.t, err)
	if got != want {
		app.t.Errorf("the wallet has %s, want %s", got, want)
	}
}

// wantAudit runs the audit.
func (app *testApp) wantAudit() {
	app.t.Helper()
	result, err := audit.Run(context.Background(), app.DB, audit.Outside{})
	require.NoError(app.t, err)
	if !result.OK() {
		app.t.Errorf("the audit failed: %+v", result)
	}
}
