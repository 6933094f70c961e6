// Package ledger keeps the books: accounts, and transfers between them that
// each sum to zero.
//
// It promises, under these names:
//   - books balance: every transfer, and so the whole, sums to zero;
//   - no debt: an account with a floor never goes below it;
//   - once only: one transfer for a request key, whoever asks however often;
//   - nothing erased: transfers and entries are written once;
//   - balance is its entries: an account's balance is their sum.
//
// It is the only writer of money, has one way to write (Post), and knows
// nobody's tables: rows of others that must commit with a transfer come along
// as riders.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// AccountType is what an account stands for in the chart of accounts. A credit is
// positive: what we owe is a positive balance, what is owed to us a negative one.
type AccountType string

// The chart of accounts.
const (
	Wallet  AccountType = "wallet"  // a customer's money; the account's id is the customer's
	Till    AccountType = "till"    // what a cash-in agent owes us; its floor is minus the ceiling
	Transit AccountType = "transit" // accepted payments of a biller, not yet ended; amount and fee
	Payable AccountType = "payable" // what we owe a biller for completed payments
	Fees    AccountType = "fees"    // earned fees
	Bank    AccountType = "bank"    // the settlement account
	Claims  AccountType = "claims"  // payments that a biller took and we had given back
	Losses  AccountType = "losses"  // what nobody will return
)

// Account is a new account of the books.
type Account struct {
	ID      int64 // 0: a fresh id is drawn
	Type    AccountType
	Subject string        // whose: unique within the kind
	Floor   *money.Amount // the lowest balance allowed; nil: none
}

// Entry moves an amount into an account (positive) or out of it (negative).
type Entry struct {
	Account int64
	Amount  money.Amount
	// Most, where above zero, refuses the transfer if it would leave the
	// account above it. Only for accounts with a floor.
	Ceiling money.Amount
}

// Posting asks for one transfer.
type Posting struct {
	// Key names the request for ever: the same key and the same content give
	// the first answer again; other content under it is a conflict.
	Key string
	// Hash adds to the content what the entries don't say; may be empty.
	Hash string
	// Act says why, by the name of the act: "payment.accept".
	Op string
	// Entries sum to zero; none is zero or moves more than money.Max.
	Entries []Entry
	// Corrects names the transfer that this one corrects; 0: none.
	Corrects int64
	// Riders commit with the transfer or not at all.
	Riders []database.Rider
}

// Receipt proves a transfer.
type Receipt struct {
	Transfer int64
	PostedAt time.Time
	// Replayed: the transfer had been posted before; nothing was written now.
	Replayed bool
}

// BelowFloor is the cause of fault.Insufficient.
type BelowFloor struct {
	Account int64
	Balance money.Amount // before the refused transfer
}

func (e *BelowFloor) Error() string {
	return fmt.Sprintf("account %d would fall below its floor", e.Account)
}

// AboveCeiling is the cause of fault.Limit from an entry's Most.
type AboveCeiling struct {
	Account int64
	Balance money.Amount // before the refused transfer
}

func (e *AboveCeiling) Error() string {
	return fmt.Sprintf("account %d would rise above its limit", e.Account)
}

// NotEmpty is the cause of fault.Conflict from CloseWallet.
type NotEmpty struct {
	Account int64
	Balance money.Amount
}

func (e *NotEmpty) Error() string { return fmt.Sprintf("account %d can't be closed", e.Account) }

// Closed is the cause of fault.Forbidden where a closed account would move.
type Closed struct{ Account int64 }

func (e *Closed) Error() string { return fmt.Sprintf("account %d is closed", e.Account) }

// The bounds of the write path.
const (
	// MaxBatch postings share a transaction at most; with MaxEntries it keeps
	// every statement under SQLite's 32,766 parameters.
	MaxBatch = 500
	// MaxEntries is the most that a posting may have.
	MaxEntries = 8
	// MaxKey and MaxAct are the longest request key and act, in bytes.
	MaxKey = 120
	MaxOp  = 40
	// maxQueue postings may wait; more are refused with fault.Unavailable.
	maxQueue = 20_000
	// stripes is in how many parts the balance of an account without a floor is
	// kept, so that batches of several flights and processes don't wait for each
	// other's commits.
	stripes = 256
	// batchTimeout bounds one try of a batch.
	batchTimeout = 30 * time.Second
)

