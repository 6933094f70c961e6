// Package payment pays a biller from a wallet: quote, accept, deliver, settle or
// refund.
//
// A payment is accepted once and ends once; in between, its funds are in transit.
// If a biller does not answer, the call is repeated with the same txn_id; a payment
// that the rules can't decide waits for staff. The package never calls a biller
// inside a transaction and never uses a second txn_id for a payment.
package payment

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"elsom/internal/biller"
	"elsom/internal/billerslot"
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
	"elsom/internal/ratelimit"
	"elsom/internal/recent"
)

// State is the state of a payment.
type State string

// A payment is processing from its acceptance until it is completed or refunded,
// which is final.
const (
	Processing State = "processing"
	Completed  State = "completed"
	Refunded   State = "refunded"
)

// Draft is a payment as the payer was shown it before accepting. It never changes.
type Draft struct {
	draft.Terms
	CustomerID int64
	Service    string
	Biller     string
	Identifier string
	Payee      string // the name that the biller's check returned; may be empty
	Amount     money.Amount
	Fee        money.Amount
	TxnID      string
}

// Total returns what is debited to the wallet.
func (d Draft) Total() money.Amount { return d.Amount + d.Fee }

// Payment is an accepted payment. Its ID is its draft's.
type Payment struct {
	ID          int64
	CustomerID  int64
	Service     string
	Biller      string
	Identifier  string
	Payee       string
	Amount      money.Amount
	Fee         money.Amount
	TxnID       string
	Code        string // the payment code: 12 digits, the last a Luhn digit
	Channel     customer.Channel
	State       State
	AcceptedAt  time.Time
	EndedAt     time.Time // zero while processing
	Result      int       // the biller's result that ended it: biller.ResultDone etc.
	Reference   string    // the biller's own number of the payment
	ReviewSince time.Time // when it was marked for a decision by staff; zero: it was not

	mac, keyID string // as stored; see Record
	// Of a payment that readWithBooks read.
	accepted     *acceptance // its first transfer; nil: the books have none
	endedInBooks bool        // the books have its second transfer
}

// Total returns what was debited to the wallet.
func (p Payment) Total() money.Amount { return p.Amount + p.Fee }

// postedAt returns when the first transfer was posted, with which the payment counts as
// spent. accepted_at is set within the same batch, and may be on the next day.
func (p Payment) postedAt() time.Time {
	if p.accepted == nil {
		return p.AcceptedAt
	}
	return p.accepted.postedAt
}

// AcceptKey returns the request key of the first transfer, from the wallet into
// transit.
func AcceptKey(id int64) string { return key(id, "accept") }

// PINKey returns the key of a draft for customer.CheckPIN.
func PINKey(draft int64) string { return "payment:" + strconv.FormatInt(draft, 10) }

// EndKey returns the request key of the second transfer. Settlement and refund
// share it, so that only one of them can happen.
func EndKey(id int64) string { return key(id, "end") }

// subject returns a payment as the subject of its transfers.
func subject(id int64) ledger.Subject { return ledger.Subject{Type: ledger.Payment, ID: id} }

func key(id int64, suffix string) string {
	return "payment:" + strconv.FormatInt(id, 10) + ":" + suffix
}

// Timing of quotes and deliveries.
type Timing struct {
	// Check limits the biller's check before the check page.
	Check time.Duration
	// Draft is how long a draft can be accepted.
	Draft time.Duration
	// Pauses are the pauses between calls; the last one repeats.
	Pauses []time.Duration
	// Unresolved is the age from which an open payment is listed for staff.
	Unresolved time.Duration
	// AcquireAhead is how long acquired deliveries may wait for their calls,
	// estimated from the duration of the biller's last calls; zero: a delivery is
	// acquired when a slot is free for it.
	AcquireAhead time.Duration
}

// DefaultTiming follows the OSMP habit of repeating for 24 hours with growing
// pauses; the first repeat comes within two seconds.
func DefaultTiming() Timing {
	return Timing{
		Check: 3 * time.Second,
		Draft: time.Hour,
		Pauses: []time.Duration{
			time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second,
			30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
		},
		Unresolved:   24 * time.Hour,
		AcquireAhead: 200 * time.Millisecond,
	}
}

// Parts are the dependencies of Payments.
type Parts struct {
	DB       *database.DB
	Ledger   *ledger.Ledger
	Notifier *outbox.Notifier
	Catalog  *catalog.Catalog
	// Customers checks PINs and codes; nil: payments are only read and decided.
	Customers *customer.Customers
	Counters  *ratelimit.Counters
	// Client returns the client of a biller.
	Client func(catalog.Biller) biller.Biller
	Timing Timing
	// Notices are the ways besides SMS by which customers are told.
	Notices notice.Sender
}

// Payments quotes, accepts and delivers payments.
type Payments struct {
	db        *database.DB
	ledger    *ledger.Ledger
	notifier  *outbox.Notifier
	catalog   *catalog.Catalog
	customers *customer.Customers
	counters  *ratelimit.Counters
	client    func(catalog.Biller) biller.Biller
	timing    Timing
	notices   notice.Sender

	limits limit.Limits
	slots  *billerslot.Slots
	watch  *endWatch

	confirming draft.Confirming
	drafts     *recent.Map[int64, Draft] // made or verified here, and not accepted since

	recording *database.Coalescer[attemptResult, error]
	holders   *database.Coalescer[int64, *customer.Customer]
	reading   *database.Coalescer[int64, *Payment]
	several   *database.Coalescer[[]int64, []Payment]
	newest    *database.Coalescer[int64, []Payment]
	accepting *database.Coalescer[int64, *accepting]
}

