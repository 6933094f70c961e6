package customer

import (
	"context"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/notify/email"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

const (
	number   = phone.Number("+996700123456")
	stranger = phone.Number("+996550765432")
	home     = "192.0.2.7"
	browser  = "a browser session's key"
	good     = "горы Ала-Тоо весной"
	other    = "ветер над озером 7"
)

var (
	secret = []byte("a secret of thirty-two bytes or more")
	pepper = []byte("a pepper of thirty-two bytes or more")
)

func at(address string) Origin { return Origin{Address: address} }

// fixture is a register with an adjustable clock and the messages that it sent.
type fixture struct {
	*Customers
	t       *testing.T
	db      *database.DB
	skipped atomic.Int64 // how far the clock is ahead
	wallets atomic.Int64 // opened
	balance atomic.Int64 // of every wallet, in tyiyn

	mu     sync.Mutex
	sent   []sms.Rendered
	mailed []email.Rendered
}

// Send implements sms.Gateway.
func (h *fixture) Send(_ context.Context, r sms.Rendered) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, r)
	return nil
}

type mailbox struct{ *fixture }

func (m mailbox) Send(_ context.Context, r email.Rendered) error {
	m.mailed = append(m.mailed, r)
	return nil
}

func newFixture(t *testing.T, db *database.DB) *fixture {
	t.Helper()
	h := &fixture{t: t, db: db}
	now := func() time.Time { return database.StoredTime(db.Now().Add(time.Duration(h.skipped.Load()))) }
	attempts, err := ratelimit.New(db, ratelimit.Options{Secret: secret, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	h.Customers = h.build(Options{
		Secret: secret, PINPepper: pepper, Counters: attempts, Sealer: h.sealer(), Email: mailSealer(t), Hash: Hash{MemoryKiB: 64, Passes: 1, AtOnce: 4}, Now: now,
		Levels: levels{}, Balance: func(context.Context, int64) (money.Amount, error) { return money.Amount(h.balance.Load()), nil },
		OpenWallet: func(context.Context, *database.Tx, int64) error { h.wallets.Add(1); return nil },
	})
	return h
}

// levels are the catalog's levels of these tests.
type levels struct{}

const defaultLevel = "basic"

func (levels) DefaultLevel(context.Context) (string, error) { return defaultLevel, nil }

func (levels) Assignable(_ context.Context, code string) (bool, error) {
	return code == defaultLevel || code == "standard", nil
}

func (h *fixture) build(o Options) *Customers {
	h.t.Helper()
	cs, err := New(h.db, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return cs
}

func mailSealer(t *testing.T) *email.Sealer {
	t.Helper()
	s, err := email.NewSealer(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *fixture) sealer() *sms.Sealer {
	s, err := sms.NewSealer(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *fixture) advance(d time.Duration) { h.skipped.Add(int64(d)) }

// deliver processes all outbox messages that are due, and returns the texts of the
// SMS sent.
func (h *fixture) deliver() []string {
	h.t.Helper()
	before := len(h.sent)
	if _, err := sms.NewSender(h.db, h.sealer(), h, sms.Options{}).SendDue(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	worker := email.NewWorker(h.db, mailbox{h}, email.Options{Sealer: mailSealer(h.t)})
	var messages []outbox.LeasedMessage
	err := h.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) (err error) {
		messages, err = outbox.Acquire(ctx, tx, worker.Queue, 100, time.Minute)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, m := range messages {
		worker.Do(context.Background(), m)
	}
	var texts []string
	for _, r := range h.sent[before:] {
		texts = append(texts, r.Text)
	}
	return texts
}

var sixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

// code delivers the messages and returns the code in the only SMS.
func (h *fixture) code() string {
	h.t.Helper()
	texts := h.deliver()
	if len(texts) != 1 {
		h.t.Fatalf("%d messages instead of one: %q", len(texts), texts)
	}
	found := sixDigits.FindStringSubmatch(texts[0])
	if found == nil {
		h.t.Fatalf("no code in %q", texts[0])
	}
	return found[1]
}

// wrong returns another code.
func wrong(code string) string {
	last := (code[5]-'0'+1)%10 + '0'
	return code[:5] + string(last)
}

func form(n phone.Number) Signup {
	return Signup{Phone: n, Email: "aida@example.kg", Password: good, Offer: true, Lang: "ru", From: at(home)}
}

// startSignup starts a sign-up and returns its code.
func (h *fixture) startSignup(sessionKey string, s Signup) string {
	h.t.Helper()
	if err := h.StartSignup(context.Background(), sessionKey, s); err != nil {
		h.t.Fatal(err)
	}
	return h.code()
}

// newCustomer signs up a customer.
func (h *fixture) newCustomer(n phone.Number) Customer {
	h.t.Helper()
	code := h.startSignup(browser, form(n))
	c, err := h.ConfirmSignup(context.Background(), browser, code, at(home))
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *fixture) count(query string) int {
	h.t.Helper()
	var n int
	if err := h.db.Pool().QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *fixture) exec(query string, args ...any) {
	h.t.Helper()
	if _, err := h.db.Pool().ExecContext(context.Background(), query, args...); err != nil {
		h.t.Fatal(err)
	}
}

// want checks kind, reason and field of an error.
func want(t *testing.T, what string, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	f := fault.As(err)
	if err == nil || f.Kind != kind || f.Reason != reason || f.Field != field {
		t.Errorf("%s: %v at %q, want %s (%s) at %q", what, err, fieldOf(f), kind, reason, field)
	}
}

func fieldOf(f *fault.Error) string {
	if f == nil {
		return ""
	}
	return f.Field
}
