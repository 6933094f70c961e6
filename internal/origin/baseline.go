package origin

import (
	"context"
	"errors"
	"slices"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// baselineBatch is the number of rows that a baseline reads in one transaction. On
// SQLite each such transaction blocks all other writers.
const baselineBatch = 500

var errNoKeys = errors.New("there are no keys to sign with")

// Progress is what a baseline has done in a table so far.
type Progress struct {
	Table  string
	Pass   int   // 1 or 2
	Read   int64 // in this pass
	Signed int64
}

// Baseline signs the rows of all tables that are not signed, as found: it declares
// them, and says so by the id of the key. They are queued for the log as new rows are.
// Then it ends the permission for unsigned rows.
//
// It runs beside portals: in small batches, with pauses as long as they take. It can
// be interrupted at any time, and goes on where rows are not signed. report is called
// after each batch, and finish in the transaction that ends the permission.
//
// A portal that still writes unsigned rows, of the previous release or without the
// key, writes violations afterwards.
func Baseline(ctx context.Context, db *database.DB, report func(Progress), finish func(ctx context.Context, tx *database.Tx, done []Progress) error) ([]Progress, error) {
	const op = "origin.baseline"
	if db.Keys() == nil {
		return nil, fault.New(fault.Invalid, op, "").Because(errNoKeys)
	}
	done := make([]Progress, len(Tables))
	for pass := range 2 { // the second signs what was written unsigned during the first
		for i, t := range Tables {
			done[i].Table, done[i].Pass = t.Name, pass+1
			if err := t.baseline(ctx, db, &done[i], report); err != nil {
				return done, fault.Wrap(op, err)
			}
		}
	}
	return done, fault.Wrap(op, db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := endPermission(tx); err != nil {
			return err
		}
		return finish(ctx, tx, done)
	}))
}

func (t Table) baseline(ctx context.Context, db *database.DB, progress *Progress, report func(Progress)) error {
	after := int64(-1)
	progress.Read = 0
	for {
		started := db.Now()
		var read, unsigned []Row
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
			// Locked: another baseline may sign the same rows, and a mutable row may
			// change between the two statements.
			if read, err = t.read(tx, after, 0, baselineBatch, tx.ForUpdate()); err != nil {
				return err
			}
			unsigned = slices.DeleteFunc(slices.Clone(read), func(r Row) bool { return len(r.MAC) > 0 })
			return t.sign(tx, db.Keys(), unsigned)
		})
		if err != nil {
			return err
		}
		if len(read) == 0 {
			return nil
		}
		after = read[len(read)-1].Record.ID()
		progress.Read, progress.Signed = progress.Read+int64(len(read)), progress.Signed+int64(len(unsigned))
		report(*progress)
		if len(unsigned) > 0 {
			select {
			case <-time.After(db.Now().Sub(started)):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}
