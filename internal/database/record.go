package database

import (
	"fmt"
)

// Change is an UPDATE in which each row of a table v of values changes one row.
type Change struct {
	Set   string // the table and what it gets: "accounts SET balance = …"
	Where string // which of its rows a row of v changes, and on what conditions
	V     []Column
}

// Record is what a transaction writes: First, then Rows.
type Record struct {
	First Change
	Rows  []Rows
}

func (c Change) count() int64 {
	if len(c.V) == 0 {
		return 0
	}
	return int64(c.V[0].count)
}

// Change makes a change; ErrRowCount where it isn't made to one row each, as its
// conditions want them.
func (tx *Tx) Change(c Change) error {
	if c.count() == 0 {
		return nil
	}
	if tx.Dialect() == Postgres {
		update, args := c.fromArrays()
		return tx.changed(c, update, args)
	}
	values, args := tx.Values(c.V...)
	return tx.changed(c, "WITH v("+names(c.V)+") AS ("+values+") UPDATE "+c.Set+" FROM v WHERE "+c.Where, args)
}

func (tx *Tx) changed(c Change, statement string, args []any) error {
	result := tx.gorm.Exec(statement, args...)
	//mutant:drop ./internal/ledger TestMalformedPostingsAreRefused
	if result.Error == nil && result.RowsAffected != c.count() {
		return fmt.Errorf("%w: %d of %d", ErrRowCount, result.RowsAffected, c.count())
	}
	return result.Error
}

func (c Change) fromArrays() (update string, args []any) {
	from, args := unnest(c.V)
	return "UPDATE " + c.Set + " FROM " + from + " AS v(" + names(c.V) + ") WHERE " + c.Where, args
}

// Record writes a record; ErrRowCount as Change says it. On PostgreSQL First and
// Rows are one statement, whose own UPDATE runs before what stands in WITH.
func (tx *Tx) Record(r Record) error {
	if tx.Dialect() == Postgres && r.First.count() > 0 {
		with, args := withInserts(r.Rows)
		update, more := r.First.fromArrays()
		return tx.changed(r.First, with+update, append(args, more...))
	}
	if err := tx.Change(r.First); err != nil {
		return err
	}
	return tx.Insert(r.Rows...)
}