// New returns payments made of parts.
func New(parts Parts) *Payments {
	if parts.Timing.Check == 0 {
		parts.Timing = DefaultTiming()
	}
	ps := &Payments{
		db: parts.DB, ledger: parts.Ledger, notifier: parts.Notifier, catalog: parts.Catalog, customers: parts.Customers,
		counters: parts.Counters, client: parts.Client, timing: parts.Timing, notices: parts.Notices,
		limits: limit.New(parts.DB, parts.Ledger, parts.Catalog), slots: billerslot.New(parts.DB), watch: newEndWatch(),
		drafts: recent.New[int64, Draft](draft.Remembered),
	}
	ps.recording = database.NewCoalescer(database.RetrySingly(ps.recordAttempts))
	ps.holders = database.NewCoalescer(ps.readHolders)
	ps.reading = database.NewCoalescer(ps.readByIDs)
	ps.several = database.NewCoalescer(ps.readSeveral)
	ps.newest = database.NewCoalescer(ps.readNewest)
	ps.accepting = database.NewCoalescer(ps.readAccepting)
	return ps
}

// ByID returns a customer's payment; fault.NotFound for another customer's, and
// fault.Unknown while a failover could lose the row.
func (ps *Payments) ByID(ctx context.Context, customerID, id int64) (Payment, error) {
	p, err := ps.reading.Do(ctx, id)
	if err != nil {
		return Payment{}, fault.Wrap("payment.read", err)
	}
	if p == nil {
		return Payment{}, fault.New(fault.NotFound, "payment.read", "")
	}
	//mutant:drop TestAcceptRejectsOthers
	//mutant:drop ./web TestOtherCustomersDataIsNotFound
	if p.CustomerID != customerID { // as if it did not exist
		return Payment{}, fault.New(fault.NotFound, "payment.read", "")
	}
	//mutant:drop TestPaymentIsUnknownWithoutTheStandby
	if err := ps.db.WaitDurable(ctx, confirmKey(p.ID, p.State)); err != nil {
		return Payment{}, err
	}
	return *p, nil
}

// confirmKey returns the key of a payment's state for WaitDurable and MarkDurable.
func confirmKey(id int64, state State) string { return key(id, string(state)) }

// Await waits up to timeout for the end of a payment, and then returns it like ByID.
func (ps *Payments) Await(ctx context.Context, customerID, id int64, timeout time.Duration) (Payment, error) {
	ended := ps.watch.subscribe(id)
	defer ps.watch.unsubscribe(id)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		p, err := ps.ByID(context.WithoutCancel(ctx), customerID, id)
		if err != nil || p.State != Processing || ctx.Err() != nil {
			return p, err
		}
		// Polls too, because another process may end the payment.
		timer := time.NewTimer(250 * time.Millisecond)
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// Newest returns a customer's newest payments, up to 20. Concurrent calls share a statement.
func (ps *Payments) Newest(ctx context.Context, customerID int64) ([]Payment, error) {
	if ps.db.Dialect() == database.SQLite { // has no LATERAL, and no round trips to save
		list, err := readNewestOf(ctx, ps.db, customerID)
		return list, fault.Wrap("payment.newest", err)
	}
	list, err := ps.newest.Do(ctx, customerID)
	return list, fault.Wrap("payment.newest", err)
}

// Repeatable returns up to n of a customer's newest payments, one for each service and
// identifier, the newest that was not refunded. It omits an identifier with a payment in
// processing, because the receipt of that payment asks the customer not to pay again.
func Repeatable(newest []Payment, n int) (list []Payment) {
	type account struct{ service, identifier string }
	omitted := map[account]bool{}
	for _, p := range newest {
		//mutant:drop ./web TestOnlyCompletedPaymentsAreOfferedAgain
		if p.State == Processing {
			omitted[account{p.Service, p.Identifier}] = true
		}
	}
	for _, p := range newest {
		of := account{p.Service, p.Identifier}
		if p.State == Refunded || omitted[of] || len(list) == n {
			continue
		}
		omitted[of] = true
		list = append(list, p)
	}
	return list
}

// AcceptedSince reports whether a payment of a customer for a service was
// accepted at or after the given time, on any channel.
func (ps *Payments) AcceptedSince(ctx context.Context, customerID int64, service string, at time.Time) (bool, error) {
	accepted, err := readAcceptedSince(ctx, ps.db, customerID, service, at)
	return accepted, fault.Wrap("payment.accepted_since", err)
}

// ByIDs returns those of the payments that belong to the customer, by id.
func (ps *Payments) ByIDs(ctx context.Context, customerID int64, ids []int64) (map[int64]Payment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := ps.several.Do(ctx, ids)
	if err != nil {
		return nil, fault.Wrap("payment.several", err)
	}
	found := make(map[int64]Payment, len(list))
	for _, p := range list {
		//mutant:replace p.CustomerID == customerID => true TestByIDsOmitsOthers
		if p.CustomerID == customerID {
			found[p.ID] = p
		}
	}
	return found, nil
}

// Purge deletes expired drafts and returns their number.
func (ps *Payments) Purge(ctx context.Context) (int64, error) {
	n, err := draft.Purge(ctx, ps.db, draftTable)
	return n, fault.Wrap("payment.purge", err)
}

func logOf(p Payment) *slog.Logger {
	return slog.With("payment", p.ID, "biller", p.Biller, "txn_id", p.TxnID)
}
