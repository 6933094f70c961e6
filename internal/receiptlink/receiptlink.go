// Package receiptlink has the links by which customers share receipts with people who have
// no wallet.
//
// It guarantees that a link can't be guessed and that the database doesn't have its secret
// part (a keyed hash of the link's row), that a link ends after 30 days, at once when it is
// revoked or the wallet is closed, that a receipt has one link and a wallet 50 at most. What
// a link shows is not decided here.
package receiptlink

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
	"elsom/internal/ratelimit"
)

const (
	// Lifetime is how long a link can be used.
	Lifetime = 30 * 24 * time.Hour
	// maxLinks is the number of links that a wallet may have at once.
	maxLinks = 50
	// secretSize is the size of a link's secret part in bytes: 128 bits.
	secretSize = 16
	// maxViews ends the counting of views.
	maxViews = 1_000_000
)

// makeRule limits how often a wallet makes links; those that were revoked leave no row.
var makeRule = ratelimit.Rule{Name: "receipt links by wallet", Limit: 60, Window: 24 * time.Hour}

// Link is a link to a receipt.
type Link struct {
	ID, CustomerID, PaymentID int64
	MadeAt, ExpiresAt         time.Time
	// Views is the number of times that others have opened it.
	Views int64
}

// Links makes and finds links.
type Links struct {
	db       *database.DB
	keys     keyedhash.Keys
	counters *ratelimit.Counters
}

// Options configure Links.
type Options struct {
	// Secret is the server's. Links that were made with PreviousSecret stay valid.
	Secret, PreviousSecret []byte
	Counters               *ratelimit.Counters
}

// New returns the links of a database.
func New(db *database.DB, o Options) (*Links, error) {
	keys, err := keyedhash.DeriveAll("elsom receipt link", o.Secret, o.PreviousSecret)
	if err != nil {
		return nil, fmt.Errorf("receiptlink: %w", err)
	}
	return &Links{db, keys, o.Counters}, nil
}

// Make makes the link of a customer's payment unless there is one. Faults: Limit if the
// wallet has too many, TooMany.
func (ls *Links) Make(ctx context.Context, customerID, paymentID int64) error {
	const op = "receiptlink.make"
	if found, err := ls.Of(ctx, customerID, paymentID); err != nil || found != nil {
		return err
	}
	if err := ls.counters.Take(ctx, makeRule, strconv.FormatInt(customerID, 10)); err != nil {
		return fault.Wrap(op, err)
	}
	return fault.Wrap(op, ls.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		now := tx.Now()
		if err := deleteExpired(tx, customerID, now); err != nil {
			return err
		}
		n, err := count(tx, customerID)
		if err != nil {
			return err
		}
		//mutant:drop TestLinksOfAWalletAreBounded
		if n >= maxLinks {
			return fault.New(fault.Limit, op, "receiptlink.too_many").With("Most", maxLinks)
		}
		return insert(tx, Link{ID: tx.NewID(), CustomerID: customerID, PaymentID: paymentID, MadeAt: now, ExpiresAt: now.Add(Lifetime)})
	}))
}

// Of returns the valid link of a customer's payment; nil if there is none.
func (ls *Links) Of(ctx context.Context, customerID, paymentID int64) (*Link, error) {
	l, err := ls.find(ctx, customerID, paymentID)
	return l, fault.Wrap("receiptlink.of", err)
}

// Revoke ends the link of a customer's payment at once. It succeeds if there is none.
func (ls *Links) Revoke(ctx context.Context, customerID, paymentID int64) error {
	return fault.Wrap("receiptlink.revoke", ls.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return remove(tx, customerID, paymentID)
	}))
}

// Token returns the part of a link's address that only its holders know.
func (ls *Links) Token(l Link) string { return token(ls.keys.Current(), l) }

// token is the link's id and a keyed hash of its row: a row that was changed makes another.
func token(key keyedhash.Key, l Link) string {
	id := binary.BigEndian.AppendUint64(nil, uint64(l.ID))
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	secret := key.SumMAC(text(l.ID), text(l.CustomerID), text(l.PaymentID), text(l.ExpiresAt.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(id, secret[:secretSize]...))
}

// Find returns the link of a token; fault.NotFound for every other text, whatever the
// reason.
func (ls *Links) Find(ctx context.Context, text string) (Link, error) {
	const op = "receiptlink.find"
	notFound := fault.New(fault.NotFound, op, "")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 8+secretSize {
		return Link{}, notFound
	}
	l, err := ls.read(ctx, int64(binary.BigEndian.Uint64(raw)))
	if err != nil {
		return Link{}, fault.Wrap(op, err)
	}
	//mutant:replace !ls.keys.Any( => false && !ls.keys.Any( TestGuessedLinksAreNotFound
	if l == nil || !ls.keys.Any(func(k keyedhash.Key) bool { return hmac.Equal([]byte(token(k, *l)), []byte(text)) }) {
		return Link{}, notFound
	}
	return *l, nil
}

// CountView counts that a link was opened.
func (ls *Links) CountView(ctx context.Context, l Link) error {
	return fault.Wrap("receiptlink.view", ls.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return countView(tx, l.ID)
	}))
}

// Purge deletes links that have expired and returns their number. They were made a
// lifetime ago, so that they are in a range of the primary key.
func (ls *Links) Purge(ctx context.Context) (int64, error) {
	n, err := ls.purge(ctx, ls.db.Now())
	return n, fault.Wrap("receiptlink.purge", err)
}
