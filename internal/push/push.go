// Package push is the port to the push services of browsers: a word to a
// holder's own devices, as a promise that is kept after the commit of the act
// that made it due.
//
// It promises that a word goes only to browsers whose holder allowed it since
// the last change of the password, once an event and browser; that an address
// which is gone is forgotten; and that an address is taken only if it may be
// one of a push service. It never carries a code, and never logs an address.
package push

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/courier"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/outbox"
)

// Lane is the outbox lane of notices.
const Lane = "push"

const (
	// devices is how many browsers of one holder are kept; the oldest makes room.
	devices = 10
	// fresh is how long a notice is worth reading.
	fresh = 24 * time.Hour
)

// Holder is whose browsers are meant.
type Holder struct {
	ID int64
	// Epoch is the customer's session epoch.
	Epoch int64
	// Lang is the holder's language: ky, ru or en.
	Lang string
}

// Device is a browser that gets notices.
type Device struct {
	ID   int64
	Name string
	Made time.Time
}

// Word is what is to be said.
type Word struct {
	// Title and Text are the keys of the words.
	Title, Text string
	// Args are printed by their String method where they have one.
	Args map[string]any
	// Href is the page of this site that tells more.
	Href string
}

// Rendered is a notice as the wire gets it.
type Rendered struct {
	Address Address
	Notice  Notice
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

// Notices is who is told, and how.
type Notices struct {
	db  *database.DB
	key string
}

// New makes the notices of a server whose public key browsers know; see Key.
func New(db *database.DB, key string) *Notices { return &Notices{db, key} }

// Key is the server's public key (P-256, not compressed, base64url), which a
// browser binds its address to.
func (n *Notices) Key() string { return n.key }

func (n *Notices) keyHash() string { return hashed(n.key)[:16] }

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Allow keeps a browser's address for a holder; it takes the browser from
// whoever had it before. fault.Invalid for what can't be an address.
func (n *Notices) Allow(ctx context.Context, h Holder, a Address, device string) error {
	const act = "push.allow"
	if err := a.check(); err != nil {
		return fault.New(fault.Invalid, act, "push.refused").Because(err)
	}
	return fault.Wrap(act, n.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return insert(tx, row{
			ID: tx.NewID(), CustomerID: h.ID, Epoch: h.Epoch, KeyHash: n.keyHash(), EndpointHash: hashed(a.Endpoint),
			Endpoint: a.Endpoint, P256dh: a.P256DH, Auth: a.Auth, Device: device, MadeAt: tx.Now(),
		})
	}))
}

// List gives the holder's browsers, the newest first.
func (n *Notices) List(ctx context.Context, h Holder) ([]Device, error) {
	rows, err := n.read(ctx, h)
	list := make([]Device, len(rows))
	for i, r := range rows {
		list[i] = Device{ID: r.ID, Name: r.Device, Made: r.MadeAt.UTC()}
	}
	return list, fault.Wrap("push.list", err)
}

// End forgets one of a holder's browsers; fault.NotFound for another's.
func (n *Notices) End(ctx context.Context, customerID, id int64) error {
	ended, err := n.delete(ctx, customerID, id)
	if err == nil && !ended {
		return fault.New(fault.NotFound, "push.end", "")
	}
	return fault.Wrap("push.end", err)
}

// About makes the promises of a word, one for each browser of the holder. The
// event names it: one word an event.
func (n *Notices) About(ctx context.Context, h Holder, event string, w Word) ([]outbox.Promise, error) {
	rows, err := n.read(ctx, h)
	if err != nil {
		return nil, fault.Wrap("push.about", err)
	}
	promises := make([]outbox.Promise, len(rows))
	for i, r := range rows {
		p := payload{Address: r.ID, Lang: h.Lang, Title: w.Title, Text: w.Text, Args: map[string]string{}, Tag: event, Href: w.Href, Until: n.db.Now().Add(fresh)}
		for name, value := range w.Args {
			p.Args[name] = fmt.Sprint(value)
		}
		promises[i] = outbox.Promise{Lane: Lane, Key: event + ":" + strconv.FormatInt(r.ID, 10), Payload: p}
	}
	return promises, nil
}

// payload is a promise's row, as JSON.
type payload struct {
	Address int64             `json:"address"`
	Lang    string            `json:"lang"`
	Title   string            `json:"title"`
	Text    string            `json:"text"`
	Args    map[string]string `json:"args,omitempty"`
	Tag     string            `json:"tag"`
	Href    string            `json:"href"`
	Until   time.Time         `json:"until"`
}

func (p payload) notice() Notice {
	args := make(i18n.Args, len(p.Args))
	for name, value := range p.Args {
		args[name] = value
	}
	speaker, _ := i18n.Parse(p.Lang)
	return Notice{Title: speaker.T(p.Title, args), Text: speaker.T(p.Text, args), Lang: p.Lang, Tag: p.Tag, Href: p.Href}
}

// Worker keeps the promises of the lane.
func (n *Notices) Worker(g Gateway) outbox.Worker {
	return courier.Worker(n.db, courier.Lane{Name: Lane, Send: func(ctx context.Context, task outbox.Task) error {
		return n.send(ctx, g, task)
	}})
}

func (n *Notices) send(ctx context.Context, g Gateway, task outbox.Task) error {
	const act = "push.send"
	var p payload
	if err := task.Read(&p); err != nil {
		return fault.New(fault.Invalid, act, "").Because(err)
	}
	r, err := n.byID(ctx, p.Address)
	if err != nil {
		return fault.Wrap(act, err)
	}
	if r == nil || n.db.Now().After(p.Until) { // nobody to tell any more, or too late
		return nil
	}
	err = g.Send(ctx, Rendered{Address{r.Endpoint, r.P256dh, r.Auth}, p.notice()})
	if errors.Is(err, ErrGone) {
		_, err = n.delete(ctx, r.CustomerID, r.ID)
	}
	return err
}
