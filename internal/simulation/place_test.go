package simulation_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"

	"elsom/internal/database"
)

// place is where lives take place, one after the other: a database that each
// finds as the house was built, and the connections to it, which outlive the
// processes that use them. To open a database anew costs more than to live.
type place struct {
	path  string
	house *house
	idle  chan *lent
	// auditor looks at the books through connections of its own: who only reads
	// makes a connection forget what it has prepared.
	auditor *database.DB
	wiper   *sqlite3.Conn
	wiping  []*sqlite3.Stmt
	life    *life // that takes place now
}

// places finds a place by the folder of its database.
var places sync.Map

// settle makes a place in a folder of its own.
func settle(h *house, folder string) (*place, error) {
	own, err := os.MkdirTemp(folder, "place")
	if err != nil {
		return nil, err
	}
	p := &place{path: filepath.Join(own, "elsom.db"), house: h, idle: make(chan *lent, 100)}
	if err := os.WriteFile(p.path, h.file, 0o600); err != nil {
		return nil, err
	}
	if p.wiper, err = sqlite3.Open("file:" + p.path + "?_pragma=busy_timeout(10000)"); err != nil {
		return nil, err
	}
	if p.auditor, err = database.Open(context.Background(), "sqlite:"+p.path); err != nil {
		return nil, err
	}
	places.Store(filepath.Base(own), p) // behind these, whose commits are nobody's
	return p, p.learn()
}

// learn prepares how the house's rows are put back, whatever triggers say.
func (p *place) learn() error {
	for _, trigger := range []sqlite3.DBConfig{sqlite3.DBCONFIG_ENABLE_TRIGGER, sqlite3.DBCONFIG_ENABLE_FKEY} {
		if _, err := p.wiper.Config(trigger, false); err != nil {
			return err
		}
	}
	if err := p.wiper.Exec("ATTACH '" + p.house.path + "' AS house"); err != nil {
		return err
	}
	tables, _, err := p.wiper.Prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		return err
	}
	steps := []string{"BEGIN IMMEDIATE"}
	for tables.Step() {
		name := tables.ColumnText(0)
		steps = append(steps, fmt.Sprintf("DELETE FROM main.%q", name), fmt.Sprintf("INSERT INTO main.%[1]q SELECT * FROM house.%[1]q", name))
	}
	if err := tables.Close(); err != nil {
		return err
	}
	for _, step := range append(steps, "COMMIT", "PRAGMA main.wal_checkpoint(TRUNCATE)") {
		s, _, err := p.wiper.Prepare(step)
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		p.wiping = append(p.wiping, s)
	}
	return nil
}

// wipe brings the database to where the house was built.
func (p *place) wipe() error {
	for _, s := range p.wiping {
		if err := s.Exec(); err != nil {
			return fmt.Errorf("%s: %w", s.SQL(), err)
		}
	}
	return nil
}

// leave gives up the place.
func (p *place) leave() {
	for {
		select {
		case c := <-p.idle:
			_ = c.connection.Close()
			continue
		default:
		}
		break
	}
	for _, s := range p.wiping {
		_ = s.Close()
	}
	_ = p.wiper.Close()
	_ = p.auditor.Close()
	places.Delete(filepath.Base(filepath.Dir(p.path)))
	_ = os.RemoveAll(filepath.Dir(p.path))
}

// lending gives processes the place's connections.
type lending struct {
	driver.Connector
	place *place
}

func (p *place) lend(c driver.Connector) driver.Connector { return lending{c, p} }

// Connect implements driver.Connector.
func (l lending) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case c := <-l.place.idle:
		return c, nil
	default:
	}
	c, err := l.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &lent{c.(connection), l.place}, nil
}

// connection is what a connection of the house's can do.
type connection interface {
	sqlite.Conn
	driver.ExecerContext
	driver.NamedValueChecker
}

type lent struct {
	connection
	place *place
}

// Close gives a connection back: what was not committed is gone.
func (c *lent) Close() error {
	raw := c.Raw()
	if !raw.GetAutocommit() {
		if err := raw.Exec("ROLLBACK"); err != nil {
			return c.connection.Close()
		}
	}
	select {
	case c.place.idle <- c:
		return nil
	default:
		return c.connection.Close()
	}
}
