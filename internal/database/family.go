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

// Family is a kind of rows that ride on money: they commit with the transfer
// they belong to, or not at all. A package declares its families in its store
// file; who carries the riders (the ledger) knows nothing of their tables.
type Family[T any] struct {
	// Name is unique among families and orders them within a transaction.
	Name string
	// Judge, where there is one, reads what it needs for all rows at once and
	// returns the verdict on row i. Verdicts are asked in the rows' order; a
	// row whose verdict is nil counts as accepted for the rows behind it. At
	// most one rider of a transfer may judge.
	Judge func(ctx context.Context, tx *Tx, rows []T) (verdict func(i int) error, err error)
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
	FamilyName() string

	judge(ctx context.Context, tx *Tx, riders []Rider) (func(i int) error, error)
	insert(tx *Tx, riders []Rider) ([]Rows, error)
	write(ctx context.Context, tx *Tx, riders []Rider) error
	onlyInserts() bool
}

// Row makes a rider of v.
func (f *Family[T]) Row(v T) Rider { return &rider[T]{f, v} }

type rider[T any] struct {
	family *Family[T]
	value  T
}

func (r *rider[T]) FamilyName() string { return r.family.Name }

func (r *rider[T]) rows(riders []Rider) []T {
	rows := make([]T, len(riders))
	for i, other := range riders {
		rows[i] = other.(*rider[T]).value
	}
	return rows
}

func (r *rider[T]) judge(ctx context.Context, tx *Tx, riders []Rider) (func(i int) error, error) {
	if r.family.Judge == nil {
		return nil, nil
	}
	return r.family.Judge(ctx, tx, r.rows(riders))
}

func (r *rider[T]) insert(tx *Tx, riders []Rider) ([]Rows, error) {
	if r.family.Insert == nil {
		return nil, nil
	}
	rows, err := r.family.Insert(tx, r.rows(riders))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.family.Name, err)
	}
	return []Rows{rows}, nil
}

func (r *rider[T]) write(ctx context.Context, tx *Tx, riders []Rider) error {
	if r.family.Write == nil {
		return nil
	}
	if err := r.family.Write(ctx, tx, r.rows(riders)); err != nil {
		return fmt.Errorf("%s: %w", r.family.Name, err)
	}
	return nil
}

func (r *rider[T]) onlyInserts() bool { return r.family.Judge == nil && r.family.Write == nil }

// Judge asks the riders' family, all riders being of one, for its verdicts;
// nil where the family doesn't judge.
func Judge(ctx context.Context, tx *Tx, riders []Rider) (func(i int) error, error) {
	return riders[0].judge(ctx, tx, riders)
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

// Write writes riders, each list being of one family, with a record. What
// families write by themselves goes first.
func Write(ctx context.Context, tx *Tx, families [][]Rider, r Record) error {
	for _, riders := range families {
		if err := riders[0].write(ctx, tx, riders); err != nil {
			return err
		}
		rows, err := riders[0].insert(tx, riders)
		if err != nil {
			return err
		}
		r.Rows = append(r.Rows, rows...)
	}
	return tx.Record(r)
}
