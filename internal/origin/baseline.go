package origin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

// baselineBatch is the number of rows that a baseline reads in one transaction. On
// SQLite each such transaction blocks all other writers.
const baselineBatch = 500

// The reasons for which there is no baseline.
var (
	errNoKeys = errors.New("there are no keys to sign with")
	errEnded  = errors.New("rows without a signature are not permitted any more, so there is nothing to declare: " +
		"a row without one was made by something else, see elsom help audit")
)

// Ref names a row of a signed table.
type Ref struct {
	Kind signature.Kind
	ID   int64
}

func (r Ref) String() string { return fmt.Sprintf("%s:%d", r.Kind, r.ID) }

// Options of a baseline.
type Options struct {
	// Report is called after each batch.
	Report func(Progress)
	// Accepted are mutable rows that are signed although the log has them as signed.
	Accepted []Ref
	// Quiet is how long no row may have been written without a signature before the
	// permission ends: otherwise a portal that doesn't sign is probably still running.
	Quiet time.Duration
	// Finish is called in the transaction that ends the permission.
	Finish func(ctx context.Context, tx *database.Tx, b Baseline) error
}

// Progress has the numbers of rows that a baseline has read and signed in a table so far.
type Progress struct {
	Table  string
	Pass   int   // 1 or 2
	Read   int64 // in this pass
	Signed int64
}

// Baseline has the results of Sign.
type Baseline struct {
	Tables []Progress
	// Before and After are the numbers of unsigned rows by table.
	Before, After map[string]int64
	// Stripped are rows without a signature that the log has as signed. They are not
	// signed again.
	Stripped []Ref
	// Undecided are those of Stripped that the previous release may have changed: as long
	// as there are any that are not accepted, the permission doesn't end.
	Undecided []Ref
	// Newest is when the newest of the rows that were signed now was written, except for
	// mutable rows, whose ids have no time; zero: none was.
	Newest time.Time
	// Ended reports that the permission has ended.
	Ended bool
}

// Sign signs the rows of all tables that are not signed, as found: it declares them, and
// says so by the id of the key. They are queued for the log as new rows are. Then it ends
// the permission for unsigned rows for good, unless there are Undecided rows or Newest is
// within Quiet. It returns fault.Conflict if the permission has ended before.
//
// A row that the log has as signed is never signed again: something removed its
// signature. Only the previous release does so rightly, with the mutable rows that it
// changes; those are signed if they are accepted.
//
// It runs beside portals of this release: in small batches, with pauses as long as they
// take. It can be interrupted at any time, and goes on where rows are not signed.
func Sign(ctx context.Context, db *database.DB, o Options) (b Baseline, err error) {
	const op = "origin.baseline"
	if db.Keys() == nil {
		return b, fault.New(fault.Invalid, op, "").Because(errNoKeys)
	}
	if err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		if err := permit(tx); err != nil {
			return err
		}
		b.Before, err = CountUnsigned(tx)
		return err
	}); err != nil {
		return b, fault.Wrap(op, err)
	}
	for pass := range 2 { // the second signs what was written unsigned during the first
		b.Stripped, b.Undecided = nil, nil
		for i, t := range required() {
			if pass == 0 {
				b.Tables = append(b.Tables, Progress{Table: t.Label()})
			}
			b.Tables[i].Pass = pass + 1
			if err := t.baseline(ctx, db, &b, i, o); err != nil {
				return b, fault.Wrap(op, err)
			}
		}
	}
	//mutant:replace len(b.Undecided) > 0 || => ./internal/audit TestBaselineKeepsWhatTheLogHas
	//mutant:replace || db.Now().Sub(b.Newest) < o.Quiet => ./internal/audit TestBaselineWaitsForUnsignedWrites
	if len(b.Undecided) > 0 || db.Now().Sub(b.Newest) < o.Quiet {
		return b, nil
	}
	err = db.InTx(ctx, func(ctx context.Context, tx *database.Tx) (err error) {
		if err := permit(tx); err != nil {
			return err
		}
		if err := tx.SetPermission(false); err != nil {
			return err
		}
		if b.After, err = CountUnsigned(tx); err != nil {
			return err
		}
		return o.Finish(ctx, tx, b)
	})
	b.Ended = err == nil
	return b, fault.Wrap(op, err)
}

