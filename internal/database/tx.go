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
	db   *DB
	gorm *gorm.DB
}

// Gorm gives the transaction's handle; for store files only.
func (tx *Tx) Gorm() *gorm.DB { return tx.gorm }

// Now is the present moment as the database stores it.
func (tx *Tx) Now() time.Time { return tx.db.Now() }

// NewID draws an id.
func (tx *Tx) NewID() int64 { return tx.db.NewID() }

// Dialect tells which database this is.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// maxTries bounds how often a transaction is repeated.
const maxTries = 8

// InTx runs act in one transaction and commits it when act returns nil.
//
// A transaction that the database refuses for another's sake (serialization
// failure, deadlock, busy) or that lost its connection before COMMIT is
// repeated from the start, so act must do nothing outside tx that matters.
//
// The context bounds act and the caller's waiting, never COMMIT itself. A COMMIT
// whose connection was lost, which waits for its standbys when the context ends,
// or whose wait was cancelled gives fault.Unknown: it may have been done. A
// database that can't be reached, takes no writes or is too slow gives
// fault.Unavailable.
func (db *DB) InTx(ctx context.Context, act func(ctx context.Context, tx *Tx) error) error {
	return db.again(ctx, func() error { return db.tryTx(ctx, act) })
}

// InStatement is InTx for one statement, which the database commits by itself:
// two round trips less. It is repeated also where its answer was lost, so it
// must be one that does nothing the second time.
func (db *DB) InStatement(ctx context.Context, statement func(tx *Tx) error) error {
	return db.again(ctx, func() error {
		if err := db.beginWriting(ctx); err != nil {
			return err
		}
		defer db.endWriting()
		return statement(&Tx{db: db, gorm: db.gorm.WithContext(ctx)})
	})
}

// beginWriting waits for the turn to write, on SQLite, which has one writer.
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

// again repeats what the database refused for another's sake.
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
	if err != nil && !told(err) && unavailable(err) {
		return fault.New(fault.Unavailable, "database.tx", "").Because(err)
	}
	return err
}

func (db *DB) tryTx(ctx context.Context, act func(ctx context.Context, tx *Tx) error) (err error) {
	if err := db.beginWriting(ctx); err != nil {
		return err
	}
	defer db.endWriting()
	//mutant:drop TestDetachedCommitsLeaveConnectionsForReaders
	if db.left.Load() >= mostLeft {
		return fault.New(fault.Unavailable, "database.tx", "").Because(errCommitsWait)
	}
	handle := db.gorm.WithContext(ctx).Begin()
	if handle.Error != nil {
		return handle.Error
	}
	done := false
	defer func() {
		if !done { // act failed or panicked
			handle.Rollback()
		}
	}()
	if err := act(ctx, &Tx{db: db, gorm: handle}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // nothing was committed
	}
	done = true
	return db.commit(ctx, handle)
}

// hangs is how long a commit goes on without its caller before the database counts
// as unhealthy. Any client can hang up amid a commit, which then ends at once.
const hangs = time.Second

// mostLeft is how many connections commits may hold whose callers have left;
// the others are for readers.
const mostLeft = MaxConnections / 2

var errCommitsWait = errors.New("database: earlier commits still wait for their standbys")

// commit sends COMMIT and waits for it until ctx ends. Nothing cancels it: one
// that waits for synchronous standbys goes on by itself then.
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
	db.left.Add(1)
	go db.awaitLeft(committed)
	return fault.New(fault.Unknown, "database.commit", "").Because(ctx.Err())
}

// awaitLeft waits for a commit whose caller has left.
func (db *DB) awaitLeft(committed <-chan error) {
	defer db.left.Add(-1)
	var err error
	select {
	case err = <-committed:
	//mutant:replace hangs => hangs - hangs TestShortDetachedCommitIsHealthy
	case <-time.After(hangs):
		db.hanging.Add(1)
		err = <-committed
		db.hanging.Add(-1)
	}
	if err != nil {
		slog.Warn("database: a commit whose caller left has failed", "error", oneLine{err})
	}
}

// CommitsWait reports whether there are commits in progress whose callers have
// stopped waiting.
func (db *DB) HasDetachedCommits() bool { return db.left.Load() > 0 }

// Unsure returns fault.Unknown in place of a fault.Unavailable that says nothing
// of earlier requests for the same: their commits may still wait, and this one
// was kept out by them.
func (db *DB) UnknownIfPending(err error) error {
	//mutant:drop ./internal/e2e/chaos TestStandbyAway
	if fault.Is(err, fault.Unavailable) && (db.HasDetachedCommits() || errors.Is(err, context.DeadlineExceeded)) {
		return fault.New(fault.Unknown, "database.unsure", "").Because(err)
	}
	return err
}

// told reports whether an error has a fault kind already.
func told(err error) bool { return errors.As(err, new(*fault.Error)) }

// PurgeBatch is how many rows a purge deletes in one transaction: on SQLite
// nobody else writes meanwhile.
const PurgeBatch = 1000