// Options of the write path. Zero values give what suits the database.
type Options struct {
	// Flights is how many batches may be in flight at once, up to 256.
	Writers int
	// Queue is how many postings may wait for a flight.
	Queue int
}

// Ledger is the books of one database. Any number of processes may have one.
type Ledger struct {
	db    *database.DB
	queue chan *job
	wg    sync.WaitGroup
	turn  chan struct{} // to collect and write a batch, up to its commit
	late  atomic.Bool   // who has the turn has it for too long

	closing sync.RWMutex
	closed  bool

	accounts sync.Map // accountName → knownAccount
	shared   sync.Map // ids of those that have no floor
}

// New starts the write path on db; Close ends it.
func New(db *database.DB, options Options) *Ledger {
	flights := options.Writers
	if flights == 0 {
		flights = 2 // one collects and computes while the other commits
		if db.Dialect() == database.SQLite {
			flights = 1
		}
	}
	queue := options.Queue
	if queue == 0 {
		queue = maxQueue
	}
	l := &Ledger{db: db, queue: make(chan *job, queue), turn: make(chan struct{}, 1)}
	//mutant:replace (stripes/int64(flights)) => (1) TestSharedAccountsAreNotWaitedFor
	first := rand.Int64N(stripes/int64(flights)) * int64(flights) //nolint:gosec // no secret: where two meet, one waits
	for i := range int64(flights) {
		l.wg.Go((&flight{Ledger: l, stripe: first + i}).fly)
	}
	return l
}

// Close takes no more postings, finishes those that wait, and returns.
func (l *Ledger) Close() {
	l.closing.Lock()
	if !l.closed {
		l.closed = true
		close(l.queue)
	}
	l.closing.Unlock()
	l.wg.Wait()
}

// Post writes a transfer with its riders, durably, and returns its receipt.
//
// Failures: Insufficient (an account would fall below its floor, *BelowFloor),
// Limit (above an entry's Most, *AboveMost), Forbidden (a closed account,
// *Closed), Conflict (the key stands for
// other content; or a rider's unique key is taken), Unavailable (nothing was
// done: too much waits, or the database is away), Unknown (it may have been
// done: ask again under the same key), and whatever a rider's judge says.
// Refusals are not remembered. When ctx ends first the posting goes on, and the
// answer is Unknown.
func (l *Ledger) Post(ctx context.Context, p Posting) (Receipt, error) {
	if err := p.check(); err != nil {
		return Receipt{}, fault.Wrap("ledger.post", err)
	}
	j := &job{posting: p, hash: p.hash(), done: make(chan struct{})}
	if err := l.enqueue(j); err != nil {
		return Receipt{}, err
	}
	select {
	case <-j.done:
		return j.receipt, j.err
	case <-ctx.Done():
		//mutant:replace Unknown => Unavailable TestHistoriesAreLinearizable
		return Receipt{}, fault.New(fault.Unknown, "ledger.post", "").Because(ctx.Err())
	}
}

func (l *Ledger) enqueue(j *job) error {
	l.closing.RLock()
	defer l.closing.RUnlock()
	//mutant:drop TestCloseDrains
	if l.closed {
		return fault.New(fault.Unavailable, "ledger.post", "")
	}
	select {
	case l.queue <- j:
		return nil
	default:
		return fault.New(fault.Unavailable, "ledger.post", "").After(time.Second)
	}
}

func (p Posting) check() error {
	switch {
	case p.Key == "" || len(p.Key) > MaxKey || p.Op == "" || len(p.Op) > MaxOp:
		return fmt.Errorf("a posting needs a key of up to %d bytes and an act of up to %d", MaxKey, MaxOp)
	case len(p.Entries) < 2 || len(p.Entries) > MaxEntries:
		return fmt.Errorf("a posting has 2 to %d entries, not %d", MaxEntries, len(p.Entries))
	}
	amounts := make([]money.Amount, len(p.Entries))
	for i, e := range p.Entries {
		//mutant:replace || e.Amount > money.Max || e.Amount < -money.Max => TestMalformedPostingsAreRefused
		if e.Amount == 0 || e.Amount > money.Max || e.Amount < -money.Max {
			// The bound keeps whatever a batch adds up far from overflowing.
			return fmt.Errorf("entry %d moves nothing or too much", i)
		}
		amounts[i] = e.Amount
	}
	//mutant:replace ok || sum => ok && sum TestMalformedPostingsAreRefused
	if sum, ok := money.Sum(amounts...); !ok || sum != 0 {
		return fmt.Errorf("the entries sum to %d", sum)
	}
	return nil
}

