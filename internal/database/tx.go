package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"

	"elsom/internal/fault"
)

// Tx is a running transaction. Its GORM handle is for store files only.
type Tx struct {
	db     *DB
	gorm   *gorm.DB
	queued []byte // signed rows that are not in log_queue yet
	single bool   // of InStatement
	// unsigned reports that rows were signed without a key.
	unsigned bool
}

// Gorm returns the transaction's handle; for store files only.
func (tx *Tx) Gorm() *gorm.DB { return tx.gorm }

// Now returns the current time as the database stores it.
func (tx *Tx) Now() time.Time { return tx.db.Now() }

// NewID returns a new id; see DB.NewID.
func (tx *Tx) NewID() int64 { return tx.db.NewID() }

// Dialect returns the kind of database.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// maxTries is the number of times that a transaction is run at most.
const maxTries = 8

// InTx runs a function in one transaction and commits it when the function
// returns nil.
//
// A transaction that fails because of another one (serialization failure,
// deadlock, busy) or that loses its connection before COMMIT is run again from
// the start, so the function must have no effects outside the transaction.
//
// ctx limits the function and the caller's waiting, but never cancels COMMIT.
// The error is fault.Unknown if the commit may have succeeded: its connection
// was lost, ctx ended while it waited for standbys, or that wait was canceled.
// It is fault.Unavailable if the database cannot be reached, accepts no writes
// or is too slow.
func (db *DB) InTx(ctx context.Context, run func(ctx context.Context, tx *Tx) error) error {
	return db.again(ctx, func() error { return db.tryTx(ctx, run) })
}

// InStatement is InTx for a single statement, which the database commits by
// itself and so saves two round trips. It is run again also if its answer was
// lost, so it must be idempotent. It can't sign rows.
func (db *DB) InStatement(ctx context.Context, statement func(tx *Tx) error) error {
	return db.again(ctx, func() error {
		if err := db.beginWriting(ctx); err != nil {
			return err
		}
		defer db.endWriting()
		return statement(&Tx{db: db, gorm: db.gorm.WithContext(ctx), single: true})
	})
}

// beginWriting waits on SQLite, which has one writer, until no other transaction
// writes.
func (db *DB) beginWriting(ctx context.Context) error {
	if db.writer == nil {
		return nil
	}
	select {
	case db.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) endWriting() {
	if db.writer != nil {
		<-db.writer
	}
}

// again runs a function until it fails with an error that is not retryable.
func (db *DB) again(ctx context.Context, run func() error) error {
	var err error
	for try := range maxTries {
		if try > 0 {
			pause := time.Duration(1<<min(try, 6)) * time.Millisecond
			pause += time.Duration(rand.Int64N(int64(pause))) //nolint:gosec // jitter, not a secret
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return fault.Wrap("database.tx", ctx.Err())
			}
		}
		err = run()
		if err == nil || !IsRetryable(err) || fault.Is(err, fault.Unknown) {
			break
		}
	}
	if err != nil && !isFault(err) && unavailable(err) {
		return fault.New(fault.Unavailable, "database.tx", "").Because(err)
	}
	return err
}

func (db *DB) tryTx(ctx context.Context, run func(ctx context.Context, tx *Tx) error) (err error) {
	if err := db.beginWriting(ctx); err != nil {
		return err
	}
	defer db.endWriting()
	//mutant:drop TestDetachedCommitsLeaveConnectionsForReaders
	if db.detached.Load() >= maxDetached {
		return fault.New(fault.Unavailable, "database.tx", "").Because(errCommitsWait)
	}
	handle := db.gorm.WithContext(inMemory(ctx)).Begin()
	if handle.Error != nil {
		return handle.Error
	}
	done := false
	defer func() {
		if !done { // run failed or panicked
			//mutant:replace Rollback => Commit TestInTxRollsBack
			handle.Rollback()
		}
	}()
	tx := &Tx{db: db, gorm: handle}
	if err := run(ctx, tx); err != nil {
		return err
	}
	//mutant:drop TestSignedRowsAreQueued
	if err := tx.writeQueued(); err != nil {
		return err
	}
	if err := tx.checkUnsigned(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // nothing was committed
	}
	done = true
	return db.commit(ctx, handle)
}

