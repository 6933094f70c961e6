package simulation_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"elsom/internal/biller"
	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/password"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/transfer"
	"elsom/internal/translog"
	"elsom/internal/wallet"
)

// process is one running program: all state that is lost when it is killed.
type process struct {
	name       string
	simulation *simulation
	db         *database.DB
	ledger     *ledger.Ledger
	customers  *customer.Customers
	payments   *payment.Payments
	transfers  *transfer.Transfers
	cashin     *cashin.CashIn
	billers    map[string]outbox.Worker
	texts      *sms.Sender
	messages   *sms.Messages
	log        *translog.Log
	keys       keyFiles // as it read them at its start

	dead atomic.Bool
	died chan struct{}
	// last is the time that a dead process continues to read.
	last atomic.Pointer[time.Time]
}

var secret = []byte("a secret of the simulation, long enough")

// open starts a process on the database of the simulation.
//
// It wires the services itself. testkit.New would commit at each start (it seeds the
// catalog), use jitter, which does not depend on the seed, and close the ledger at
// the end of the test, which blocks for a process that was killed.
func (s *simulation) open() *process {
	s.opened++
	p := &process{name: string(rune('A' + (s.opened-1)%26)), simulation: s, died: make(chan struct{})}
	start := s.clock
	p.last.Store(&start)
	db, err := database.Open(context.Background(), "sqlite:"+s.sandbox.path, database.WithClock(p.now), database.WithConnections(s.sandbox.lend),
		database.WithKeys(s.keys.books.file(), true))
	s.must(err)
	p.keys = s.keys
	p.db, p.log = db, translog.New(db, translog.Options{Keys: s.keys.checkpoints.file()})
	sealer, err := sms.NewSealer(secret)
	s.must(err)
	attempts, err := ratelimit.New(db, ratelimit.Options{Secret: secret, Off: true})
	s.must(err)
	goods := catalog.New(db, catalog.Options{})
	p.customers, err = customer.New(db, customer.Options{
		Secret: secret, PINPepper: secret, Counters: attempts, Sealer: sealer, OpenWallet: wallet.Open,
		Levels: goods, Balance: func(ctx context.Context, id int64) (money.Amount, error) { return p.ledger.Balance(ctx, id) },
		Hash: password.Hash{MemoryKiB: 8, Passes: 1},
	})
	s.must(err)
	notifier := outbox.NewNotifier()
	p.ledger = ledger.New(db, ledger.Options{})
	timing := payment.DefaultTiming()
	// Too short for jitter, which would not depend on the seed.
	timing.Pauses = []time.Duration{4 * time.Nanosecond}
	timing.AcquireAhead = 0 // deliveries don't wait for each other's calls: one task runs at a time
	p.payments = payment.New(payment.Parts{
		DB: db, Ledger: p.ledger, Notifier: notifier, Catalog: goods, Customers: p.customers, Counters: attempts, Timing: timing,
		Client: func(b catalog.Biller) biller.Biller { return billerClient{p, s.billers[b.Code]} },
	})
	p.transfers = transfer.New(transfer.Parts{
		DB: db, Ledger: p.ledger, Notifier: notifier, Catalog: goods, Customers: p.customers, Counters: attempts,
	})
	p.cashin = cashin.New(cashin.Parts{
		DB: db, Books: p.ledger, Levels: goods, Notifier: notifier, Wallets: cashin.WalletsFunc(p.walletOf),
	})
	p.billers = map[string]outbox.Worker{}
	for _, code := range billerCodes {
		p.billers[code] = p.payments.Worker(code)
	}
	p.messages = sms.NewMessages(db, sealer)
	p.texts = sms.NewSender(db, sealer, gateway{p}, sms.Options{})
	return p
}

func (p *process) walletOf(ctx context.Context, number phone.Number) (cashin.Wallet, error) {
	c, err := p.customers.ByPhone(ctx, number)
	return cashin.Wallet{Customer: c.ID, Blocked: c.Blocked, Lang: c.Lang, Level: c.Level, Holder: c}, err
}

// now reads the clock of the simulation, which advances a little each time.
func (p *process) now() time.Time {
	if p.dead.Load() {
		return *p.last.Load()
	}
	p.simulation.clock = p.simulation.clock.Add(17 * time.Microsecond)
	seen := p.simulation.clock
	p.last.Store(&seen)
	return seen
}

