package database

import (
	"context"
	"errors"
	"fmt"

	"elsom/internal/signature"
)

// WithKeys sets the keys that sign rows; see Tx.Sign. enforced makes Verify refuse
// unsigned rows even if the database permits them.
func WithKeys(keys *signature.Keys, enforced bool) Option {
	return func(db *DB) { db.keys, db.enforced = keys, enforced }
}

// Keys returns the keys that sign rows; nil if there are none.
func (db *DB) Keys() *signature.Keys { return db.keys }

// Sign signs a row that this transaction writes, and adds it to what the transaction
// queues for the log when it commits. It returns the values of the row's columns mac
// and key_id: nil (NULL) and "" without keys.
//
// A record describes the row as it is stored. A row that is changed later is signed
// again.
func (tx *Tx) Sign(r *signature.Record) (mac []byte, keyID string) {
	mac, keyID = tx.db.keys.Sign(r)
	tx.queueForLog(r, mac)
	return mac, keyID
}

// SignBaseline is Sign for a row that was written before there were keys; see
// signature.Keys.SignBaseline.
func (tx *Tx) SignBaseline(r *signature.Record) (mac []byte, keyID string) {
	mac, keyID = tx.db.keys.SignBaseline(r)
	tx.queueForLog(r, mac)
	return mac, keyID
}

func (tx *Tx) queueForLog(r *signature.Record, mac []byte) {
	if tx.single {
		panic("database: a row is signed in InStatement, which can't queue it for the log")
	}
	if mac == nil {
		return
	}
	tx.queued = signature.AppendItem(tx.queued, signature.Item{Kind: r.Kind(), ID: r.ID(), Leaf: r.LeafHash(mac)})
}

// takeQueued returns the row of log_queue with what was signed and not yet queued.
// The table is part of the schema, but of no package's: every transaction that signs
// writes it.
func (tx *Tx) takeQueued() []Rows {
	if len(tx.queued) == 0 {
		return nil
	}
	records := tx.queued
	tx.queued = nil
	return []Rows{{Table: "log_queue", Columns: []Column{
		NewColumn("id", "bigint", []int64{tx.NewID()}), NewColumn("records", "bytea", [][]byte{records}),
	}}}
}

// writeQueued queues what was signed after the last Write.
func (tx *Tx) writeQueued() error { return tx.Insert(tx.takeQueued()...) }

// Verify returns nil if a row that was read is as it was signed. Otherwise the error
// is one of the signature package's. An unsigned row passes while the database permits
// it; without keys every row passes.
func (db *DB) Verify(ctx context.Context, r *signature.Record, mac []byte, keyID string) error {
	if db.keys == nil {
		return nil
	}
	err := db.keys.Verify(r, mac, keyID)
	if err == nil {
		return nil
	}
	//mutant:replace signature.ErrUnsigned => err TestUnsignedRows
	if errors.Is(err, signature.ErrUnsigned) {
		allowed, failed := db.UnsignedAllowed(ctx)
		if failed != nil {
			return failed
		}
		if allowed {
			return nil
		}
	}
	return fmt.Errorf("%s %d: %w", r.Kind(), r.ID(), err)
}

// UnsignedAllowed reports whether rows without a signature are permitted: the database
// was in use before rows were signed, and they are not signed yet.
func (db *DB) UnsignedAllowed(ctx context.Context) (bool, error) {
	if db.enforced {
		return false, nil
	}
	var rows int
	err := db.pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM unsigned_allowed").Scan(&rows)
	return rows > 0, err
}
