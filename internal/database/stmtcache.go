package database

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// Preparing a statement takes SQLite about as long as running it, so each
// connection caches the statements used last. Longer texts are batches of
// varying length, which are rarely repeated.
const (
	maxCachedStatements = 200
	maxCachedLength     = 4096 // bytes
)

// cachingConnector opens SQLite connections with a statement cache.
type cachingConnector struct {
	driver.Connector
	onConnect func(*sqlite3.Conn) error
}

// Connect implements driver.Connector.
func (k cachingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(driverConn)
	if !ok {
		_ = c.Close()
		return nil, errors.New("database: not a connection of the SQLite driver")
	}
	// Without QPSG SQLite prepares a statement again when bound values change, for
	// which a LIMIT ? is enough.
	_, err = conn.Raw().Config(sqlite3.DBCONFIG_ENABLE_QPSG, true)
	if err = errors.Join(err, k.onConnect(conn.Raw())); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &cachedConn{driverConn: conn, idle: map[string]*list.Element{}}, nil
}

// driverConn is what connections of the driver implement.
type driverConn interface {
	sqlite.Conn
	driver.ExecerContext
	driver.NamedValueChecker
}

// cachedConn is a connection with a statement cache. Like any driver.Conn it is
// used by one goroutine at a time.
type cachedConn struct {
	driverConn
	idle   map[string]*list.Element // cached statements that are not in use, by text
	recent list.List                // of *cachedStatement, the last used first
	closed bool
	memory bool // temporary storage is in memory: see BeginTx
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *cachedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if e, ok := c.idle[text]; ok {
		delete(c.idle, text)
		return c.recent.Remove(e).(*cachedStatement), nil
	}
	s, err := c.driverConn.PrepareContext(ctx, text)
	run, ok := s.(statement)
	if err != nil || !ok {
		return s, err
	}
	run = nullableStatement{run}
	if len(text) > maxCachedLength {
		return run, nil
	}
	return &cachedStatement{statement: run, conn: c, text: text}, nil
}

// nullableStatement stores nil bytes as NULL, as PostgreSQL's driver does; SQLite's
// would store an empty value.
type nullableStatement struct{ statement }

// CheckNamedValue implements driver.NamedValueChecker.
func (s nullableStatement) CheckNamedValue(arg *driver.NamedValue) error {
	//mutant:drop TestNilBytesAreNull
	if bytes, ok := arg.Value.([]byte); ok && bytes == nil {
		arg.Value = nil
	}
	return s.statement.CheckNamedValue(arg)
}

// Close implements driver.Conn.
func (c *cachedConn) Close() error {
	c.closed = true
	for e := c.recent.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*cachedStatement).statement.Close()
	}
	c.recent.Init()
	clear(c.idle)
	return c.driverConn.Close()
}

// statement is what statements of the driver implement.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type cachedStatement struct {
	statement
	conn *cachedConn
	text string
}

// Close implements driver.Stmt: it returns the statement to the cache. The driver
// has reset it, so it keeps neither rows nor values.
func (s *cachedStatement) Close() error {
	c := s.conn
	if _, twin := c.idle[s.text]; twin || c.closed {
		return s.statement.Close()
	}
	c.idle[s.text] = c.recent.PushFront(s)
	if c.recent.Len() <= maxCachedStatements {
		return nil
	}
	oldest := c.recent.Remove(c.recent.Back()).(*cachedStatement)
	delete(c.idle, oldest.text)
	return oldest.statement.Close()
}
