package database

import (
	"errors"
	"fmt"
)

// ErrRowCount reports a statement that did not change the number of rows it had
// to: the transaction must not commit. Another transaction may have changed the
// rows meanwhile, so a caller that reads them again may succeed.
var ErrRowCount = errors.New("database: unexpected number of rows")

// RiderKind describes one kind of rider: rows of type T that commit together
// with a transfer of money or not at all. A package declares its kinds in its
// store file, so that the ledger, which writes the riders, needs no knowledge of
// their tables.
type RiderKind[T any] struct {
	// Name is unique among the kinds and orders them within a transaction.
	Name string
	// Check is optional. It reads what it needs for all rows at once and returns
	// a function that reports why row i is refused, or nil. That function is
	// called in the order of the rows; a row that it accepts counts for the rows
	// behind it, although a transaction limit may still refuse its transfer. At most
	// one rider of a transfer may have a kind with Check.
	Check func(tx *Tx, rows []T) (refusal func(i int) error, err error)
	// Insert is optional. It returns the accepted rows as rows to insert, which
	// share a statement with the transfers and with other kinds.
	Insert func(tx *Tx, rows []T) (Rows, error)
	// Write is optional. It writes the accepted rows in as few statements as it
	// can, and returns ErrRowCount when a statement changed another number of
	// rows than it had to.
	Write func(tx *Tx, rows []T) error
}

// Rider is one row of some rider kind.
type Rider interface {
	// KindName is RiderKind.Name.
	KindName() string

	check(tx *Tx, riders []Rider) (func(i int) error, error)
	insert(tx *Tx, riders []Rider) ([]Rows, error)
	write(tx *Tx, riders []Rider) error
	onlyInserts() bool
}

// Row returns v as a rider.
func (k *RiderKind[T]) Row(v T) Rider { return &rider[T]{k, v} }

type rider[T any] struct {
	kind  *RiderKind[T]
	value T
}

func (r *rider[T]) KindName() string { return r.kind.Name }

func (r *rider[T]) rows(riders []Rider) []T {
	rows := make([]T, len(riders))
	for i, other := range riders {
		rows[i] = other.(*rider[T]).value
	}
	return rows
}

func (r *rider[T]) check(tx *Tx, riders []Rider) (func(i int) error, error) {
	if r.kind.Check == nil {
		return func(int) error { return nil }, nil
	}
	return r.kind.Check(tx, r.rows(riders))
}

func (r *rider[T]) insert(tx *Tx, riders []Rider) ([]Rows, error) {
	if r.kind.Insert == nil {
		return []Rows{}, nil
	}
	rows, err := r.kind.Insert(tx, r.rows(riders))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.kind.Name, err)
	}
	return []Rows{rows}, nil
}

func (r *rider[T]) write(tx *Tx, riders []Rider) error {
	if r.kind.Write == nil {
		return nil
	}
	if err := r.kind.Write(tx, r.rows(riders)); err != nil {
		return fmt.Errorf("%s: %w", r.kind.Name, err)
	}
	return nil
}

func (r *rider[T]) onlyInserts() bool { return r.kind.Check == nil && r.kind.Write == nil }

// CheckRiders checks riders that are all of one kind; see RiderKind.Check. A
// kind without Check accepts all.
func CheckRiders(tx *Tx, riders []Rider) (refusal func(i int) error, err error) {
	return riders[0].check(tx, riders)
}

// OnlyInserts reports whether no rider has a kind with Check or Write.
func OnlyInserts(riders []Rider) bool {
	for _, r := range riders {
		if !r.onlyInserts() {
			return false
		}
	}
	return true
}

// WriteRiders writes riders, grouped by kind, and the write set of their
// transfers. The Write functions of the kinds run before the write set, which
// includes the rows of their Insert functions.
func WriteRiders(tx *Tx, groups [][]Rider, set WriteSet) error {
	for _, riders := range groups {
		if err := riders[0].write(tx, riders); err != nil {
			return err
		}
		rows, err := riders[0].insert(tx, riders)
		if err != nil {
			return err
		}
		set.Inserts = append(set.Inserts, rows...)
	}
	return tx.Write(set)
}
