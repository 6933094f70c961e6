// Package push is the port to the push services of browsers. A notification is an
// outbox message per subscribed browser, added in the transaction of the operation it
// is about and sent after its commit.
//
// It guarantees that a notification is sent only to browsers that were subscribed
// since the customer's last change of the password and where the customer has not
// logged out or been logged out since, at most once per event and browser; that a
// subscription that has ended is deleted; that only endpoints of known push services
// are accepted and called; and that a slow endpoint delays no other browser. No
// notification contains a code, and no endpoint is logged.
package push

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/outbox"
	"elsom/internal/ratelimit"
)

// Queue is the outbox queue of notifications.
const Queue = "push"

const (
	// maxDevices is the number of subscriptions of one holder. A new one replaces the
	// oldest.
	maxDevices = 10
	// lifetime is the time after which an unsent notification is dropped.
	lifetime = 24 * time.Hour
	// maxQueued is the number of notifications that may wait for one browser. Above it
	// the customer is informed by SMS alone.
	maxQueued = 5

	callTimeout = 5 * time.Second
	maxAttempts = 5
	concurrency = 16
	// busyDelay is the delay of a notification whose browser is being called already.
	busyDelay = 3 * time.Second
)

// subscribeRule limits how often a holder may subscribe, since the server will call an
// endpoint that the browser named.
//
//mutant:replace Limit: 20, => Limit: 200, TestSubscribingIsRateLimited
var subscribeRule = ratelimit.Rule{Name: "notices by wallet", Limit: 20, Window: time.Hour}

// Holder is the customer to be notified.
type Holder struct {
	ID int64
	// Epoch is the customer's session epoch.
	Epoch int64
	// Lang is the holder's language: ky, ru or en.
	Lang string
}

// Browser is a browser in which a holder is signed in.
type Browser struct {
	Holder Holder
	// Key identifies the browser across logins; Name is shown to the customer.
	Key, Name string
	// SignedIn reports whether the holder is still signed in there. It is called in the
	// transaction that stores the subscription.
	SignedIn func(tx *database.Tx) (bool, error)
}

// Device is a subscribed browser.
type Device struct {
	ID   int64
	Name string
	Made time.Time
}

// Message is a notification to be rendered.
type Message struct {
	// Title and Text are message keys.
	Title, Text string
	// Args are the values of placeholders, formatted with fmt.Sprint.
	Args map[string]any
	// Href is the page of this site that the notification opens.
	Href string
}

// Rendered is a notification as the adapter sends it.
type Rendered struct {
	Subscription Subscription
	Notification Notification
}

// Notification is what the service worker is handed, as JSON.
type Notification struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Lang  string `json:"lang"`
	// Tag names the event. A browser shows one notification per tag.
	Tag  string `json:"tag"`
	Href string `json:"href"`
}

// ErrGone reports that a subscription has ended.
var ErrGone = errors.New("push: the subscription has ended")

// Gateway is an adapter that sends notifications to push services. After ErrGone the
// subscription is deleted and after a fault.Invalid error the notification is not
// sent again; after any other error it is.
type Gateway interface {
	Send(ctx context.Context, r Rendered) error
}

// Options of the subscriptions.
type Options struct {
	// Key is the server's public key; see Subscriptions.Key.
	Key string
	// Hosts are host names of further push services in lower case. "*.name" means all
	// subdomains of a name.
	Hosts []string
	// Counters bound the new subscriptions of a customer.
	Counters *ratelimit.Counters
}

// Subscriptions manages and notifies subscribed browsers.
type Subscriptions struct {
	db       *database.DB
	key      string
	hosts    []string
	counters *ratelimit.Counters
	calling  sync.Map // ids of subscriptions that this process is calling
	reading  *database.Coalescer[Holder, []row]
}

// New returns the subscriptions of a database.
func New(db *database.DB, o Options) *Subscriptions {
	s := &Subscriptions{db: db, key: o.Key, hosts: slices.Concat(knownServices, o.Hosts), counters: o.Counters}
	s.reading = database.NewCoalescer(s.readByHolders)
	return s
}

// Key returns the server's public key (P-256, uncompressed, base64url), to which
// browsers bind their subscriptions.
func (s *Subscriptions) Key() string { return s.key }

func (s *Subscriptions) keyHash() string { return hash(s.key)[:16] }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Subscribe stores a browser's subscription for a holder and deletes the browser's
// earlier one, of whichever customer. Faults: Invalid for an endpoint that is not of a
// known push service or for invalid keys, TooMany, Forbidden if the session has ended.
func (s *Subscriptions) Subscribe(ctx context.Context, b Browser, sub Subscription) error {
	const op = "push.allow"
	if err := sub.check(s.hosts); err != nil {
		return fault.New(fault.Invalid, op, "push.refused").Because(err)
	}
	if err := s.counters.Take(ctx, subscribeRule, strconv.FormatInt(b.Holder.ID, 10)); err != nil {
		return fault.Wrap(op, err)
	}
	return fault.Wrap(op, s.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if signedIn, err := b.SignedIn(tx); err != nil {
			return err
			//mutant:drop TestEndedSessionCannotSubscribe
		} else if !signedIn {
			return fault.New(fault.Forbidden, op, "session.stale")
		}
		return insert(tx, row{
			ID: tx.NewID(), CustomerID: b.Holder.ID, Epoch: b.Holder.Epoch, KeyHash: s.keyHash(), EndpointHash: hash(sub.Endpoint),
			Endpoint: sub.Endpoint, P256dh: sub.P256DH, Auth: sub.Auth, Browser: b.Key, Device: b.Name, MadeAt: tx.Now(),
		})
	}))
}

