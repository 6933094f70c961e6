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

// fixture has the subscriptions of a database and a push service.
type fixture struct {
	*push.Subscriptions
	t    *testing.T
	db   *database.DB
	mu   sync.Mutex
	sent []push.Rendered
	fail error
	slow chan struct{} // if not nil, calls block until it is closed
	// deadline is that of the context of the latest call.
	deadline time.Time
}

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func each(t *testing.T, test func(t *testing.T, f *fixture)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := &fixture{Subscriptions: newSubscriptions(t, db, "the server's key"), t: t, db: db}
		for id := range 3 {
			must(t, db.Gorm(context.Background()).Exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
				VALUES (?, ?, '', 'ru', '', FALSE, 1, 'standard', ?)`, id+1, fmt.Sprintf("+99670000000%d", id), start).Error)
		}
		test(t, f)
	})
}

func newSubscriptions(t *testing.T, db *database.DB, key string) *push.Subscriptions {
	t.Helper()
	counters, err := ratelimit.New(db, ratelimit.Options{Secret: []byte("a secret of thirty-two bytes or more")})
	must(t, err)
	return push.New(db, push.Options{Key: key, Hosts: []string{"push.example.net"}, Counters: counters})
}

// Send implements push.Gateway.
func (f *fixture) Send(ctx context.Context, r push.Rendered) error {
	f.mu.Lock()
	f.sent = append(f.sent, r)
	f.deadline, _ = ctx.Deadline()
	fail, slow := f.fail, f.slow
	f.mu.Unlock()
	if slow != nil {
		<-slow
	}
	return fail
}

func (f *fixture) setResponse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.sent = err, nil
}

// deliver sends all due messages and returns what the push service received.
func (f *fixture) deliver() []push.Rendered {
	f.t.Helper()
	worker := f.Worker(f)
	for _, m := range f.acquire() {
		worker.Do(context.Background(), m)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

func (f *fixture) add(to push.Holder, event string) {
	f.t.Helper()
	messages, err := f.OutboxMessages(context.Background(), to, event, push.Message{
		Title: "push.payment_completed", Text: "push.payment_text", Href: "/receipt/7", Args: map[string]any{"Service": "DosTek group", "Amount": "250,50"},
	})
	must(f.t, err)
	must(f.t, f.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error { return outbox.Add(ctx, tx, messages...) }))
}

func (f *fixture) subscribe(to push.Holder, name string) push.Subscription {
	f.t.Helper()
	a := newSubscription(f.t, name)
	must(f.t, f.Subscribe(context.Background(), browserOf(to, name), a))
	return a
}

// browserOf returns a browser in which the holder is signed in.
func browserOf(to push.Holder, name string) push.Browser {
	return push.Browser{Holder: to, Key: name, Name: "Chrome, Android", SignedIn: func(*database.Tx) (bool, error) { return true, nil }}
}

func (f *fixture) deviceIDs(to push.Holder) (ids []int64) {
	f.t.Helper()
	list, err := f.List(context.Background(), to)
	must(f.t, err)
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	return ids
}

func (f *fixture) countOpen() (n int64) {
	f.t.Helper()
	must(f.t, f.db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM promises WHERE state = 'open'").Scan(&n).Error)
	return n
}

func newSubscription(t *testing.T, name string) push.Subscription {
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

func TestEachBrowserOfTheHolderIsNotified(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.subscribe(aida, "laptop")
		f.subscribe(bakyt, "other")
		f.add(aida, "payment:7:completed")
		sent := f.deliver()
		if len(sent) != 2 || sent[0].Subscription.Endpoint == sent[1].Subscription.Endpoint {
			t.Fatalf("sent %d", len(sent))
		}
		want := push.Notification{Title: "Платёж проведён", Text: "DosTek group: 250,50 сом", Lang: "ru", Tag: "payment:7:completed", Href: "/receipt/7"}
		if sent[0].Notification != want || f.countOpen() != 0 {
			t.Errorf("%+v, %d open", sent[0].Notification, f.countOpen())
		}
		f.setResponse(nil)
		f.add(bakyt, "payment:8:completed")
		if sent := f.deliver(); len(sent) != 1 || sent[0].Notification.Title != "Төлөм аткарылды" {
			t.Errorf("%+v", sent)
		}
	})
}

// 410 Gone deletes the subscription; the notification is not sent again.
func TestGoneSubscriptionIsDeleted(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.setResponse(push.ErrGone)
		f.add(aida, "payment:7:completed")
		f.add(aida, "payment:8:completed")
		if sent := f.deliver(); len(sent) != 1 || len(f.deviceIDs(aida)) != 0 || f.countOpen() != 0 {
			t.Errorf("sent %d, %d subscriptions, %d open", len(sent), len(f.deviceIDs(aida)), f.countOpen())
		}
	})
}

// A notification is sent again if the push service is unavailable and dropped if the
// service refuses it. The subscription stays in both cases.
func TestUnavailableIsRetriedAndInvalidIsNot(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.setResponse(errors.New("unavailable"))
		f.add(aida, "payment:7:completed")
		if f.deliver(); f.countOpen() != 1 || len(f.deviceIDs(aida)) != 1 {
			t.Errorf("unavailable: %d open, %d subscriptions", f.countOpen(), len(f.deviceIDs(aida)))
		}
		f.setResponse(fault.New(fault.Invalid, "test", ""))
		f.add(aida, "payment:8:completed")
		if f.deliver(); f.countOpen() != 1 || len(f.deviceIDs(aida)) != 1 {
			t.Errorf("refused: %d open, %d subscriptions", f.countOpen(), len(f.deviceIDs(aida)))
		}
	})
}

// A subscription that was deleted after the message was added gets no notification.
func TestUnsubscribe(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.add(aida, "payment:7:completed")
		id := f.deviceIDs(aida)[0]
		if err := f.Unsubscribe(context.Background(), bakyt.ID, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("another customer's: %v", err)
		}
		must(t, f.Unsubscribe(context.Background(), aida.ID, id))
		if err := f.Unsubscribe(context.Background(), aida.ID, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("again: %v", err)
		}
		if sent := f.deliver(); len(sent) != 0 || f.countOpen() != 0 {
			t.Errorf("sent %d, %d open", len(sent), f.countOpen())
		}
	})
}

// A browser belongs to the holder who subscribed last. A new password of the holder and
// a new key of the server end earlier subscriptions.
func TestSubscriptionHasOneHolder(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := context.Background()
		a := f.subscribe(aida, "phone")
		must(t, f.Subscribe(ctx, browserOf(aida, "phone"), a))
		if n := len(f.deviceIDs(aida)); n != 1 {
			t.Errorf("subscribed twice: %d", n)
		}
		must(t, f.Subscribe(ctx, browserOf(bakyt, "phone"), a))
		if len(f.deviceIDs(aida)) != 0 || len(f.deviceIDs(bakyt)) != 1 {
			t.Errorf("%d and %d", len(f.deviceIDs(aida)), len(f.deviceIDs(bakyt)))
		}
		later := push.Holder{ID: bakyt.ID, Epoch: 2, Lang: "ky"}
		f.add(later, "payment:9:completed")
		if sent := f.deliver(); len(sent) != 0 || len(f.deviceIDs(later)) != 0 {
			t.Error("the subscription is valid after a change of the password")
		}
		f.Subscriptions = newSubscriptions(t, f.db, "another key")
		if len(f.deviceIDs(bakyt)) != 0 {
			t.Error("the subscription is valid after a change of the key")
		}
	})
}

func TestOldestBrowserIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for i := range 12 {
			f.subscribe(aida, fmt.Sprint(i))
		}
		f.subscribe(bakyt, "other")
		ids := f.deviceIDs(aida)
		if len(ids) != 10 {
			t.Fatalf("%d subscriptions", len(ids))
		}
		newest := f.subscribe(aida, "newest")
		f.add(aida, "payment:7:completed")
		found := false
		for _, r := range f.deliver() {
			found = found || r.Subscription == newest
		}
		if !found || len(f.deviceIDs(bakyt)) != 1 {
			t.Error("the newest was deleted, or that of another customer")
		}
	})
}

// Endpoints come from browsers: only those of known push services are accepted.
func TestUnknownEndpointsAreRefused(t *testing.T) {
	subscriptions := newSubscriptions(t, databasetest.SQLite(t), "key")
	good := newSubscription(t, "x")
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
		if err := subscriptions.Subscribe(context.Background(), browserOf(aida, "x"), a); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
