package ledger_test

import (
	"context"
	"database/sql/driver"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// commitLosses decides at random which commits are lost, sometimes more in a row
// than the ledger retries.
type commitLosses struct {
	mu   sync.Mutex
	on   bool
	run  int // further commits to lose without a draw
	lost map[breakPoint]int
}

func newCommitLosses() *commitLosses { return &commitLosses{lost: map[breakPoint]int{}} }

func (l *commitLosses) enable(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on, l.run = on, 0
}

func (l *commitLosses) commit() breakPoint {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.on:
		return unbroken
	case l.run > 0:
		l.run--
	case rand.IntN(12) == 0:
		l.run = 12
	case rand.IntN(4) != 0:
		return unbroken
	}
	c := []breakPoint{beforeCommit, afterCommit}[rand.IntN(2)]
	l.lost[c]++
	return c
}

// Histories in which commits are lost before they reach the database, or their
// answers after. They are linearizable, and a posting that is answered Unknown
// was committed before the answer or never is.
func TestHistoriesWithLostCommits(t *testing.T) {
	for name, lossy := range map[string]func(*testing.T, *commitLosses, database.Option) *database.DB{"sqlite": lossySQLite, "postgres": lossyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newCommitLosses()
			now := &clock{now: noon}
			db := lossy(t, l, database.WithClock(now.read))
			answers := map[string]int{}
			shown := func() bool { return answers[unknown] > 0 && l.lost[beforeCommit] > 0 && l.lost[afterCommit] > 0 }
			for n := 0; n < 2 || !shown() && n < 20; n++ {
				oneHistory(t, db, newCalendar(now, n), l.enable, answers)
			}
			if !shown() {
				t.Errorf("answers %v, lost commits %v: the test showed nothing", answers, l.lost)
			}
			newBooks(t, db).wantLedgerOK()
		})
	}
}

func lossyPostgres(t *testing.T, l *commitLosses, clock database.Option) *database.DB {
	t.Helper()
	address, err := url.Parse(databasetest.Addresses(t)["postgres"])
	if err != nil {
		t.Fatal(err)
	}
	w := newProxy(t, address.Host)
	w.decide = l.commit
	address.Host = w.address
	db := databasetest.Reopen(t, address.String(), clock)
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

func lossySQLite(t *testing.T, l *commitLosses, clock database.Option) *database.DB {
	t.Helper()
	return databasetest.SQLite(t, database.WithConnections(func(c driver.Connector) driver.Connector { return lossyConnector{c, l} }), clock)
}

type lossyConnector struct {
	driver.Connector
	losses *commitLosses
}

// Connect implements driver.Connector.
func (c lossyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return lossyConn{conn.(sqlite.Conn), c.losses}, nil
}

type lossyConn struct {
	sqlite.Conn
	losses *commitLosses
}

// BeginTx implements driver.ConnBeginTx.
func (c lossyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, options)
	return lossyTx{tx, c.losses}, err
}

type lossyTx struct {
	driver.Tx
	losses *commitLosses
}

// Commit implements driver.Tx: an I/O error does not say whether it committed.
func (tx lossyTx) Commit() error {
	var err error
	switch tx.losses.commit() {
	case unbroken:
		return tx.Tx.Commit()
	case beforeCommit:
		err = tx.Rollback()
	case afterCommit:
		err = tx.Tx.Commit()
	}
	if err != nil {
		return err
	}
	return sqlite3.IOERR
}