// RemoveBrowser deletes the subscription of a browser unless it belongs to the
// customer who stays signed in there (0: none).
func RemoveBrowser(tx *database.Tx, browser string, stays int64) error {
	return deleteBrowser(tx, browser, stays)
}

// RemoveForCustomer deletes the subscription of a holder in a browser or, if others is
// set, in all other browsers.
func RemoveForCustomer(tx *database.Tx, holder int64, browser string, others bool) error {
	return deleteForCustomer(tx, holder, browser, others)
}

// List returns the holder's subscribed browsers, newest first.
func (s *Subscriptions) List(ctx context.Context, h Holder) ([]Device, error) {
	rows, err := s.reading.Do(ctx, h)
	list := make([]Device, len(rows))
	for i, r := range rows {
		list[i] = Device{ID: r.ID, Name: r.Device, Made: r.MadeAt.UTC()}
	}
	return list, fault.Wrap("push.list", err)
}

// Unsubscribe deletes one of a customer's subscriptions. Fault: NotFound.
func (s *Subscriptions) Unsubscribe(ctx context.Context, customerID, id int64) error {
	deleted, err := s.delete(ctx, customerID, id)
	if err == nil && !deleted {
		return fault.New(fault.NotFound, "push.end", "")
	}
	return fault.Wrap("push.end", err)
}

// OutboxMessages returns the outbox messages of a notification, one for each subscribed
// browser of the holder that has fewer than maxQueued waiting. The event is part of
// their keys: each event has one notification.
func (s *Subscriptions) OutboxMessages(ctx context.Context, h Holder, event string, m Message) ([]outbox.Message, error) {
	rows, err := s.reading.Do(ctx, h)
	if err != nil {
		return nil, fault.Wrap("push.about", err)
	}
	messages := make([]outbox.Message, 0, len(rows))
	for _, r := range rows {
		if open, err := outbox.CountOpen(ctx, s.db, Queue, keyOf(r.ID, "")); err != nil {
			return nil, fault.Wrap("push.about", err)
			//mutant:replace maxQueued => 2*maxQueued TestQueuedNotificationsAreLimited
		} else if open >= maxQueued {
			continue
		}
		p := payload{Subscription: r.ID, Lang: h.Lang, Title: m.Title, Text: m.Text, Args: map[string]string{}, Tag: event, Href: m.Href, Until: s.db.Now().Add(lifetime)}
		for name, value := range m.Args {
			p.Args[name] = fmt.Sprint(value)
		}
		messages = append(messages, outbox.Message{Queue: Queue, Key: keyOf(r.ID, event), Payload: p})
	}
	return messages, nil
}

// keyOf returns the key of an outbox message. It begins with the subscription, so that
// the messages of one can be counted by prefix.
func keyOf(subscription int64, event string) string {
	return strconv.FormatInt(subscription, 10) + ":" + event
}

// payload is the payload of an outbox message.
type payload struct {
	Subscription int64             `json:"address"`
	Lang         string            `json:"lang"`
	Title        string            `json:"title"`
	Text         string            `json:"text"`
	Args         map[string]string `json:"args,omitempty"`
	Tag          string            `json:"tag"`
	Href         string            `json:"href"`
	Until        time.Time         `json:"until"`
}

func (p payload) notification() (Notification, error) {
	n := Notification{Lang: p.Lang, Tag: p.Tag, Href: p.Href}
	var err error
	if n.Title, err = i18n.Render(p.Lang, p.Title, p.Args); err == nil {
		n.Text, err = i18n.Render(p.Lang, p.Text, p.Args)
	}
	return n, err
}

// Worker returns the worker that sends notifications.
func (s *Subscriptions) Worker(g Gateway) outbox.Worker {
	//mutant:replace callTimeout => 4 * callTimeout TestSlowServiceDelaysOnlyItsBrowser
	//mutant:replace maxAttempts => 2 * maxAttempts TestNotificationIsTriedFiveTimes
	return outbox.NewSender(s.db, outbox.SenderOptions{
		Queue: Queue, Concurrency: concurrency, Timeout: callTimeout, MaxAttempts: maxAttempts,
		Send: func(ctx context.Context, m outbox.LeasedMessage) error { return s.send(ctx, g, m) },
	})
}

func (s *Subscriptions) send(ctx context.Context, g Gateway, m outbox.LeasedMessage) error {
	const op = "push.send"
	var p payload
	if err := m.Read(&p); err != nil {
		return fault.New(fault.Invalid, op, "").Because(err)
	}
	r, valid, err := s.read(ctx, p.Subscription)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if !valid || s.db.Now().After(p.Until) {
		return nil
	}
	notification, err := p.notification()
	if err != nil {
		return fault.New(fault.Invalid, op, "").Because(err)
	}
	subscription := Subscription{r.Endpoint, r.P256dh, r.Auth}
	//mutant:drop TestRemovedServiceIsNotCalled
	if err := subscription.check(s.hosts); err != nil { // the operator has removed the service
		return fault.New(fault.Invalid, op, "").Because(err)
	}
	//mutant:drop TestSlowServiceDelaysOnlyItsBrowser
	if _, called := s.calling.LoadOrStore(r.ID, nil); called {
		return fault.New(fault.Unavailable, op, "").After(busyDelay)
	}
	defer s.calling.Delete(r.ID)
	err = g.Send(ctx, Rendered{subscription, notification})
	if errors.Is(err, ErrGone) {
		//mutant:replace _, err = s.delete(ctx, r.CustomerID, r.ID) => err = nil TestGoneSubscriptionIsDeleted
		_, err = s.delete(ctx, r.CustomerID, r.ID)
	}
	return err
}