// Purge runs a DELETE of at most ? rows, its last placeholder, again and again
// until it finds none left, and tells how many rows went.
func (db *DB) Purge(ctx context.Context, statement string, args ...any) (deleted int64, err error) {
	args = append(slices.Clone(args), PurgeBatch)
	for {
		var portion int64
		err := db.InTx(ctx, func(_ context.Context, tx *Tx) error {
			result := tx.gorm.Exec(statement, args...)
			portion = result.RowsAffected
			return result.Error
		})
		if err != nil {
			return deleted, err
		}
		if deleted += portion; portion < PurgeBatch {
			return deleted, nil
		}
	}
}

// ReadTx runs act in one transaction that only reads and sees one moment's
// state from its first statement on, however long it takes. It waits for no
// writer, and none waits for it.
func (db *DB) ReadTx(ctx context.Context, act func(ctx context.Context, tx *Tx) error) error {
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
		// Who reads one moment's state may well read whole tables, and think
		// about them: nobody waits for a reader's locks.
		// The last two again, for a pooler that drops what connections ask for:
		// definitions are compared as they are printed with these.
		//mutant:replace , "idle_in_transaction_session_timeout = 0" => TestAbandonedAfterTenSeconds
		//mutant:replace off", "standard_conforming_strings = on => on", "standard_conforming_strings = off ./internal/audit TestSettingsOfTheRoleAreNoViolations
		for _, free := range []string{
			"enable_seqscan = on", "plan_cache_mode = auto", "idle_in_transaction_session_timeout = 0",
			"quote_all_identifiers = off", "standard_conforming_strings = on",
		} {
			if err := handle.Exec("SET LOCAL " + free).Error; err != nil {
				return err
			}
		}
	}
	return act(ctx, &Tx{db: db, gorm: handle})
}

// commitError tells a commit that was refused from one whose answer was lost.
func commitError(err error) error {
	var pg *pgconn.PgError
	var lite *sqlite3.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return err // a statement had failed before, and the act went on
	case errors.As(err, &pg) && !diedCommitting(pg.Code), errors.As(err, &lite) && !errors.Is(err, sqlite3.IOERR):
		return err // the database itself says that nothing was committed
	}
	//mutant:replace fault.New(fault.Unknown, "database.commit", "").Because(err) => err TestLostCommitIsUnknown
	//mutant:replace Unknown => Unavailable ./internal/ledger TestHistoriesWithLostCommits
	return fault.New(fault.Unknown, "database.commit", "").Because(err)
}

// diedCommitting tells errors that end a connection, or say themselves that
// the outcome isn't known, from those that refuse a commit.
func diedCommitting(code string) bool {
	return code == "40003" || strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "58")
}

// Repeatable reports whether a transaction that ended with err can simply be
// run again: the database asked for it, or the connection was lost before
// COMMIT was sent, or another connection may do what this one can't.
func IsRetryable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		//mutant:replace "40001", => ./internal/ledger TestTwoProcesses/serializable
		case "40001", "40P01", // serialization failure, deadlock
			"55P03", // lock not available
			//mutant:drop TestAbandonedTransaction
			"25P03", // the transaction was abandoned, for all it knows
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

// Contended tells whether a transaction was given up because others were in
// its way each time: a smaller one may get past them.
func IsContention(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03"
	}
	return false
}

// unavailable reports whether a database can't serve now, though a later try
// may well succeed.
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

// tellAway makes GORM tell a database that can't serve now as
// fault.Unavailable.
func tellAway(db *DB) error {
	t := telling{db.gorm.Dialector, db}
	db.gorm.Dialector = t
	// The one kind of statement whose errors GORM doesn't translate itself.
	return db.gorm.Callback().Row().After("gorm:row").Register("database:away", func(g *gorm.DB) {
		if g.Error != nil {
			g.Error = t.Translate(g.Error)
		}
	})
}

// telling is a dialector that GORM asks to translate its errors.
type telling struct {
	gorm.Dialector
	db *DB
}

// Translate implements gorm.ErrorTranslator.
func (t telling) Translate(err error) error {
	if translator, ok := t.Dialector.(gorm.ErrorTranslator); ok {
		err = translator.Translate(err)
	}
	switch {
	case err == nil || told(err):
		return err
	case errors.Is(err, errNotReplicated):
		return fault.New(fault.Unknown, "database", "").Because(err)
	}
	if !(unavailable(err) || t.db.closed.Load()) {
		return err
	}
	return fault.New(fault.Unavailable, "database", "").Because(err)
}

// Explain gives a statement without its values. GORM asks for every statement
// that it scans, and throws the answer away; nor are values for a log.
func (telling) Explain(statement string, _ ...any) string { return statement }

func lostConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network *net.OpError
	// SafeToRetry: pgx found the connection closed before it used it.
	return errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.As(err, &connect) || errors.As(err, &network)
}
