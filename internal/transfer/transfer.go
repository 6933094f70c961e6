// Package transfer sends money from one wallet to another: quote, then accept.
//
// A draft is accepted at most once, exactly as it was shown, within the limits of
// both wallets. The package never reveals the receiver's balance to the sender.
package transfer

import (
	"context"
	"strconv"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/draft"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/limit"
	"elsom/internal/money"
	"elsom/internal/notice"
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/recent"
)

// Order is what a sender typed.
type Order struct {
	Phone   string // the receiver's number, as typed
	Amount  string // in som, as typed
	Channel customer.Channel
	// Address is the client's address, for rate limits; empty where the channel has
	// none.
	Address string
}

// Draft is a transfer as the sender was shown it. It never changes.
type Draft struct {
	draft.Terms
	SenderID   int64
	ReceiverID int64
	Phone      phone.Number // the receiver's
	Receiver   string       // the receiver's name, masked; may be empty
	Amount     money.Amount
	Fee        money.Amount // 0: no tariff is known for transfers
}

// Total returns what is debited to the sender's wallet.
func (d Draft) Total() money.Amount { return d.Amount + d.Fee }

// Transfer is an accepted transfer. Its ID is its draft's. Sender and Receiver are
// the masked names at that time; they may be empty.
type Transfer struct {
	ID            int64
	SenderID      int64
	ReceiverID    int64
	SenderPhone   phone.Number
	ReceiverPhone phone.Number
	Sender        string
	Receiver      string
	Amount        money.Amount
	Channel       customer.Channel
	AcceptedAt    time.Time
}

// Key returns the request key of a transfer in the ledger. It also names the draft
// for customer.CheckPIN.
func Key(id int64) string { return "transfer:" + strconv.FormatInt(id, 10) }

// Parts are the dependencies of Transfers.
type Parts struct {
	DB        *database.DB
	Ledger    *ledger.Ledger
	Notifier  *outbox.Notifier
	Catalog   *catalog.Catalog
	Customers *customer.Customers
	Counters  *ratelimit.Counters
	// Notices are the ways besides SMS by which customers are told.
	Notices notice.Sender
	// DraftLife is how long a draft can be accepted; zero: an hour.
	DraftLife time.Duration
}

// Transfers quotes and accepts transfers.
type Transfers struct {
	db        *database.DB
	ledger    *ledger.Ledger
	notifier  *outbox.Notifier
	notices   notice.Sender
	catalog   *catalog.Catalog
	customers *customer.Customers
	counters  *ratelimit.Counters
	life      time.Duration
	limits    limit.Limits

	confirming draft.Confirming
	drafts     *recent.Map[int64, Draft] // made or verified here, and not accepted since
}

// New returns transfers made of parts.
func New(parts Parts) *Transfers {
	if parts.DraftLife == 0 {
		parts.DraftLife = time.Hour
	}
	return &Transfers{
		db: parts.DB, ledger: parts.Ledger, notifier: parts.Notifier, notices: parts.Notices, catalog: parts.Catalog, customers: parts.Customers,
		counters: parts.Counters, life: parts.DraftLife, limits: limit.New(parts.DB, parts.Ledger, parts.Catalog),
		drafts: recent.New[int64, Draft](draft.Remembered),
	}
}

// Left returns a customer's limits, which payments and transfers share, and what
// remains of them.
func (ts *Transfers) Left(ctx context.Context, c customer.Customer) (limit.Remaining, error) {
	return ts.limits.Remaining(ctx, c)
}

// ByID returns a transfer that the customer sent or received; fault.NotFound for
// others, and fault.Unknown while a failover could lose it.
func (ts *Transfers) ByID(ctx context.Context, customerID, id int64) (Transfer, error) {
	found, err := ts.ByIDs(ctx, customerID, []int64{id})
	if err != nil {
		return Transfer{}, err
	}
	t, known := found[id]
	if !known {
		return Transfer{}, fault.New(fault.NotFound, "transfer.read", "")
	}
	//mutant:replace ts.db.WaitDurable(ctx, Key(id)) => nil TestTransferIsUnknownWithoutTheStandby
	return t, ts.db.WaitDurable(ctx, Key(id))
}

// SentSince reports whether a customer has sent a transfer at that time or later,
// over any channel.
func (ts *Transfers) SentSince(ctx context.Context, customerID int64, at time.Time) (bool, error) {
	sent, err := readSentSince(ctx, ts.db, customerID, at)
	return sent, fault.Wrap("transfer.sent_since", err)
}

// ByIDs returns the transfers that a customer sent or received, by id.
func (ts *Transfers) ByIDs(ctx context.Context, customerID int64, ids []int64) (map[int64]Transfer, error) {
	found, err := readTransfers(ctx, ts.db, customerID, ids)
	return found, fault.Wrap("transfer.read", err)
}

// Draft returns a sender's draft that was made on a channel; fault.NotFound for
// others.
func (ts *Transfers) Draft(ctx context.Context, customerID int64, channel customer.Channel, id int64) (Draft, error) {
	draft, err := readDraft(ctx, ts.db, id)
	if err != nil {
		//mutant:drop TestForgedDraftIsRefused
		ts.drafts.Delete(id)
		return Draft{}, fault.Wrap("transfer.draft", err)
	}
	//mutant:drop ./web TestDraftsOfOtherChannelsAreNotFound
	//mutant:drop ./web TestTransferIsPrivate
	if err := draft.CheckShown("transfer.draft", draft.SenderID, customerID, channel); err != nil {
		return Draft{}, err
	}
	ts.drafts.Put(id, draft)
	return draft, nil
}

// Expired reports whether a draft is too old to be accepted.
func (ts *Transfers) Expired(d Draft) bool { return d.Terms.Expired(ts.db.Now()) }

// Purge deletes expired drafts and returns their number.
func (ts *Transfers) Purge(ctx context.Context) (int64, error) {
	n, err := draft.Purge(ctx, ts.db, draftTable)
	return n, fault.Wrap("transfer.purge", err)
}