// permit returns fault.Conflict if the permission for unsigned rows has ended. Books
// that never had a key get it: they are declared as those of the previous release.
func permit(tx *database.Tx) error {
	p, err := tx.Permission()
	if err != nil || p.Allowed() {
		return err
	}
	hadKey, err := hasBooksKey(tx)
	if err != nil {
		return err
	}
	//mutant:drop ./internal/audit TestBaselineAfterTheEnd
	if hadKey || !p.Ended.IsZero() || p.Flooded {
		return fault.New(fault.Conflict, "origin.baseline", "").Because(errEnded)
	}
	return tx.SetPermission(true)
}

// required returns the tables whose rows must be signed, and may be without a signature
// while that is permitted.
func required() []Table {
	return slices.DeleteFunc(slices.Clone(Tables), func(t Table) bool { return t.Optional || t.AlwaysSigned })
}

func (t Table) baseline(ctx context.Context, db *database.DB, b *Baseline, index int, o Options) error {
	progress := &b.Tables[index]
	after := int64(-1)
	progress.Read = 0
	var queued database.Leaves // by portals; read once, since the baseline itself fills the queue
	if err := db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
		queued, err = tx.Queued(t.Kind)
		return err
	}); err != nil {
		return err
	}
	for {
		started := db.Now()
		var read, unsigned []Row
		var stripped []Ref
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
			// Locked: another baseline may sign the same rows, and a mutable row may
			// change between the two statements.
			if read, err = t.read(tx, after, 0, baselineBatch, tx.ForUpdate()); err != nil {
				return err
			}
			unsigned = slices.DeleteFunc(slices.Clone(read), func(r Row) bool { return len(r.MAC) > 0 })
			if unsigned, stripped, err = t.declarable(tx, unsigned, queued, o.Accepted); err != nil {
				return err
			}
			return t.sign(tx, db.Keys(), unsigned)
		})
		if err != nil {
			return err
		}
		b.Stripped = append(b.Stripped, stripped...)
		if t.Mutable {
			b.Undecided = append(b.Undecided, stripped...)
		}
		if len(read) == 0 {
			return nil
		}
		if n := len(unsigned); n > 0 && !t.Mutable {
			if written := database.TimeOfID(unsigned[n-1].Record.ID()); written.After(b.Newest) {
				b.Newest = written
			}
		}
		after = read[len(read)-1].Record.ID()
		progress.Read, progress.Signed = progress.Read+int64(len(read)), progress.Signed+int64(len(unsigned))
		o.Report(*progress)
		if len(unsigned) > 0 {
			select {
			case <-time.After(db.Now().Sub(started)):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// declarable returns those of unsigned rows that may be declared, and the others: those
// that the log or the queue has as signed, and which are not accepted.
func (t Table) declarable(tx *database.Tx, unsigned []Row, queued database.Leaves, accepted []Ref) (may []Row, stripped []Ref, err error) {
	ids := make([]int64, len(unsigned))
	for i, r := range unsigned {
		ids[i] = r.Record.ID()
	}
	sealed, err := tx.Sealed(t.Kind, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range unsigned {
		ref := Ref{t.Kind, r.Record.ID()}
		known := len(sealed[ref.ID]) > 0 || len(queued[ref.ID]) > 0
		//mutant:replace known && !(t.Mutable => !known && !(t.Mutable ./internal/audit TestBaselineKeepsWhatTheLogHas
		if known && !(t.Mutable && slices.Contains(accepted, ref)) {
			stripped = append(stripped, ref)
			continue
		}
		may = append(may, r)
	}
	return may, stripped, nil
}
