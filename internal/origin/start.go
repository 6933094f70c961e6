package origin

import (
	"context"
	"errors"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// ErrNeedsBaseline reports books whose rows were written without a key, and which are
// about to get one.
var ErrNeedsBaseline = errors.New("rows of this database were written without a key, and would not be used with one; " +
	"run `elsom key baseline` with the key of ELSOM_BOOKS_KEY and the role that owns the tables, then start again")

// CheckStart returns ErrNeedsBaseline if a portal that has keys can't begin to sign: rows
// are not signed, no key was ever recorded, and unsigned rows are not permitted.
func CheckStart(ctx context.Context, db *database.DB) error {
	if db.Keys() == nil {
		return nil
	}
	return fault.Wrap("origin.start", db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		open, err := isUndeclared(tx)
		if err != nil || !open {
			return err
		}
		hadKey, err := hasBooksKey(tx)
		if err != nil || hadKey {
			return err
		}
		unsigned, err := hasUnsigned(tx)
		//mutant:drop ./cmd/elsom TestCommandsOnBooksWithoutAKey
		if unsigned {
			return fault.New(fault.Unavailable, "origin.start", "").Because(ErrNeedsBaseline)
		}
		return err
	}))
}

// Start records that every row must be signed, in a database that doesn't permit
// unsigned rows and has no such record: a portal with keys calls it at its start.
func Start(ctx context.Context, db *database.DB) error {
	if db.Keys() == nil {
		return nil
	}
	return fault.Wrap("origin.start", db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		undeclared, err := isUndeclared(tx)
		if err != nil || !undeclared {
			return err
		}
		return tx.RequireSignatures(database.StartNew)
	}))
}

// isUndeclared reports whether unsigned rows are not permitted, and no record says so.
func isUndeclared(tx *database.Tx) (bool, error) {
	p, err := tx.Permission()
	return err == nil && !p.Open && p.Ended.IsZero() && !p.Flooded, err
}
