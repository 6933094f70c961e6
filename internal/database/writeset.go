package database

import (
	"fmt"

	"gorm.io/gorm"
)

// Update is an UPDATE of many rows by a table v of values: each row of v must change
// one row of the table. Set and Where are constants of the program; the values come
// from Values.
type Update struct {
	Set    string   // the table and its assignments: "accounts SET balance = balance + v.amount"
	Where  string   // joins v by a unique key and has the conditions: "accounts.id = v.id AND …"
	Values []Column // the columns of v, of equal length
}

// WriteSet is an update and rows to insert, which one transaction writes.
type WriteSet struct {
	Update  Update
	Inserts []Rows
}

// count returns the number of rows of v.
func (u Update) count() int64 {
	if len(u.Values) == 0 {
		return 0
	}
	return int64(u.Values[0].count)
}

// Update runs u. It returns ErrRowCount if the number of changed rows is not that of
// v's rows; the caller must roll back then. On PostgreSQL v comes from arrays, so that
// the statement's text is the same for any number of rows and is planned once.
func (tx *Tx) Update(u Update) error {
	if u.count() == 0 {
		return nil
	}
	if tx.Dialect() == Postgres {
		update, args := u.fromArrays()
		return tx.execUpdate(u, update, args)
	}
	return tx.updateFromValues(u)
}

// UpdateWithNext is Update, but PostgreSQL gets the statement together with the
// transaction's next one, which returns ErrRowCount if the number of rows is wrong.
func (tx *Tx) UpdateWithNext(u Update) error {
	if u.count() == 0 {
		return nil
	}
	if tx.Dialect() == SQLite {
		return tx.updateFromValues(u)
	}
	update, args := u.fromArrays()
	return tx.later(u.count()).Exec(update, args...).Error
}

// later returns a handle whose statements are sent as those of withNext.
func (tx *Tx) later(rows int64) *gorm.DB {
	return tx.gorm.WithContext(withNext(tx.gorm.Statement.Context, rows))
}

func (tx *Tx) updateFromValues(u Update) error {
	values, args := tx.Values(u.Values...)
	return tx.execUpdate(u, "WITH v("+names(u.Values)+") AS ("+values+") UPDATE "+u.Set+" FROM v WHERE "+u.Where, args)
}

// execUpdate runs a statement and compares the rows that its UPDATE changed; rows of
// inserts in the same statement are not counted.
func (tx *Tx) execUpdate(u Update, statement string, args []any) error {
	result := tx.gorm.Exec(statement, args...)
	//mutant:drop ./internal/ledger TestMalformedPostingsAreRefused
	if result.Error == nil && result.RowsAffected != u.count() {
		return fmt.Errorf("%w: %d of %d", ErrRowCount, result.RowsAffected, u.count())
	}
	return result.Error
}

func (u Update) fromArrays() (update string, args []any) {
	query, args := unnest(u.Values)
	return "UPDATE " + u.Set + " FROM (" + query + ") AS v(" + names(u.Values) + ") WHERE " + u.Where, args
}

// Write writes a write set. It returns ErrRowCount as Update does; the rollback then
// also undoes the inserts. What the transaction has signed so far is queued for the log
// with them.
//
// On PostgreSQL it is one statement, to save round trips. Its parts run in no defined
// order and see the same snapshot, so the update and each group of inserted rows must be
// independent of the others. Without an update the statement is sent together with the
// next one or with COMMIT, which then returns its error.
func (tx *Tx) Write(w WriteSet) error {
	w.Inserts = append(w.Inserts, tx.takeQueued()...)
	if tx.Dialect() == Postgres && w.Update.count() > 0 {
		with, args := withInserts(w.Inserts)
		update, more := w.Update.fromArrays()
		return tx.execUpdate(w.Update, with+update, append(args, more...))
	}
	if err := tx.Update(w.Update); err != nil {
		return err
	}
	return tx.insert(tx.later(anyRows), w.Inserts)
}
