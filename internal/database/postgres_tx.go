package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// BeginTx implements driver.ConnBeginTx. The BEGIN of a writing transaction is sent with
// its first statement.
func (c *postgresConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if !options.ReadOnly && !c.Conn.Conn().IsClosed() {
		begin, err := beginText(options.Isolation)
		c.reading, c.waiting = false, []waitingStatement{{query: begin, rows: anyRows}}
		return postgresTx{c}, err
	}
	if _, err := c.Conn.BeginTx(ctx, options); err != nil {
		c.checkError(err)
		return nil, err
	}
	c.reading = options.ReadOnly
	return postgresTx{c}, nil
}

// postgresTx ends a transaction regardless of the context with which it began. pgx would
// cancel a COMMIT when the context ends; if that COMMIT waits for synchronous standbys,
// its rows would become visible although a failover can still lose them.
type postgresTx struct{ conn *postgresConn }

// Commit implements driver.Tx.
func (t postgresTx) Commit() error {
	c := t.conn
	//mutant:drop TestFirstStatementFails
	if c.notBegun {
		c.notBegun = false
		return pgx.ErrTxCommitRollback
	}
	if !c.open() && len(c.waiting) == 1 { // nothing but BEGIN
		c.waiting = nil
		return nil
	}
	tag, err := c.sendCommit()
	c.reading, c.notBegun = false, false
	if err != nil {
		if c.open() {
			_ = t.Rollback()
		}
		return err
	}
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	//mutant:drop TestCanceledWaitIsUnknown
	if c.warned() {
		return errNotReplicated
	}
	return nil
}

// sendCommit sends COMMIT with the statements that wait. Those whose number of rows
// matters are sent before, since COMMIT would follow whatever that number is.
func (c *postgresConn) sendCommit() (pgconn.CommandTag, error) {
	//mutant:drop TestRowCountIsComparedBeforeCommit
	if slices.ContainsFunc(c.waiting, func(s waitingStatement) bool { return s.rows != anyRows }) {
		if err := c.sendWaiting(context.Background()); err != nil {
			return pgconn.CommandTag{}, notRun{err}
		}
	}
	c.forgetWarning()
	//mutant:replace return c.exec(context.Background() => ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond); defer cancel(); return c.exec(ctx TestCommitOutlivesItsCaller
	return c.exec(context.Background(), waitingStatement{query: "commit", rows: anyRows})
}

// Rollback implements driver.Tx.
func (t postgresTx) Rollback() error {
	t.conn.reading, t.conn.waiting, t.conn.notBegun = false, nil, false
	if !t.conn.open() && !t.conn.Conn.Conn().IsClosed() {
		return nil // BEGIN was not sent, or failed
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := t.conn.Conn.Conn().Exec(ctx, "rollback")
	if err != nil {
		_ = t.conn.Close() // its state is unknown
	}
	return err
}

// errNotReplicated is the error of a commit whose wait for the synchronous standbys was
// canceled, as by pg_cancel_backend. Its outcome is unknown: its rows can be read, but
// are lost if a standby takes over.
var errNotReplicated = errors.New("database: committed, but the wait for the synchronous standbys was canceled")

const warning = "elsom: warning"

// noteWarning marks a connection that received the warning of a canceled wait. It is
// recognized by its code and the server's function, since servers translate the text and
// other warnings have the same code.
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	//mutant:replace && n.Routine == "SyncRepWaitForLSN" => TestOtherWarningIsNoCanceledWait
	if n.SeverityUnlocalized == "WARNING" && (n.Code == "01000" || n.Code == "57P01") && n.Routine == "SyncRepWaitForLSN" {
		c.CustomData()[warning] = true
	}
}

func (c *postgresConn) forgetWarning() { delete(c.Conn.Conn().PgConn().CustomData(), warning) }

func (c *postgresConn) warned() bool {
	return c.Conn.Conn().PgConn().CustomData()[warning] != nil
}
