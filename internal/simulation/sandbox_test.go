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

// sandbox is a database for simulations, one after the other, which is reset to the
// template before each. Its connections outlive the processes that use them:
// opening a database takes longer than a simulation.
type sandbox struct {
	path     string
	template *template
	idle     chan *pooledConn
	// auditor reads through connections of its own: a read-only transaction drops
	// the prepared statements of a connection.
	auditor    *database.DB
	resetConn  *sqlite3.Conn
	resetSteps []*sqlite3.Stmt
	current    *simulation // running now
}

// sandboxes has the sandboxes by the folders of their databases.
var sandboxes sync.Map

// newSandbox makes a sandbox in a folder of its own.
func newSandbox(t *template, folder string) (*sandbox, error) {
	own, err := os.MkdirTemp(folder, "sandbox")
	if err != nil {
		return nil, err
	}
	p := &sandbox{path: filepath.Join(own, "elsom.db"), template: t, idle: make(chan *pooledConn, 100)}
	if err := os.WriteFile(p.path, t.file, 0o600); err != nil {
		return nil, err
	}
	if p.resetConn, err = sqlite3.Open("file:" + p.path + "?_pragma=busy_timeout(10000)"); err != nil {
		return nil, err
	}
	if p.auditor, err = database.Open(context.Background(), "sqlite:"+p.path, database.WithKeys(newestBookKeys, true)); err != nil {
		return nil, err
	}
	sandboxes.Store(filepath.Base(own), p) // after these commits, which belong to no simulation
	return p, p.prepareReset()
}

// prepareReset prepares the statements of reset, with triggers disabled.
func (p *sandbox) prepareReset() error {
	for _, trigger := range []sqlite3.DBConfig{sqlite3.DBCONFIG_ENABLE_TRIGGER, sqlite3.DBCONFIG_ENABLE_FKEY} {
		if _, err := p.resetConn.Config(trigger, false); err != nil {
			return err
		}
	}
	if err := p.resetConn.Exec("ATTACH '" + p.template.path + "' AS template"); err != nil {
		return err
	}
	tables, _, err := p.resetConn.Prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		return err
	}
	steps := []string{"BEGIN IMMEDIATE"}
	for tables.Step() {
		name := tables.ColumnText(0)
		steps = append(steps, fmt.Sprintf("DELETE FROM main.%q", name), fmt.Sprintf("INSERT INTO main.%[1]q SELECT * FROM template.%[1]q", name))
	}
	if err := tables.Close(); err != nil {
		return err
	}
	for _, step := range append(steps, "COMMIT", "PRAGMA main.wal_checkpoint(TRUNCATE)") {
		s, _, err := p.resetConn.Prepare(step)
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		p.resetSteps = append(p.resetSteps, s)
	}
	return nil
}

// reset makes the database equal to the template.
func (p *sandbox) reset() error {
	for _, s := range p.resetSteps {
		if err := s.Exec(); err != nil {
			return fmt.Errorf("%s: %w", s.SQL(), err)
		}
	}
	return nil
}

// close closes the sandbox and deletes its files.
func (p *sandbox) close() {
	for {
		select {
		case c := <-p.idle:
			_ = c.connection.Close()
			continue
		default:
		}
		break
	}
	for _, s := range p.resetSteps {
		_ = s.Close()
	}
	_ = p.resetConn.Close()
	_ = p.auditor.Close()
	sandboxes.Delete(filepath.Base(filepath.Dir(p.path)))
	_ = os.RemoveAll(filepath.Dir(p.path))
}

// pooledConnector returns connections of the sandbox's pool.
type pooledConnector struct {
	driver.Connector
	sandbox *sandbox
}

func (p *sandbox) lend(c driver.Connector) driver.Connector { return pooledConnector{c, p} }

// Connect implements driver.Connector.
func (c pooledConnector) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case conn := <-c.sandbox.idle:
		return conn, nil
	default:
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pooledConn{conn.(connection), c.sandbox}, nil
}

// connection is the interfaces that a connection of the driver implements.
type connection interface {
	sqlite.Conn
	driver.ExecerContext
	driver.NamedValueChecker
}

type pooledConn struct {
	connection
	sandbox *sandbox
}

// BeginTx implements driver.ConnBeginTx.
func (c *pooledConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	c.sandbox.current.beforeTransaction()
	return c.connection.BeginTx(ctx, options)
}

// Close rolls back and returns the connection to the pool.
func (c *pooledConn) Close() error {
	raw := c.Raw()
	if !raw.GetAutocommit() {
		if err := raw.Exec("ROLLBACK"); err != nil {
			return c.connection.Close()
		}
	}
	select {
	case c.sandbox.idle <- c:
		return nil
	default:
		return c.connection.Close()
	}
}
