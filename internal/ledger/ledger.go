// Package ledger keeps the books: accounts, and transfers between them that
// each sum to zero.
//
// It guarantees, under these names:
//   - books balance: every transfer sums to zero, and so do all entries;
//   - no debt: an account with a floor never goes below it;
//   - once only: one transfer for a request key, however often it is posted;
//   - nothing erased: transfers and entries are never changed or deleted;
//   - balance is its entries: an account's balance is their sum, and so are a wallet's
//     other sums (see Sums and Spent).
//
// It is the only package that writes balances, transfers and entries, and Post is
// the only way to move money. It writes no tables of other packages: rows that
// must commit with a transfer are passed as riders.
package ledger

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// The bounds of the write path.
const (
	// MaxBatch is the largest number of postings in one transaction; with
	// MaxEntries it keeps every statement under SQLite's 32,766 parameters.
	MaxBatch = 500
	// MaxEntries is the largest number of entries in a posting.
	MaxEntries = 8
	// MaxKey and MaxOp are the largest lengths of a request key and an operation
	// in bytes.
	MaxKey = 120
	MaxOp  = 40
	// maxQueue is the default of Options.Queue.
	maxQueue = 20_000
	// stripes is the number of rows that a balance without a floor may be spread
	// over, so that writers and processes don't wait for each other's commits.
	stripes = 256
	// batchTimeout bounds one try of a batch.
	batchTimeout = 30 * time.Second
)

// Options of the write path. A zero value means the default for the database.
type Options struct {
	// Writers is how many batches may be in progress at once, up to 256.
	Writers int
	// Queue is how many postings may wait for a writer; more are refused with
	// fault.Unavailable.
	Queue int
}

// Ledger is the books of one database. Several processes may each have one.
type Ledger struct {
	db    *database.DB
	queue chan *job
	wg    sync.WaitGroup
	// newest has the reads of Newest on PostgreSQL.
	newest *database.Coalescer[newestQuery, *newest]
	token  *writeToken

	closing sync.RWMutex
	closed  bool

	accounts sync.Map // accountName → knownAccount
	striped  sync.Map // account id → true: see isStriped
}

// New starts the write path on db; Close ends it.
func New(db *database.DB, options Options) *Ledger {
	writers := options.Writers
	if writers == 0 {
		writers = 2 // one collects and computes while the other commits
		if db.Dialect() == database.SQLite {
			writers = 1
		}
	}
	queue := options.Queue
	if queue == 0 {
		queue = maxQueue
	}
	l := &Ledger{db: db, queue: make(chan *job, queue), token: newWriteToken()}
	l.newest = database.NewCoalescer(l.readNewest)
	//mutant:replace (stripes/int64(writers)) => (1) TestStripedAccountsAreNotLocked
	first := rand.Int64N(stripes/int64(writers)) * int64(writers) //nolint:gosec // not a secret: writers that share a stripe only wait for each other
	for i := range int64(writers) {
		l.wg.Go((&writer{Ledger: l, stripe: first + i}).run)
	}
	return l
}

// Close makes Post refuse further postings and waits until the queued ones are
// written.
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
// Errors: Insufficient (an account would fall below its floor, *BelowFloor),
// Limit (above an entry's ceiling, *AboveCeiling, or a limit of what may be spent,
// *OverLimit), Forbidden (a closed account,
// *Closed), Conflict (the key was used for other content, or a rider's unique
// key is taken), Unavailable (nothing was done: the ledger is closed, the queue
// is full, or the database is unreachable), Unknown (it may have been done: post
// it again under the same key), Internal (a malformed posting or an unknown
// account), and the refusals of riders.
//
// Refusals are not stored. When ctx ends first, the posting goes on and the
// error is Unknown.
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
