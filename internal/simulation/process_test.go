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
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/password"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
)

// process is one running program: everything that dies with it.
type process struct {
	name      string
	life      *life
	db        *database.DB
	ledger    *ledger.Ledger
	customers *customer.Customers
	payments  *payment.Payments
	transfers *transfer.Transfers
	cashin    *cashin.CashIn
	billers   map[string]outbox.Worker
	texts     outbox.Worker
	messages  *sms.Messages

	dead atomic.Bool
	died chan struct{}
	// last is the clock as a dead process goes on to see it.
	last atomic.Pointer[time.Time]
}

var secret = []byte("a secret of the simulated house, long enough")

// open starts a process on the life's database.
func (l *life) open() *process {
	l.opened++
	p := &process{name: string(rune('A' + (l.opened-1)%26)), life: l, died: make(chan struct{})}
	start := l.clock
	p.last.Store(&start)
	db, err := database.Open(context.Background(), "sqlite:"+l.place.path, database.WithClock(p.now), database.WithConnections(l.place.lend))
	l.must(err)
	p.db = db
	sealer, err := sms.NewSealer(secret)
	l.must(err)
	attempts, err := ratelimit.New(db, ratelimit.Options{Secret: secret, Off: true})
	l.must(err)
	goods := catalog.New(db, catalog.Options{})
	p.customers, err = customer.New(db, customer.Options{
		Secret: secret, PINPepper: secret, Counters: attempts, Sealer: sealer, OpenWallet: wallet.Open,
		Level: catalog.StandardLevel, Hash: password.Hash{MemoryKiB: 8, Passes: 1},
	})
	l.must(err)
	bell := outbox.NewNotifier()
	p.ledger = ledger.New(db, ledger.Options{})
	timing := payment.DefaultTiming()
	// So short that no jitter is added: chance belongs to the seed.
	timing.Pauses = []time.Duration{4 * time.Nanosecond}
	timing.AcquireAhead = 0 // a delivery never waits for another's call: one task runs at a time
	p.payments = payment.New(payment.Parts{
		DB: db, Ledger: p.ledger, Notifier: bell, Catalog: goods, Customers: p.customers, Counters: attempts, Timing: timing,
		Client: func(b catalog.Biller) biller.Biller { return wire{p, l.billers[b.Code]} },
	})
	p.transfers = transfer.New(transfer.Parts{
		DB: db, Ledger: p.ledger, Notifier: bell, Catalog: goods, Customers: p.customers, Counters: attempts,
	})
	p.cashin = cashin.New(cashin.Parts{
		DB: db, Books: p.ledger, Levels: goods, Notifier: bell, Wallets: cashin.WalletsFunc(p.walletOf),
	})
	p.billers = map[string]outbox.Worker{}
	for _, code := range billerCodes {
		p.billers[code] = p.payments.Worker(code)
	}
	p.messages = sms.NewMessages(db, sealer)
	p.texts = sms.Workers(db, sealer, gateway{p}, sms.Options{})[1] // no life brings codes
	return p
}

func (p *process) walletOf(ctx context.Context, number phone.Number) (cashin.Wallet, error) {
	c, err := p.customers.ByPhone(ctx, number)
	return cashin.Wallet{Customer: c.ID, Blocked: c.Blocked, Lang: c.Lang, Level: c.Level}, err
}

// now is the life's clock, which moves on a little at each look.
func (p *process) now() time.Time {
	if p.dead.Load() {
		return *p.last.Load()
	}
	p.life.clock = p.life.clock.Add(17 * time.Microsecond)
	seen := p.life.clock
	p.last.Store(&seen)
	return seen
}

// die ends a process as a power cut does: what it had not committed is gone,
// and whatever still runs in it reaches neither database nor world.
func (p *process) die() {
	if p.dead.Swap(true) {
		return
	}
	close(p.died)
	p.life.tally.deaths++
	_ = p.db.Close()
}

// bury waits until the database is free of a dead process.
func (p *process) bury() {
	for p.db.Pool().Stats().OpenConnections > 0 {
		time.Sleep(50 * time.Microsecond)
	}
	go p.ledger.Close()
}

// blow is what befalls a process at a commit.
type blow int

const (
	nothing      blow = iota
	deathBefore       // it dies, and the commit never happened
	deathBehind       // it dies, and the commit stands
	answerIsLost      // the commit stands, and the process is told that the disk failed
)

var blowNames = [...]string{"", "dies before its commit", "dies behind its commit", "never hears of its commit"}

// fuse sets a blow for one of the commits to come.
type fuse struct {
	blow    blow
	commits int // until then
}

func init() {
	sqlite3.AutoExtension(func(c *sqlite3.Conn) error {
		file := c.Filename("main")
		if file == nil {
			return nil
		}
		found, ok := places.Load(filepath.Base(filepath.Dir(file.String())))
		if !ok {
			return nil
		}
		at := found.(*place)
		hit := nothing
		c.CommitHook(func() bool {
			hit = at.life.commit()
			return hit != deathBefore
		})
		c.WALHook(func(*sqlite3.Conn, string, int) error {
			was := hit
			hit = nothing
			switch was {
			case deathBehind:
				at.life.running.die()
			case answerIsLost:
				return sqlite3.IOERR
			}
			return nil
		})
		return nil
	})
}

// commit is called at each commit, and tells what befalls it.
func (l *life) commit() blow {
	l.changed = true
	p := l.running
	if p == nil || p.dead.Load() || l.fuse.blow == nothing {
		return nothing
	}
	if l.fuse.commits--; l.fuse.commits > 0 {
		return nothing
	}
	hit := l.fuse.blow
	l.fuse = fuse{}
	l.say("%s %s", p.name, blowNames[hit])
	switch hit {
	case deathBefore:
		p.die()
	case answerIsLost:
		l.tally.lostCommits++
	}
	return hit
}

// claim takes up to n due tasks of a worker, as outbox.Work does.
func (p *process) claim(ctx context.Context, w outbox.Worker, n int) (tasks []outbox.LeasedMessage, err error) {
	if w.Capacity != nil {
		n = max(0, min(n, w.Capacity()))
	}
	if n, err = outbox.CountDue(ctx, p.db, w.Queue, n); err != nil {
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