// detachedLimit is the time that a commit may take after its caller has stopped
// waiting before the database counts as unhealthy. A client that disconnects
// during a commit is normal, and that commit ends soon.
const detachedLimit = time.Second

// maxDetached is the number of connections that commits without callers may
// hold; the others are for readers.
const maxDetached = MaxConnections / 2

var errCommitsWait = errors.New("database: earlier commits still wait for their standbys")

// commit sends COMMIT and waits for it until ctx ends. It does not cancel it: a
// commit that waits for synchronous standbys continues in the background.
func (db *DB) commit(ctx context.Context, handle *gorm.DB) error {
	if db.dialect == SQLite {
		return commitError(handle.Commit().Error)
	}
	committed := make(chan error, 1)
	go func() { committed <- commitError(handle.Commit().Error) }()
	select {
	case err := <-committed:
		return err
	//mutant:drop TestCommitOutlivesItsCaller
	case <-ctx.Done():
	}
	db.detached.Add(1)
	go db.awaitDetached(committed)
	return fault.New(fault.Unknown, "database.commit", "").Because(ctx.Err())
}

// awaitDetached waits for a commit whose caller has stopped waiting.
func (db *DB) awaitDetached(committed <-chan error) {
	defer db.detached.Add(-1)
	var err error
	select {
	case err = <-committed:
	//mutant:replace detachedLimit => detachedLimit - detachedLimit TestShortDetachedCommitIsHealthy
	case <-time.After(detachedLimit):
		db.hanging.Add(1)
		err = <-committed
		db.hanging.Add(-1)
	}
	if err != nil {
		slog.Warn("database: a commit failed after its caller stopped waiting", "error", oneLine{err})
	}
}

// HasDetachedCommits reports whether there are commits in progress whose callers have
// stopped waiting.
func (db *DB) HasDetachedCommits() bool { return db.detached.Load() > 0 }

// UnknownIfPending replaces fault.Unavailable by fault.Unknown if an earlier
// request for the same operation may still be committing: the error says
// nothing about that one.
func (db *DB) UnknownIfPending(err error) error {
	//mutant:drop ./internal/e2e/chaos TestStandbyAway
	if fault.Is(err, fault.Unavailable) && (db.HasDetachedCommits() || errors.Is(err, context.DeadlineExceeded)) {
		return fault.New(fault.Unknown, "database.unsure", "").Because(err)
	}
	return err
}

// isFault reports whether an error has a fault kind already.
func isFault(err error) bool { return errors.As(err, new(*fault.Error)) }

// PurgeBatch is the number of rows that a purge deletes in one transaction. On
// SQLite each such transaction blocks all other writers.
const PurgeBatch = 1000

// Purge runs a DELETE, whose last placeholder is its maximum number of rows,
// until no rows are left, and returns the number of rows deleted.
func (db *DB) Purge(ctx context.Context, statement string, args ...any) (deleted int64, err error) {
	args = append(slices.Clone(args), PurgeBatch)
	for {
		var batch int64
		err := db.InTx(ctx, func(_ context.Context, tx *Tx) error {
			result := tx.gorm.Exec(statement, args...)
			batch = result.RowsAffected
			return result.Error
		})
		if err != nil {
			return deleted, err
		}
		if deleted += batch; batch < PurgeBatch {
			return deleted, nil
		}
	}
}

