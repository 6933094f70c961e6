package database

import (
	"fmt"
)

// Update is an UPDATE in which each row of a table v of values changes one row.
type Update struct {
	Set    string // the table and what it gets: "accounts SET balance = …"
	Where  string // which of its rows a row of v changes, and on what conditions
	Values []Column
}

// WriteSet is an update and rows to insert, which one transaction writes.
type WriteSet struct {
	Update  Update
	Inserts []Rows
}

func (c Update) count() int64 {
	if len(c.Values) == 0 {
		return 0
	}
	return int64(c.Values[0].count)
}

// Update makes a change; ErrRowCount where it isn't made to one row each, as its
// conditions want them.
func (tx *Tx) Update(c Update) error {
	if c.count() == 0 {
		return nil
	}
	if tx.Dialect() == Postgres {
		update, args := c.fromArrays()
		return tx.changed(c, update, args)
	}
	values, args := tx.Values(c.Values...)
	return tx.changed(c, "WITH v("+names(c.Values)+") AS ("+values+") UPDATE "+c.Set+" FROM v WHERE "+c.Where, args)
}

func (tx *Tx) changed(c Update, statement string, args []any) error {
	result := tx.gorm.Exec(statement, args...)
	//mutant:drop ./internal/ledger TestMalformedPostingsAreRefused
	if result.Error == nil && result.RowsAffected != c.count() {
		return fmt.Errorf("%w: %d of %d", ErrRowCount, result.RowsAffected, c.count())
	}
	return result.Error
}

func (c Update) fromArrays() (update string, args []any) {
	from, args := unnest(c.Values)
	return "UPDATE " + c.Set + " FROM " + from + " AS v(" + names(c.Values) + ") WHERE " + c.Where, args
}

// Write writes a write set; ErrRowCount as in Update. On PostgreSQL it is one
// statement, whose parts run in no defined order: like the rows of Insert, the
// update must be independent of the inserts. If it changes a wrong number of rows,
// the inserts are rolled back with the transaction.
func (tx *Tx) Write(r WriteSet) error {
	if tx.Dialect() == Postgres && r.Update.count() > 0 {
		with, args := withInserts(r.Inserts)
		update, more := r.Update.fromArrays()
		return tx.changed(r.Update, with+update, append(args, more...))
	}
	if err := tx.Update(r.Update); err != nil {
		return err
	}
	return tx.Insert(r.Inserts...)
}
