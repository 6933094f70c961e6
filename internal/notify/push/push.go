// Package push is the port to the push services of browsers: a word to a
// holder's own devices, as a promise that is kept after the commit of the act
// that made it due.
//
// It promises that a word goes only to browsers whose holder allowed it since
// the last change of the password and has not left since, by a logout there or
// by ending that session from elsewhere; once an event and browser; that an address
// which is gone is forgotten; that an address is taken and called only if it
// is one of a known push service; and that one which is slow holds up nobody
// else's words. It never carries a code, and never logs an address.
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

// Queue is the outbox queue of notices.
const Queue = "push"

const (
	// devices is how many browsers of one holder are kept; the oldest makes room.
	devices = 10
	// fresh is how long a notice is worth reading.
	fresh = 24 * time.Hour
	// waiting is how many words may wait for one browser; what comes then is
	// told by SMS alone.
	waiting = 5
	// A browser that is slow is one of many: it is called for so long, so often,
	// and for one word at a time.
	deadline = 5 * time.Second
	tries    = 5
	width    = 16
	busy     = 3 * time.Second // until it is looked after again
)

// allowing is how often a holder may switch notices on: each time the server
// will call an address that a browser named.
//
//mutant:replace Limit: 20, => Limit: 200, TestAllowingIsCounted
var allowing = ratelimit.Rule{Name: "notices by wallet", Limit: 20, Window: time.Hour}

// Holder is whose browsers are meant.
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
	// Key names it over logins, Name tells it to people.
	Key, Name string
	// Signed tells, in the transaction that keeps the address, whether the
	// holder still is signed in there.
	Signed func(tx *database.Tx) (bool, error)
}

// Device is a browser that gets notices.
type Device struct {
	ID   int64
	Name string
	Made time.Time
}

// Message is what is to be said.
type Message struct {
	// Title and Text are the keys of the words.
	Title, Text string
	// Args are printed by their String method where they have one.
	Args map[string]any
	// Href is the page of this site that tells more.
	Href string
}

// Rendered is a notice as the wire gets it.
type Rendered struct {
	Subscription Subscription
	Notice       Notice
}

// Notice is what the service worker is handed, as JSON.
type Notice struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Lang  string `json:"lang"`
	// Tag names the event: a notice shown twice stays one.
	Tag  string `json:"tag"`
	Href string `json:"href"`
}

// ErrGone is what a wire answers for an address that is no more.
var ErrGone = errors.New("push: the address is gone")

// Gateway is the wire that brings a notice to a push service. ErrGone ends the
// address, a fault.Invalid error the notice; after any other it is sent again.
type Gateway interface {
	Send(ctx context.Context, r Rendered) error
}

// Options of the notices.
type Options struct {
	// Key is the server's public key, which browsers know; see Notices.Key.
	Key string
	// Hosts are push services besides the known ones: names in small letters,
	// with "*." before them for any below.
	Hosts    []string
	Attempts *ratelimit.Counters
}

// Subscriptions is who is told, and how.
type Subscriptions struct {
	db       *database.DB
	key      string
	hosts    []string
	attempts *ratelimit.Counters
	calling  sync.Map // addresses that this process is calling
	reading  *database.Coalescer[Holder, []row]
}

// New makes the notices of a server.
func New(db *database.DB, o Options) *Subscriptions {
	n := &Subscriptions{db: db, key: o.Key, hosts: slices.Concat(services, o.Hosts), attempts: o.Attempts}
	n.reading = database.NewCoalescer(n.readAll)
	return n
}

// Key is the server's public key (P-256, not compressed, base64url), which a
// browser binds its address to.
func (n *Subscriptions) Key() string { return n.key }

func (n *Subscriptions) keyHash() string { return hashed(n.key)[:16] }

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Subscribe keeps a browser's address for a holder; it takes the browser from
// whoever had it before. fault.Invalid for what is no address of a push
// service, fault.TooMany for too many, fault.Forbidden when the session ended.
func (n *Subscriptions) Subscribe(ctx context.Context, b Browser, a Subscription) error {
	const act = "push.allow"
	if err := a.check(n.hosts); err != nil {
		return fault.New(fault.Invalid, act, "push.refused").Because(err)
	}
	if err := n.attempts.Take(ctx, allowing, strconv.FormatInt(b.Holder.ID, 10)); err != nil {
		return fault.Wrap(act, err)
	}
	return fault.Wrap(act, n.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if signed, err := b.Signed(tx); err != nil {
			return err
			//mutant:drop TestASessionThatEndedAllowsNothing
		} else if !signed {
			return fault.New(fault.Forbidden, act, "session.stale")
		}
		return insert(tx, row{
			ID: tx.NewID(), CustomerID: b.Holder.ID, Epoch: b.Holder.Epoch, KeyHash: n.keyHash(), EndpointHash: hashed(a.Endpoint),
			Endpoint: a.Endpoint, P256dh: a.P256DH, Auth: a.Auth, Browser: b.Key, Device: b.Name, MadeAt: tx.Now(),
		})
	}))
}