// ReadTx runs a function in a read-only transaction that sees one snapshot from
// its first statement on, however long it takes. It neither blocks writers nor
// waits for them.
func (db *DB) ReadTx(ctx context.Context, run func(ctx context.Context, tx *Tx) error) error {
	//mutant:replace true => false TestReadTx
	options := &sql.TxOptions{ReadOnly: true} // on SQLite: deferred, a snapshot of the WAL
	if db.dialect == Postgres {
		//mutant:replace LevelRepeatableRead => LevelReadCommitted TestReadTx
		options.Isolation = sql.LevelRepeatableRead
	}
	handle := db.gorm.WithContext(ctx).Begin(options)
	if handle.Error != nil {
		return handle.Error
	}
	defer handle.Rollback() // there is nothing to commit
	if db.dialect == Postgres {
		// These transactions read whole tables and may be idle for long, which is
		// harmless, since no other transaction waits for them. The last two
		// settings are repeated for poolers that drop connection parameters: the
		// audit compares definitions as they are printed with these.
		//mutant:replace , "idle_in_transaction_session_timeout = 0" => TestAbandonedAfterTenSeconds
		//mutant:replace off", "standard_conforming_strings = on => on", "standard_conforming_strings = off ./internal/audit TestSettingsOfTheRoleAreNoViolations
		for _, setting := range []string{
			"enable_seqscan = on", "plan_cache_mode = auto", "idle_in_transaction_session_timeout = 0",
			"quote_all_identifiers = off", "standard_conforming_strings = on",
		} {
			if err := handle.Exec("SET LOCAL " + setting).Error; err != nil {
				return err
			}
		}
	}
	return run(ctx, &Tx{db: db, gorm: handle})
}

// commitError returns err if the database refused the commit, and fault.Unknown
// if the commit may have succeeded.
func commitError(err error) error {
	var pg *pgconn.PgError
	var lite *sqlite3.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return err // an earlier statement had failed and its error was ignored
	//mutant:drop TestRowCountIsComparedBeforeCommit
	case errors.As(err, new(notRun)):
		return err // a statement that was sent with COMMIT has failed
	case errors.As(err, &pg) && !unknownOutcome(pg.Code), errors.As(err, &lite) && !errors.Is(err, sqlite3.IOERR):
		return err // the database reports that nothing was committed
	}
	//mutant:replace fault.New(fault.Unknown, "database.commit", "").Because(err) => err TestLostCommitIsUnknown
	//mutant:replace Unknown => Unavailable ./internal/ledger TestHistoriesWithLostCommits
	return fault.New(fault.Unknown, "database.commit", "").Because(err)
}

// unknownOutcome reports whether an SQLSTATE ends the connection or says that the
// outcome is unknown, instead of refusing the commit.
func unknownOutcome(code string) bool {
	return code == "40003" || strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "58")
}

// IsRetryable reports whether a transaction that failed with err can be run
// again: the database asks for it, the connection was lost before COMMIT was
// sent, or another connection may succeed.
func IsRetryable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		//mutant:replace "40001", => ./internal/ledger TestTwoProcesses/serializable
		case "40001", "40P01", // serialization failure, deadlock
			"55P03", // lock not available
			//mutant:drop TestAbandonedTransaction
			"25P03", // idle for too long: the server ended the transaction
			"53300": // too many connections
			return true
		}
		return cannotServe(err) || outdatedPlan(err)
	}
	if errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) {
		return true
	}
	return lostConnection(err)
}

// IsContention reports whether a transaction failed because of locks or conflicts
// with others in each try. A smaller transaction may succeed.
func IsContention(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03"
	}
	return false
}

// unavailable reports whether a later try may succeed although the database
// cannot serve now.
func unavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// 57014 is a statement_timeout; class 53: no disk, memory or connections.
		//mutant:replace pg.Code == "57014" || => ./internal/e2e/chaos TestReadOnlyServerIsUnavailable
		return IsRetryable(err) || pg.Code == "57014" || strings.HasPrefix(pg.Code, "53")
	}
	return IsRetryable(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, sqlite3.READONLY) || errors.Is(err, sqlite3.FULL)
}

func lostConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network *net.OpError
	// SafeToRetry: nothing was sent on the connection.
	return errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.As(err, &connect) || errors.As(err, &network)
}
