package database

import (
	"context"
	"errors"
	"fmt"
)

// ErrRowCount is a statement that did not touch as many rows as it had to: the
// transaction must not commit. Another may have changed them meanwhile, so who
// reads first may well try again.
var ErrRowCount = errors.New("database: unexpected number of rows")

// RiderKind is a kind of rows that ride on money: they commit with the transfer
// they belong to, or not at all. A package declares its families in its store
// file; who carries the riders (the ledger) knows nothing of their tables.
type RiderKind[T any] struct {
	// Name is unique among families and orders them within a transaction.
	Name string
	// Judge, where there is one, reads what it needs for all rows at once and
	// returns the verdict on row i. Verdicts are asked in the rows' order; a
	// row whose verdict is nil counts as accepted for the rows behind it. At
	// most one rider of a transfer may judge.
	Check func(ctx context.Context, tx *Tx, rows []T) (verdict func(i int) error, err error)
	// Insert gives the accepted rows where they are only to be inserted: they
	// share a statement with the transfers and with other families.
	Insert func(tx *Tx, rows []T) (Rows, error)
	// Write writes the accepted rows, all in as few statements as it can, and
	// returns ErrRowCount when a statement touched another number of rows; nil
	// in a family that only judges or inserts.
	Write func(ctx context.Context, tx *Tx, rows []T) error
}

// Rider is a row of some family.
type Rider interface {
	// FamilyName orders riders; those of one family share it.
	KindName() string

	check(ctx context.Context, tx *Tx, riders []Rider) (func(i int) error, error)
	insert(tx *Tx, riders []Rider) ([]Rows, error)
	write(ctx context.Context, tx *Tx, riders []Rider) error
	onlyInserts() bool
}

// Row makes a rider of v.
func (f *RiderKind[T]) Row(v T) Rider { return &rider[T]{f, v} }

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

func (r *rider[T]) check(ctx context.Context, tx *Tx, riders []Rider) (func(i int) error, error) {
	if r.kind.Check == nil {
		return nil, nil
	}
	return r.kind.Check(ctx, tx, r.rows(riders))
}

func (r *rider[T]) insert(tx *Tx, riders []Rider) ([]Rows, error) {
	if r.kind.Insert == nil {
		return nil, nil
	}
	rows, err := r.kind.Insert(tx, r.rows(riders))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.kind.Name, err)
	}
	return []Rows{rows}, nil
}

func (r *rider[T]) write(ctx context.Context, tx *Tx, riders []Rider) error {
	if r.kind.Write == nil {
		return nil
	}
	if err := r.kind.Write(ctx, tx, r.rows(riders)); err != nil {
		return fmt.Errorf("%s: %w", r.kind.Name, err)
	}
	return nil
}

func (r *rider[T]) onlyInserts() bool { return r.kind.Check == nil && r.kind.Write == nil }

// CheckRiders asks the riders' family, all riders being of one, for its verdicts;
// nil where the family doesn't judge.
func CheckRiders(ctx context.Context, tx *Tx, riders []Rider) (func(i int) error, error) {
	return riders[0].check(ctx, tx, riders)
}

// OnlyInserts tells whether nobody among the riders judges or writes more than
// new rows.
func OnlyInserts(riders []Rider) bool {
	for _, r := range riders {
		if !r.onlyInserts() {
			return false
		}
	}
	return true
}

// WriteRiders writes riders, each list being of one family, with a record. What
// families write by themselves goes first.
func WriteRiders(ctx context.Context, tx *Tx, families [][]Rider, r WriteSet) error {
	for _, riders := range families {
		if err := riders[0].write(ctx, tx, riders); err != nil {
			return err
		}
		rows, err := riders[0].insert(tx, riders)
		if err != nil {
			return err
		}
		r.Inserts = append(r.Inserts, rows...)
	}
	return tx.Write(r)
}