// RemoveBrowser forgets the address of a browser that everybody but one holder, where
// there is one, has left.
func RemoveBrowser(tx *database.Tx, browser string, stays int64) error {
	return forget(tx, browser, stays)
}

// RemoveForCustomer forgets the address of a holder in a browser or, for others, in all
// but that one.
func RemoveForCustomer(tx *database.Tx, holder int64, browser string, others bool) error {
	return forgetOf(tx, holder, browser, others)
}

// List gives the holder's browsers, the newest first.
func (n *Subscriptions) List(ctx context.Context, h Holder) ([]Device, error) {
	rows, err := n.reading.Do(ctx, h)
	list := make([]Device, len(rows))
	for i, r := range rows {
		list[i] = Device{ID: r.ID, Name: r.Device, Made: r.MadeAt.UTC()}
	}
	return list, fault.Wrap("push.list", err)
}

// Unsubscribe forgets one of a holder's browsers; fault.NotFound for another's.
func (n *Subscriptions) Unsubscribe(ctx context.Context, customerID, id int64) error {
	ended, err := n.delete(ctx, customerID, id)
	if err == nil && !ended {
		return fault.New(fault.NotFound, "push.end", "")
	}
	return fault.Wrap("push.end", err)
}

// OutboxMessages makes the promises of a word, one for each browser of the holder for
// which not too many are waiting. The event names it: one word an event.
func (n *Subscriptions) OutboxMessages(ctx context.Context, h Holder, event string, w Message) ([]outbox.Message, error) {
	rows, err := n.reading.Do(ctx, h)
	if err != nil {
		return nil, fault.Wrap("push.about", err)
	}
	promises := make([]outbox.Message, 0, len(rows))
	for _, r := range rows {
		if open, err := outbox.CountOpen(ctx, n.db, Queue, keyOf(r.ID, "")); err != nil {
			return nil, fault.Wrap("push.about", err)
			//mutant:replace waiting => 2*waiting TestWordsThatWaitAreBounded
		} else if open >= waiting {
			continue
		}
		p := payload{Subscription: r.ID, Lang: h.Lang, Title: w.Title, Text: w.Text, Args: map[string]string{}, Tag: event, Href: w.Href, Until: n.db.Now().Add(fresh)}
		for name, value := range w.Args {
			p.Args[name] = fmt.Sprint(value)
		}
		promises = append(promises, outbox.Message{Queue: Queue, Key: keyOf(r.ID, event), Payload: p})
	}
	return promises, nil
}

// keyOf names the promise of an event for an address, which it begins with.
func keyOf(address int64, event string) string { return strconv.FormatInt(address, 10) + ":" + event }

// payload is a promise's row, as JSON.
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

func (p payload) notice() (Notice, error) {
	n := Notice{Lang: p.Lang, Tag: p.Tag, Href: p.Href}
	var err error
	if n.Title, err = i18n.Render(p.Lang, p.Title, p.Args); err == nil {
		n.Text, err = i18n.Render(p.Lang, p.Text, p.Args)
	}
	return n, err
}

// Worker returns the worker that sends notices.
func (n *Subscriptions) Worker(g Gateway) outbox.Worker {
	//mutant:replace deadline => 4 * deadline TestSlowServiceStopsNobody
	//mutant:replace tries => 2 * tries TestFiveTries
	return outbox.NewSender(n.db, outbox.SenderOptions{
		Queue: Queue, Concurrency: width, Timeout: deadline, MaxAttempts: tries,
		Send: func(ctx context.Context, task outbox.LeasedMessage) error { return n.send(ctx, g, task) },
	})
}

func (n *Subscriptions) send(ctx context.Context, g Gateway, task outbox.LeasedMessage) error {
	const act = "push.send"
	var p payload
	if err := task.Read(&p); err != nil {
		return fault.New(fault.Invalid, act, "").Because(err)
	}
	r, valid, err := n.read(ctx, p.Subscription)
	if err != nil {
		return fault.Wrap(act, err)
	}
	if !valid || n.db.Now().After(p.Until) {
		return nil
	}
	notice, err := p.notice()
	if err != nil {
		return fault.New(fault.Invalid, act, "").Because(err)
	}
	subscription := Subscription{r.Endpoint, r.P256dh, r.Auth}
	//mutant:drop TestServiceWithdrawn
	if err := subscription.check(n.hosts); err != nil { // the operator has withdrawn the service
		return fault.New(fault.Invalid, act, "").Because(err)
	}
	//mutant:drop TestSlowServiceStopsNobody
	if _, called := n.calling.LoadOrStore(r.ID, nil); called {
		return fault.New(fault.Unavailable, act, "").After(busy)
	}
	defer n.calling.Delete(r.ID)
	err = g.Send(ctx, Rendered{subscription, notice})
	if errors.Is(err, ErrGone) {
		//mutant:replace _, err = n.delete(ctx, r.CustomerID, r.ID) => err = nil TestGoneAddressIsDropped
		_, err = n.delete(ctx, r.CustomerID, r.ID)
	}
	return err
}