// kill ends a process like a power failure: what it has not committed is lost, and
// what still runs in it reaches neither the database nor the adapters.
func (p *process) kill() {
	if p.dead.Swap(true) {
		return
	}
	close(p.died)
	p.simulation.tally.deaths++
	_ = p.db.Close()
}

// waitClosed waits until a dead process has no connection to the database.
func (p *process) waitClosed() {
	for p.db.Pool().Stats().OpenConnections > 0 {
		time.Sleep(50 * time.Microsecond)
	}
	go p.ledger.Close()
}

// commitFault is a fault injected at a commit.
type commitFault int

const (
	noFault          commitFault = iota
	killBeforeCommit             // the process is killed, and the commit is lost
	killAfterCommit              // the process is killed after the commit
	loseAnswer                   // the commit is done, and the process gets an I/O error
)

var commitFaultNames = [...]string{"", "dies before its commit", "dies after its commit", "gets an error for its commit"}

// plannedFault is a fault for one of the next commits.
type plannedFault struct {
	fault   commitFault
	commits int // how many commits until then
}

func init() {
	sqlite3.AutoExtension(func(c *sqlite3.Conn) error {
		file := c.Filename("main")
		if file == nil {
			return nil
		}
		found, ok := sandboxes.Load(filepath.Base(filepath.Dir(file.String())))
		if !ok {
			return nil
		}
		at := found.(*sandbox)
		hit := noFault
		c.CommitHook(func() bool {
			hit = at.current.commit()
			return hit != killBeforeCommit
		})
		c.WALHook(func(*sqlite3.Conn, string, int) error {
			was := hit
			hit = noFault
			switch was {
			case killAfterCommit:
				at.current.running.kill()
			case loseAnswer:
				return sqlite3.IOERR
			}
			return nil
		})
		return nil
	})
}

// commit is called at each commit and returns its fault.
func (s *simulation) commit() commitFault {
	s.changed = true
	p := s.running
	if p == nil || p.dead.Load() || s.planned.fault == noFault {
		return noFault
	}
	if s.planned.commits--; s.planned.commits > 0 {
		return noFault
	}
	hit := s.planned.fault
	s.planned = plannedFault{}
	s.logf("%s %s", p.name, commitFaultNames[hit])
	switch hit {
	case killBeforeCommit:
		p.kill()
	case loseAnswer:
		s.tally.lostCommits++
	}
	return hit
}

// tasks acquires up to n deliveries to a biller, or messages of the SMS queue (codes are
// not simulated), and returns what is to be done with each.
func (p *process) tasks(ctx context.Context, code string, n int) (tasks []func(), err error) {
	if code != "" {
		w := p.billers[code]
		deliveries, err := p.acquire(ctx, w, n)
		for _, m := range deliveries {
			tasks = append(tasks, func() { w.Do(ctx, m) })
		}
		return tasks, err
	}
	messages, err := p.texts.Step(ctx, sms.Queue, nil, n)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		tasks = append(tasks, func() {
			outcome := []sms.Outcome{p.texts.Send(ctx, m)}
			for range 2 { // as sms.Sender.Run does until it is stored
				if _, err := p.texts.Step(ctx, sms.Queue, outcome, 0); err == nil {
					return
				}
			}
		})
	}
	return tasks, nil
}

// acquire acquires up to n due messages of a worker, as outbox.Work does.
func (p *process) acquire(ctx context.Context, w outbox.Worker, n int) (tasks []outbox.LeasedMessage, err error) {
	if w.Capacity != nil {
		n = max(0, min(n, w.Capacity()))
	}
	count := w.CountDue
	if count == nil {
		count = func(ctx context.Context, limit int) (int, error) { return outbox.CountDue(ctx, p.db, w.Queue, limit) }
	}
	if n, err = count(ctx, n); err != nil {
		return nil, err
	}
	if n == 0 {
		if w.Idle != nil {
			w.Idle(ctx)
		}
		return nil, nil
	}
	if w.Acquire != nil {
		return w.Acquire(ctx, n)
	}
	err = p.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		tasks, err = outbox.Acquire(ctx, tx, w.Queue, n, w.Lease)
		return err
	})
	return tasks, err
}
