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

// losses decides what becomes of commits: most are whole, and now and then so
// many in a row are lost that the ledger gives up asking again.
type losses struct {
	mu   sync.Mutex
	on   bool
	row  int
	lost map[cut]int
}

func newLosses() *losses { return &losses{lost: map[cut]int{}} }

func (l *losses) turn(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on, l.row = on, 0
}

func (l *losses) commit() cut {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.on:
		return whole
	case l.row > 0:
		l.row--
	case rand.IntN(12) == 0:
		l.row = 12
	case rand.IntN(4) != 0:
		return whole
	}
	c := []cut{beforeCommit, afterCommit}[rand.IntN(2)]
	l.lost[c]++
	return c
}

// Histories where commits are lost: before they happened, and after, when only
// their answer is. Whoever didn't give up is told what holds from then on,
// or that nobody knows; and what nobody knows was done before that was said, or
// never will be.
func TestHistoriesWithLostCommits(t *testing.T) {
	for name, lossy := range map[string]func(*testing.T, *losses) *database.DB{"sqlite": lossySQLite, "postgres": lossyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLosses()
			db := lossy(t, l)
			unknowns := 0
			for range 2 {
				unknowns += oneHistory(t, db, l.turn)
			}
			if unknowns == 0 || l.lost[beforeCommit] == 0 || l.lost[afterCommit] == 0 {
				t.Errorf("%d answers were left open, lost were %v: nothing was shown", unknowns, l.lost)
			}
			newBooks(t, db).proved()
		})
	}
}

func lossyPostgres(t *testing.T, l *losses) *database.DB {
	t.Helper()
	address, err := url.Parse(databasetest.Addresses(t)["postgres"])
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, address.Host)
	w.lose = l.commit
	address.Host = w.address
	db := databasetest.Reopen(t, address.String())
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

func lossySQLite(t *testing.T, l *losses) *database.DB {
	t.Helper()
	return databasetest.SQLite(t, database.WithConnections(func(c driver.Connector) driver.Connector { return lossyConnector{c, l} }))
}

type lossyConnector struct {
	driver.Connector
	losses *losses
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
	losses *losses
}

// BeginTx implements driver.ConnBeginTx.
func (c lossyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, options)
	return lossyTx{tx, c.losses}, err
}

type lossyTx struct {
	driver.Tx
	losses *losses
}

// Commit implements driver.Tx: a disk that fails tells no more than that.
func (tx lossyTx) Commit() error {
	var err error
	switch tx.losses.commit() {
	case whole:
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
