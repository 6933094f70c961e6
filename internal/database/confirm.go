package database

import (
	"context"
	"sync"

	"elsom/internal/fault"
)

// WaitDurable returns nil once a row that the caller has just read can no longer be
// lost by a failover. what identifies the answer that rests on the row.
//
// On PostgreSQL with synchronous standbys a row that can be read need not be on
// them: the wait of its commit may have been cancelled, or the server restarted
// meanwhile. A later commit that waits covers it, since standbys get all in
// order; but an empty transaction does not wait, so this one writes something
// to the WAL. Concurrent callers share it, and what was confirmed once is not
// confirmed again. The error is always fault.Unknown.
//
// On SQLite what can be read is on the disk.
func (db *DB) WaitDurable(ctx context.Context, what string) error {
	if db.dialect == SQLite || db.confirmed.has(what) {
		return nil
	}
	if _, err := db.barrier.Do(ctx, struct{}{}); err != nil {
		return fault.New(fault.Unknown, "database.confirm", "").Because(err)
	}
	db.confirmed.add(what)
	return nil
}

// MarkDurable records that the commit that wrote what was acknowledged, so that
// Confirm has nothing to do for it.
func (db *DB) MarkDurable(what string) {
	if db.dialect == Postgres {
		db.confirmed.add(what)
	}
}

func (db *DB) passBarrier(ctx context.Context, asked []struct{}) ([]struct{}, error) {
	return asked, db.InTx(ctx, func(_ context.Context, tx *Tx) error { return tx.WaitForStandbys() })
}

// WaitForStandbys makes the transaction's commit wait for the synchronous standbys
// though it may write no row: what it read is answered only behind that.
func (tx *Tx) WaitForStandbys() error {
	if tx.Dialect() == SQLite {
		return nil
	}
	//mutant:replace tx.gorm.Exec("SELECT pg_logical_emit_message(true, 'elsom', '')").Error => nil TestCancelledWaitIsUnknown
	return tx.gorm.Exec("SELECT pg_logical_emit_message(true, 'elsom', '')").Error
}

// recentKeys is a set of the keys added last, between mostRecent and twice as many.
type recentKeys struct {
	mu            sync.Mutex
	newer, before map[string]struct{}
}

const mostRecent = 20_000

func (r *recentKeys) has(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.newer[key]; ok {
		return true
	}
	_, ok := r.before[key]
	return ok
}

func (r *recentKeys) add(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.newer == nil || len(r.newer) >= mostRecent {
		r.newer, r.before = make(map[string]struct{}), r.newer
	}
	r.newer[key] = struct{}{}
}
