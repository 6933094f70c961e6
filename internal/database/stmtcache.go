package database

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// To read a statement's text costs SQLite as much as to run it: each connection
// keeps what it prepared last. Longer texts are batches, hardly two alike.
const (
	statementsKept = 200
	longestKept    = 4096 // bytes
)

// keeping gives connections that keep their prepared statements.
type keeping struct {
	driver.Connector
	begin func(*sqlite3.Conn) error
}

// Connect implements driver.Connector.
func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(plain)
	if !ok {
		_ = c.Close()
		return nil, errors.New("database: not a connection of the SQLite driver")
	}
	// A plan that depends on the values is thrown away at the next ones, and a
	// LIMIT ? is enough for that.
	_, err = conn.Raw().Config(sqlite3.DBCONFIG_ENABLE_QPSG, true)
	if err = errors.Join(err, k.begin(conn.Raw())); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &keptConn{plain: conn, kept: map[string]*list.Element{}}, nil
}

// plain is what the driver's connections can do.
type plain interface {
	sqlite.Conn
	driver.ExecerContext
	driver.NamedValueChecker
}

// keptConn is used by one goroutine at a time, like any driver.Conn.
type keptConn struct {
	plain
	kept map[string]*list.Element // by text: those that nobody uses now
	used list.List                // of *keptStatement, the last used first
	gone bool
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *keptConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if e, ok := c.kept[text]; ok {
		delete(c.kept, text)
		return c.used.Remove(e).(*keptStatement), nil
	}
	s, err := c.plain.PrepareContext(ctx, text)
	if err != nil || len(text) > longestKept {
		return s, err
	}
	run, ok := s.(statement)
	if !ok {
		return s, nil
	}
	return &keptStatement{statement: run, conn: c, text: text}, nil
}

// Close implements driver.Conn.
func (c *keptConn) Close() error {
	c.gone = true
	for e := c.used.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*keptStatement).statement.Close()
	}
	c.used.Init()
	clear(c.kept)
	return c.plain.Close()
}

// statement is what the driver's statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type keptStatement struct {
	statement
	conn *keptConn
	text string
}

// Close implements driver.Stmt: the statement waits for its next use. It holds
// no row and no value: the driver has reset it.
func (s *keptStatement) Close() error {
	c := s.conn
	if _, twin := c.kept[s.text]; twin || c.gone {
		return s.statement.Close()
	}
	c.kept[s.text] = c.used.PushFront(s)
	if c.used.Len() <= statementsKept {
		return nil
	}
	oldest := c.used.Remove(c.used.Back()).(*keptStatement)
	delete(c.kept, oldest.text)
	return oldest.statement.Close()
}
