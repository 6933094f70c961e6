// Package translog is the transparency log of the signed rows: a Merkle tree (RFC
// 6962) in the database whose signed checkpoints let others prove that nothing that
// was sealed has been removed, changed or inserted since.
//
// It guarantees that the log has exactly the records that were committed to
// log_queue, each once: a batch of them is sealed in one transaction that changes the
// tree only if it is still as it was read, so two sealers, a lost answer of a commit
// or a crash neither fork the log nor leave a gap. A tree that does not extend the
// last checkpoint that the process or its witness file has seen is never extended: the
// sealer stops until staff declare a new branch.
//
// Records are sealed after their commit, so there is a window in which a committed row
// is queued only. Sealing is not on the path of any payment, and no payment waits for
// it or is refused because of it.
package translog

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
)

// Options are the settings of a log.
type Options struct {
	// Keys sign and verify checkpoints; without a signing key the tree grows and no
	// checkpoint is made.
	Keys *checkpoint.Keys
	// Witness is the path of a file outside the database that keeps the last
	// checkpoint; empty: a restored database is noticed only by the processes that ran
	// before.
	Witness string
}

// Log is the log of a database. It is safe for concurrent use.
type Log struct {
	db      *database.DB
	keys    *checkpoint.Keys
	witness witness

	sealing sync.Mutex       // one batch at a time in a process
	known   *checkpoint.Tree // what the tree must extend; nil before the first look
	stopped atomic.Bool
	stops   atomic.Int64 // how often stopped became true
	refused atomic.Int64 // rows of the queue that the last look didn't seal

	batches       sealedBatches
	refusing      int64 // refused, of the look that runs
	refusalLogged time.Time
}

// New returns the log of a database.
func New(db *database.DB, options Options) *Log {
	return &Log{db: db, keys: options.Keys, witness: witness{path: options.Witness}, batches: sealedBatches{}}
}

// The reasons for which the sealer stops.
var (
	// ErrRestored reports a log that lacks what a checkpoint has: its database was
	// restored to an earlier moment.
	ErrRestored = errors.New("translog: the log is shorter than a checkpoint of it: the database was restored to an earlier moment")
	// ErrForked reports a log that doesn't contain what a checkpoint has: it was
	// changed, or restored and then extended.
	ErrForked = errors.New("translog: the log does not extend a checkpoint of it")
	// ErrDamaged reports tiles, seals or a state that contradict each other.
	ErrDamaged = errors.New("translog: the log is damaged")
	// ErrNoCheckpoint reports a log that has records and no checkpoint of them: something
	// without the key has removed the checkpoint or extended the log, or the key is new.
	ErrNoCheckpoint = errors.New("translog: the log has records and no checkpoint, and there is a key for checkpoints")
	// ErrNoCheckpointKey reports that the log has checkpoints and this process no key for them.
	ErrNoCheckpointKey = errors.New("translog: the log has checkpoints, and there is no key to sign the next one")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// Status describes the log for metrics.
type Status struct {
	Size int64
	// Unsealed is the number of records that wait, and Oldest the time of the first; zero
	// if none wait.
	Unsealed int64
	Oldest   time.Time
	// Sealed is the time of the last seal; zero if there is none.
	Sealed time.Time
	// Stopped reports that this process's sealer refuses to extend the log.
	Stopped bool
	// Stops is how often this process's sealer has stopped.
	Stops int64
	// Refused is the number of rows of the queue that this process doesn't seal, because
	// they were queued without one of its keys, or were sealed before.
	Refused int64
}
