package push_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/notify/push"
	"elsom/internal/outbox"
	"elsom/internal/ratelimit"
)

// house is notices on a database, with a push service that answers as told.
type house struct {
	*push.Subscriptions
	t    *testing.T
	db   *database.DB
	mu   sync.Mutex
	sent []push.Rendered
	fail error
	slow chan struct{} // where there is one, an answer waits for its end
	// until is when the latest call would have been broken off.
	until time.Time
}

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func each(t *testing.T, test func(t *testing.T, h *house)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := &house{Subscriptions: notices(t, db, "the server's key"), t: t, db: db}
		for id := range 3 {
			must(t, db.Gorm(context.Background()).Exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
				VALUES (?, ?, '', 'ru', '', FALSE, 1, 'standard', ?)`, id+1, fmt.Sprintf("+99670000000%d", id), start).Error)
		}
		test(t, h)
	})
}

func notices(t *testing.T, db *database.DB, key string) *push.Subscriptions {
	t.Helper()
	attempts, err := ratelimit.New(db, ratelimit.Options{Secret: []byte("a secret of thirty-two bytes or more")})
	must(t, err)
	return push.New(db, push.Options{Key: key, Hosts: []string{"push.example.net"}, Attempts: attempts})
}

// Send implements push.Gateway.
func (h *house) Send(ctx context.Context, r push.Rendered) error {
	h.mu.Lock()
	h.sent = append(h.sent, r)
	h.until, _ = ctx.Deadline()
	fail, slow := h.fail, h.slow
	h.mu.Unlock()
	if slow != nil {
		<-slow
	}
	return fail
}

func (h *house) answers(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail, h.sent = err, nil
}

// work keeps all promises that are due.
func (h *house) work() []push.Rendered {
	h.t.Helper()
	worker := h.Worker(h)
	for _, task := range h.claim() {
		worker.Do(context.Background(), task)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}

func (h *house) tell(to push.Holder, event string) {
	h.t.Helper()
	promises, err := h.OutboxMessages(context.Background(), to, event, push.Message{
		Title: "push.payment_completed", Text: "push.payment_text", Href: "/receipt/7", Args: map[string]any{"Service": "DosTek group", "Amount": "250,50"},
	})
	must(h.t, err)
	must(h.t, h.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error { return outbox.Add(ctx, tx, promises...) }))
}

func (h *house) allow(to push.Holder, name string) push.Subscription {
	h.t.Helper()
	a := address(h.t, name)
	must(h.t, h.Subscribe(context.Background(), browserOf(to, name), a))
	return a
}

// browserOf is one in which the holder is signed in.
func browserOf(to push.Holder, name string) push.Browser {
	return push.Browser{Holder: to, Key: name, Name: "Chrome, Android", Signed: func(*database.Tx) (bool, error) { return true, nil }}
}

func (h *house) names(to push.Holder) (ids []int64) {
	h.t.Helper()
	list, err := h.List(context.Background(), to)
	must(h.t, err)
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	return ids
}

func (h *house) open() (n int64) {
	h.t.Helper()
	must(h.t, h.db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM promises WHERE state = 'open'").Scan(&n).Error)
	return n
}

func address(t *testing.T, name string) push.Subscription {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	must(t, err)
	auth := make([]byte, 16)
	_, _ = rand.Read(auth)
	return push.Subscription{
		Endpoint: "https://push.example.net/send/" + name,
		P256DH:   base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), Auth: base64.RawURLEncoding.EncodeToString(auth),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var aida, bakyt = push.Holder{ID: 1, Epoch: 1, Lang: "ru"}, push.Holder{ID: 2, Epoch: 1, Lang: "ky"}

func TestTellsEachOfTheHoldersBrowsers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.allow(aida, "desk")
		h.allow(bakyt, "other")
		h.tell(aida, "payment:7:completed")
		sent := h.work()
		if len(sent) != 2 || sent[0].Subscription.Endpoint == sent[1].Subscription.Endpoint {
			t.Fatalf("sent %d", len(sent))
		}
		want := push.Notice{Title: "Платёж проведён", Text: "DosTek group: 250,50 сом", Lang: "ru", Tag: "payment:7:completed", Href: "/receipt/7"}
		if sent[0].Notice != want || h.open() != 0 {
			t.Errorf("%+v, %d open", sent[0].Notice, h.open())
		}
		h.answers(nil)
		h.tell(bakyt, "payment:8:completed")
		if sent := h.work(); len(sent) != 1 || sent[0].Notice.Title != "Төлөм аткарылды" {
			t.Errorf("%+v", sent)
		}
	})
}

// 410 Gone drops the address; the notice is not tried again.
func TestGoneAddressIsDropped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.answers(push.ErrGone)
		h.tell(aida, "payment:7:completed")
		h.tell(aida, "payment:8:completed")
		if sent := h.work(); len(sent) != 1 || len(h.names(aida)) != 0 || h.open() != 0 {
			t.Errorf("sent %d, %d addresses, %d open", len(sent), len(h.names(aida)), h.open())
		}
	})
}

// A push service that is away is asked again; one that refuses is not, and
// keeps its address.
func TestAwayAndRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.answers(errors.New("away"))
		h.tell(aida, "payment:7:completed")
		if h.work(); h.open() != 1 || len(h.names(aida)) != 1 {
			t.Errorf("away: %d open, %d addresses", h.open(), len(h.names(aida)))
		}
		h.answers(fault.New(fault.Invalid, "test", ""))
		h.tell(aida, "payment:8:completed")
		if h.work(); h.open() != 1 || len(h.names(aida)) != 1 {
			t.Errorf("refused: %d open, %d addresses", h.open(), len(h.names(aida)))
		}
	})
}

// What ended between the promise and its keeping is not told; nor is another's.
func TestEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.tell(aida, "payment:7:completed")
		id := h.names(aida)[0]
		if err := h.Unsubscribe(context.Background(), bakyt.ID, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's: %v", err)
		}
		must(t, h.Unsubscribe(context.Background(), aida.ID, id))
		if err := h.Unsubscribe(context.Background(), aida.ID, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("again: %v", err)
		}
		if sent := h.work(); len(sent) != 0 || h.open() != 0 {
			t.Errorf("sent %d, %d open", len(sent), h.open())
		}
	})
}

// A browser has one holder, the last who allowed it; a new password and a new
// key end what was allowed under the old ones.
func TestWhoseABrowserIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		a := h.allow(aida, "phone")
		must(t, h.Subscribe(ctx, browserOf(aida, "phone"), a))
		if n := len(h.names(aida)); n != 1 {
			t.Errorf("allowed twice: %d", n)
		}
		must(t, h.Subscribe(ctx, browserOf(bakyt, "phone"), a))
		if len(h.names(aida)) != 0 || len(h.names(bakyt)) != 1 {
			t.Errorf("%d and %d", len(h.names(aida)), len(h.names(bakyt)))
		}
		later := push.Holder{ID: bakyt.ID, Epoch: 2, Lang: "ky"}
		h.tell(later, "payment:9:completed")
		if sent := h.work(); len(sent) != 0 || len(h.names(later)) != 0 {
			t.Error("a new password ends nothing")
		}
		h.Subscriptions = notices(t, h.db, "another key")
		if len(h.names(bakyt)) != 0 {
			t.Error("a new key ends nothing")
		}
	})
}

func TestTheOldestBrowserMakesRoom(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for i := range 12 {
			h.allow(aida, fmt.Sprint(i))
		}
		h.allow(bakyt, "his")
		ids := h.names(aida)
		if len(ids) != 10 {
			t.Fatalf("%d are kept", len(ids))
		}
		newest := h.allow(aida, "newest")
		h.tell(aida, "payment:7:completed")
		found := false
		for _, r := range h.work() {
			found = found || r.Subscription == newest
		}
		if !found || len(h.names(bakyt)) != 1 {
			t.Error("the newest was not kept, or another's went")
		}
	})
}

// The address is a stranger's word: nothing but a push service's is taken.
func TestStrangeAddressesAreRefused(t *testing.T) {
	h := notices(t, databasetest.SQLite(t), "key")
	good := address(t, "x")
	with := func(endpoint string) push.Subscription {
		return push.Subscription{Endpoint: endpoint, P256DH: good.P256DH, Auth: good.Auth}
	}
	for _, a := range []push.Subscription{
		{}, with(""), with("http://push.example.net/x"), with("https://localhost/x"), with("https://127.0.0.1/x"), with("https://[::1]/x"),
		with("https://10.0.0.1/x"), with("https://8.8.8.8/x"), with("https://push.example.net:8443/x"), with("https://push.example.net:/x"),
		with("https://user@push.example.net/x"), with("https://push.example.net/x#y"), with("ftp://push.example.net/x"), with("//push.example.net/x"),
		with("https://push.example.net/\r\nHost: x"), with("https://push.example.net/ы"), with("https://push.example.net/" + strings.Repeat("x", 1000)),
		with("https://intranet/x"), with("https:///x"), with("https://./x"), with("javascript:alert(1)"), with("https://intranet.push.example.net/x"), with("https://wallet.example.kg/osmp"), with("https://push.apple.com/x"), with("https://evilpush.apple.com/x"),
		with("https://evilpush.apple.com.example.net/x"), with("https://fcm.googleapis.com.example.net/x"), with("https://x.fcm.googleapis.com/x"),
		{good.Endpoint, "", good.Auth}, {good.Endpoint, good.P256DH, ""}, {good.Endpoint, good.P256DH, "AAAA"}, {good.Endpoint, "AAAA", good.Auth},
		{good.Endpoint, base64.RawURLEncoding.EncodeToString(append([]byte{4}, make([]byte, 64)...)), good.Auth},
		{good.Endpoint, strings.Repeat("A", 10_000), good.Auth}, {good.Endpoint, good.P256DH, "не база"},
	} {
		if err := h.Subscribe(context.Background(), browserOf(aida, "x"), a); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
