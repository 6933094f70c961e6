package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// On PostgreSQL a writing transaction sends some of its statements together with the next
// one, as a pipeline, to save round trips: BEGIN with its first statement, and those of a
// context of withNext. PostgreSQL runs them in order and stops at the first error.

// waitingStatement is a statement that is sent together with the next one.
type waitingStatement struct {
	query string
	args  []driver.NamedValue
	rows  int64 // what it must change; anyRows: any number
}

const anyRows = -1

// nextKey is the context's key of withNext.
type nextKey struct{}

// withNext returns a context whose statements are sent with the next statement, or with
// COMMIT, of their transaction, which returns their error: ErrRowCount if another number
// of rows than rows was changed. Their own result has no rows. SQLite ignores it.
func withNext(ctx context.Context, rows int64) context.Context {
	return context.WithValue(ctx, nextKey{}, rows)
}

// wait keeps a statement for the next one, if its context asks for that.
func (c *postgresConn) wait(ctx context.Context, query string, args []driver.NamedValue) bool {
	rows, ok := ctx.Value(nextKey{}).(int64)
	if ok = ok && c.inTransaction(); ok {
		c.waiting = append(c.waiting, waitingStatement{query, args, rows})
	}
	return ok
}

// beginText returns the BEGIN of a writing transaction.
func beginText(isolation driver.IsolationLevel) (string, error) {
	switch level := sql.IsolationLevel(isolation); level {
	case sql.LevelDefault:
		return "begin", nil
	case sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable:
		return "begin isolation level " + level.String(), nil
	default:
		return "", fmt.Errorf("database: isolation %s", level)
	}
}

// sendWaiting sends the statements that wait, without another one.
func (c *postgresConn) sendWaiting(ctx context.Context) error {
	if len(c.waiting) == 0 {
		return nil
	}
	last := c.waiting[len(c.waiting)-1]
	c.waiting = c.waiting[:len(c.waiting)-1]
	_, err := c.exec(ctx, last)
	return err
}

// exec sends a statement behind those that wait. An error of one of them is notRun.
func (c *postgresConn) exec(ctx context.Context, last waitingStatement) (pgconn.CommandTag, error) {
	var tag pgconn.CommandTag
	err := c.send(ctx, last, func(results pgx.BatchResults) (err error) {
		tag, err = results.Exec()
		return err
	})
	if err == nil && last.rows != anyRows && tag.RowsAffected() != last.rows {
		err = rowCountError(tag.RowsAffected(), last.rows)
	}
	return tag, err
}

// query sends a query behind those statements that wait, and reads its rows.
func (c *postgresConn) query(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	read := &readRows{}
	err := c.send(ctx, waitingStatement{query: query, args: args}, func(results pgx.BatchResults) error {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		return read.readAll(rows)
	})
	if err != nil {
		return nil, err
	}
	return read, nil
}

// send sends the statements that wait and a last one, whose result readLast reads.
func (c *postgresConn) send(ctx context.Context, last waitingStatement, readLast func(pgx.BatchResults) error) error {
	before := c.waiting
	c.waiting = nil
	if c.Conn.Conn().IsClosed() {
		return driver.ErrBadConn
	}
	batch := &pgx.Batch{}
	for _, s := range append(before, last) {
		batch.Queue(s.query, valuesOf(s.args)...)
	}
	results := c.Conn.Conn().SendBatch(ctx, batch)
	err := readWaiting(results, before)
	if err == nil {
		err = readLast(results)
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil && len(before) > 0 && !c.open() {
		c.notBegun = true
	}
	c.checkError(err)
	return err
}

// errNotBegun is the error of a statement after the first one of its transaction failed
// before BEGIN was run, as when it can't be prepared: it would be a transaction of its own.
var errNotBegun = errors.New("database: the transaction was not begun")

// readWaiting reads the results of the statements that waited.
func readWaiting(results pgx.BatchResults, statements []waitingStatement) error {
	for _, s := range statements {
		tag, err := results.Exec()
		var refused *pgconn.PgError
		// A pooler may report that it has lost the server instead of passing on a result,
		// although the server has committed.
		//mutant:replace && !unknownOutcome(refused.Code) => TestServerLostByPoolerIsUnknown
		if errors.As(err, &refused) && !unknownOutcome(refused.Code) {
			return notRun{err}
		}
		if err != nil {
			return err
		}
		//mutant:drop TestRowCountIsComparedBeforeCommit
		if s.rows != anyRows && tag.RowsAffected() != s.rows {
			return rowCountError(tag.RowsAffected(), s.rows)
		}
	}
	return nil
}

func rowCountError(got, want int64) error { return fmt.Errorf("%w: %d of %d", ErrRowCount, got, want) }

// notRun is the server's error of a statement that was sent before another one, so that
// the other one did not run: a COMMIT has committed nothing.
type notRun struct{ error }

func (e notRun) Unwrap() error { return e.error }

func valuesOf(args []driver.NamedValue) []any {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	return values
}

// readRows are the rows of a query in a pipeline, all read: the results of the connection
// must be read before its next statement is sent.
type readRows struct {
	columns []string
	rows    [][]any
}

func (r *readRows) readAll(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		r.rows = append(r.rows, values)
	}
	for _, f := range rows.FieldDescriptions() {
		r.columns = append(r.columns, f.Name)
	}
	return rows.Err()
}

// Columns implements driver.Rows.
func (r *readRows) Columns() []string { return r.columns }

// Close implements driver.Rows.
func (r *readRows) Close() error { return nil }

// Next implements driver.Rows.
func (r *readRows) Next(into []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	for i, value := range r.rows[0] {
		var err error
		if into[i], err = driverValue(value); err != nil {
			return fmt.Errorf("database: column %s: %w", r.columns[i], err)
		}
	}
	r.rows = r.rows[1:]
	return nil
}

// driverValue returns a value of pgx as one of database/sql.
func driverValue(value any) (driver.Value, error) {
	switch v := value.(type) {
	case nil, int64, float64, bool, []byte, string, time.Time:
		return v, nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case float32:
		return float64(v), nil
	case driver.Valuer:
		return v.Value()
	}
	return nil, fmt.Errorf("type %T is not supported in a transaction's first query", value)
}
