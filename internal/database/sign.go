package database

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"elsom/internal/fault"
	"elsom/internal/signature"
)

// WithKeys sets the keys that sign rows; see Tx.Sign. enforced makes Verify refuse
// unsigned rows even if the database permits them.
func WithKeys(keys *signature.Keys, enforced bool) Option {
	return func(db *DB) {
		db.keys, db.enforced = keys, enforced
		db.required.Store(false)
	}
}

// Keys returns the keys that sign rows; nil if there are none.
func (db *DB) Keys() *signature.Keys { return db.keys }

// HasKeys reports whether rows can be signed.
func (tx *Tx) HasKeys() bool { return tx.db.keys != nil }

// Sign signs a row that this transaction writes, and adds it to what the transaction
// queues for the log when it commits. It returns the values of the row's columns mac
// and key_id: nil (NULL) and "" without keys.
//
// The key's id is the same for all rows of a transaction. Sign releases the record, which
// must not be used afterwards.
//
// A record describes the row as it is stored. A row that is changed later is signed
// again. Where it is not certain that a statement writes the row, MAC signs it and
// Queue follows the statement.
func (tx *Tx) Sign(r *signature.Record) (mac []byte, keyID string) {
	mac, keyID = tx.MAC(r)
	tx.Queue(r, mac)
	r.Release()
	return mac, keyID
}

// MAC signs a row without queuing it for the log.
func (tx *Tx) MAC(r *signature.Record) (mac []byte, keyID string) {
	tx.unsigned = tx.unsigned || tx.db.keys == nil
	return tx.db.keys.Sign(r)
}

// Queue adds a signed row to what the transaction queues for the log; see Sign.
func (tx *Tx) Queue(r *signature.Record, mac []byte) {
	if tx.single {
		panic("database: a row is signed in InStatement, which can't queue it for the log")
	}
	if mac == nil {
		return
	}
	tx.queued = signature.AppendItem(tx.queued, signature.Item{Kind: r.Kind(), ID: r.ID(), Leaf: r.LeafHash(mac)})
}

// Keys returns the keys that sign rows; nil if there are none.
func (tx *Tx) Keys() *signature.Keys { return tx.db.keys }

// takeQueued returns the row of log_queue with what was signed and not yet queued, as a
// batch that is signed itself: the program's role can write that table without the key.
// The table is part of the schema, but of no package's: every transaction that signs
// writes it.
func (tx *Tx) takeQueued() []Rows {
	if len(tx.queued) == 0 {
		return nil
	}
	id := tx.NewID()
	records := tx.db.keys.EndBatch(tx.queued, id)
	tx.queued = nil
	return []Rows{{Table: "log_queue", Columns: []Column{
		NewColumn("id", "bigint", []int64{id}), NewColumn("records", "bytea", [][]byte{records}),
	}}}
}

// writeQueued queues what was signed after the last Write.
func (tx *Tx) writeQueued() error { return tx.Insert(tx.takeQueued()...) }

// Verify returns nil if a row that was read is as it was signed. Otherwise the error is
// fault.Unavailable, because the right keys may come back, and has one of the signature
// package's as its cause; it is logged and counted. An unsigned row passes while the
// database permits it; without keys every row passes.
func (db *DB) Verify(ctx context.Context, r *signature.Record, mac []byte, keyID string) error {
	return db.verify(ctx, db.gorm.WithContext(ctx), r, mac, keyID)
}

// Verify is DB.Verify for a row that this transaction read.
func (tx *Tx) Verify(ctx context.Context, r *signature.Record, mac []byte, keyID string) error {
	return tx.db.verify(ctx, tx.gorm, r, mac, keyID)
}

func (db *DB) verify(ctx context.Context, g *gorm.DB, r *signature.Record, mac []byte, keyID string) error {
	if db.keys == nil {
		return nil
	}
	err := db.keys.Verify(r, mac, keyID)
	//mutant:replace signature.ErrUnsigned => err TestUnsignedRows
	if errors.Is(err, signature.ErrUnsigned) {
		allowed, failed := db.unsignedAllowed(g)
		if allowed || failed != nil {
			return failed
		}
	}
	if err == nil {
		return nil
	}
	return db.unverifiedRow(ctx, r, err)
}

// UnverifiedCount returns how often Verify failed for a row since the start.
func (db *DB) UnverifiedCount() int64 { return db.unverified.Load() }

// ErrNeedsKey reports rows that have no signature because there is no key, in books
// that are signed.
var ErrNeedsKey = errors.New("database: the rows of this database are signed, and there is no key to sign with")

// CheckKeys returns ErrNeedsKey if there are no keys, although rows of this database
// were signed and ones without a signature are not permitted.
func (db *DB) CheckKeys(ctx context.Context) error {
	if db.keys != nil {
		return nil
	}
	return db.ReadTx(ctx, func(_ context.Context, tx *Tx) error {
		tx.unsigned = true
		return tx.checkUnsigned()
	})
}

// checkUnsigned returns ErrNeedsKey if this transaction wrote rows without a signature
// that would be violations. A permission is up to permissionLife old.
func (tx *Tx) checkUnsigned() error {
	now := time.Now().UnixNano()
	if !tx.unsigned || now-tx.db.keyless.Load() < int64(permissionLife) {
		return nil
	}
	var books struct{ Signed, Allowed bool }
	// A key is recorded by the first portal that has it. What is signed before, by a
	// command, is queued for the log, then in it.
	if err := tx.gorm.Raw(`SELECT EXISTS (SELECT 1 FROM server_keys WHERE name = 'books') OR EXISTS (SELECT 1 FROM log_queue)
		OR EXISTS (SELECT 1 FROM log_state WHERE size > 0) AS signed,
		EXISTS (SELECT 1 FROM unsigned_allowed) AND NOT EXISTS (SELECT 1 FROM signing_starts) AS allowed`).Scan(&books).Error; err != nil {
		return err
	}
	books.Allowed = books.Allowed && !tx.db.required.Load()
	tx.db.required.Store(books.Signed && !books.Allowed)
	//mutant:drop TestUnsignedWritesAreRefused
	if books.Signed && !books.Allowed {
		return fault.New(fault.Unavailable, "database.sign", "").Because(ErrNeedsKey)
	}
	tx.db.keyless.Store(now)
	return nil
}
