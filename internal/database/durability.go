package database

import (
	"context"
	"sync"

	"elsom/internal/fault"
)

// WaitDurable returns nil once a row that the caller has just read can no longer
// be lost by a failover. key identifies the operation that wrote the row.
//
// On PostgreSQL with synchronous standbys a visible row may not have reached
// them: the wait of its commit may have been cancelled, or the server restarted.
// Standbys receive the WAL in order, so waiting for a later commit covers the
// row. That commit must write WAL, since an empty transaction does not wait.
// Concurrent callers share one commit, and a key that was confirmed before is
// not confirmed again. The error is always fault.Unknown.
//
// On SQLite a visible row is on the disk.
func (db *DB) WaitDurable(ctx context.Context, key string) error {
	if db.dialect == SQLite || db.durable.has(key) {
		return nil
	}
	if _, err := db.barrier.Do(ctx, struct{}{}); err != nil {
		return fault.New(fault.Unknown, "database.wait_durable", "").Because(err)
	}
	db.durable.add(key)
	return nil
}

// MarkDurable records that the commit of an operation was acknowledged, so that
// WaitDurable returns at once for its key.
func (db *DB) MarkDurable(key string) {
	if db.dialect == Postgres {
		db.durable.add(key)
	}
}

func (db *DB) commitBarrier(ctx context.Context, calls []struct{}) ([]struct{}, error) {
	return calls, db.InTx(ctx, func(_ context.Context, tx *Tx) error { return tx.WaitForStandbys() })
}

// WaitForStandbys makes the commit of this transaction wait for the synchronous
// standbys even if it writes no row, for answers that depend on what it read.
func (tx *Tx) WaitForStandbys() error {
	if tx.Dialect() == SQLite {
		return nil
	}
	//mutant:replace tx.gorm.Exec("SELECT pg_logical_emit_message(true, 'elsom', '')").Error => nil TestCanceledWaitIsUnknown
	return tx.gorm.Exec("SELECT pg_logical_emit_message(true, 'elsom', '')").Error
}

// recentKeys is a set of the keys added last: at least maxRecent, at most twice
// as many.
type recentKeys struct {
	mu           sync.Mutex
	newer, older map[string]struct{}
}

const maxRecent = 20_000

func (r *recentKeys) has(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.newer[key]; ok {
		return true
	}
	_, ok := r.older[key]
	return ok
}

func (r *recentKeys) add(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.newer == nil || len(r.newer) >= maxRecent {
		r.newer, r.older = make(map[string]struct{}), r.newer
	}
	r.newer[key] = struct{}{}
}