// hash is the content that the key stands for.
func (p Posting) hash() string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %d %q\n", p.Op, p.Corrects, p.Hash)
	for _, e := range p.Entries {
		_, _ = fmt.Fprintf(h, "%d %d\n", e.Account, e.Amount)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Open opens an account in the caller's transaction and fills in its ID.
func Open(_ context.Context, tx *database.Tx, account *Account) error {
	if account.ID == 0 {
		account.ID = tx.NewID()
	}
	return fault.Wrap("ledger.open", insertAccount(tx, *account))
}

// SetFloor changes an account's floor in the caller's transaction. A floor above
// the balance is fault.Insufficient, with *BelowFloor as its cause.
func SetFloor(_ context.Context, tx *database.Tx, account int64, floor money.Amount) error {
	const act = "ledger.floor"
	locked, err := lockAccounts(tx, []int64{account})
	if err != nil {
		return fault.Wrap(act, err)
	}
	//mutant:drop ./cmd/elsom TestSettleAgent
	if now, known := locked[account]; known && now.Balance < floor {
		return fault.New(fault.Insufficient, act, "").Because(&BelowFloor{account, now.Balance})
	}
	return fault.Wrap(act, updateFloor(tx, account, floor))
}

// CloseWallet closes an empty wallet in the caller's transaction, behind the lock for
// which every transfer of it waits, and returns the moment from which nothing
// moves. Conflict, *NotEmpty: the account holds money, is closed already or is
// not there.
func CloseWallet(_ context.Context, tx *database.Tx, wallet int64) (time.Time, error) {
	locked, err := lockAccounts(tx, []int64{wallet})
	if err != nil {
		return time.Time{}, fault.Wrap("ledger.close", err)
	}
	at := tx.Now()
	// Another process's clock may be ahead of ours.
	if last, err := lastPosted(tx, wallet); err != nil {
		return time.Time{}, fault.Wrap("ledger.close", err)
	} else if last != nil && last.After(at) {
		at = last.UTC()
	}
	done, err := closeAccount(tx, wallet, at)
	if err == nil && !done {
		err = fault.New(fault.Conflict, "ledger.close", "").Because(&NotEmpty{wallet, locked[wallet].Balance})
	}
	return at, fault.Wrap("ledger.close", err)
}

type accountName struct {
	accountType AccountType
	subject     string
}

// knownAccount is an account's id in a generation of the database: a server
// that takes over may not have the account.
type knownAccount struct{ id, generation int64 }

// Account gives the id of an account without a floor (a biller's, fees, …),
// and opens it when nobody has yet.
func (l *Ledger) Account(ctx context.Context, kind AccountType, subject string) (int64, error) {
	name, generation := accountName{kind, subject}, l.db.Generation()
	if found, ok := l.accounts.Load(name); ok && found.(knownAccount).generation == generation {
		return found.(knownAccount).id, nil
	}
	account, err := ensureAccount(ctx, l.db, name)
	if err != nil {
		return 0, fault.Wrap("ledger.account", err)
	}
	l.accounts.Store(name, knownAccount{account.ID, generation})
	//mutant:replace !account.Floored => true TestFloorOfASharedAccount
	if !account.Floored { // what has a floor is in one row, where it is locked
		l.shared.Store(account.ID, true)
	}
	return account.ID, nil
}

// Find returns the id of an account; NotFound when there is none.
func (l *Ledger) Find(ctx context.Context, kind AccountType, subject string) (int64, error) {
	return findAccount(ctx, l.db, accountName{kind, subject})
}

// isShared tells accounts without a floor, as far as this process knows them:
// they are in stripes. Another is one row, which is locked.
func (l *Ledger) isShared(account int64) bool {
	_, is := l.shared.Load(account)
	return is
}

// Balance reads an account's balance; NotFound when there is no such account.
func (l *Ledger) Balance(ctx context.Context, account int64) (money.Amount, error) {
	return readBalance(ctx, l.db, account)
}
