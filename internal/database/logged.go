package database

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"elsom/internal/fault"
	"elsom/internal/signature"
)

// LogBucketBits is the width of a bucket of ids in the log: 2^12 milliseconds.
const LogBucketBits = idCounterBits + 12

// LogBucket returns the bucket of an id.
func LogBucket(id int64) int64 { return id >> LogBucketBits }

// Leaves are the hashes of the leaves of rows by their ids.
type Leaves map[int64][][32]byte

// Queued returns the leaves of all rows of a kind that are queued for the log,
// also by this transaction. What was queued without a key, or was sealed before and is
// queued again, is not among them.
func (tx *Tx) Queued(kind signature.Kind) (Leaves, error) {
	return tx.queuedOf(kind, func(int64) bool { return true })
}

func (tx *Tx) queuedOf(kind signature.Kind, wanted func(id int64) bool) (Leaves, error) {
	batches, err := tx.batchesOf(kind, wanted)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, b := range batches {
		ids = append(ids, b.id)
	}
	sealed, err := tx.Sealed(signature.Batch, ids)
	if err != nil {
		return nil, err
	}
	queued := Leaves{}
	for _, b := range batches {
		//mutant:replace len(sealed[b.id]) == 0 => len(sealed) >= 0 ./internal/customer TestEarlierStateIsNotSignedAgain
		if len(sealed[b.id]) == 0 {
			for id, leaves := range b.leaves {
				queued[id] = append(queued[id], leaves...)
			}
		}
	}
	queued.add(kind, tx.queued, wanted)
	return queued, nil
}

// queuedBatch has the leaves of the wanted rows in one row of log_queue.
type queuedBatch struct {
	id     int64
	leaves Leaves
}

// batchesOf returns the rows of the queue that have wanted records of a kind and were
// queued with a key.
func (tx *Tx) batchesOf(kind signature.Kind, wanted func(id int64) bool) (batches []queuedBatch, err error) {
	rows, err := tx.gorm.Raw("SELECT id, records FROM log_queue ORDER BY id").Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		b := queuedBatch{leaves: Leaves{}}
		var records []byte
		if err := rows.Scan(&b.id, &records); err != nil {
			return nil, err
		}
		b.leaves.add(kind, records, wanted)
		//mutant:replace && tx.db.keys.IsBatch(records, b.id) => ./internal/customer TestEarlierStateIsNotSignedAgain
		if len(b.leaves) > 0 && tx.db.keys.IsBatch(records, b.id) {
			batches = append(batches, b)
		}
	}
	return batches, rows.Err()
}

// Sealed returns the leaves of rows of a kind in the newest seals of the log that have
// them. A row that changed twice before a seal has several.
func (tx *Tx) Sealed(kind signature.Kind, ids []int64) (Leaves, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	wanted, buckets := map[int64]bool{}, []int64{}
	for _, id := range ids {
		wanted[id] = true
		buckets = append(buckets, LogBucket(id))
	}
	slices.Sort(buckets)
	in, list := InList(tx.Dialect(), slices.Compact(buckets))
	var firsts []int64
	if err := tx.gorm.Raw("SELECT DISTINCT first FROM log_buckets WHERE bucket "+in+" ORDER BY first", list).Scan(&firsts).Error; err != nil {
		return nil, err
	}
	sealed := Leaves{}
	for _, first := range firsts {
		var records []byte
		if err := tx.gorm.Raw("SELECT records FROM log_seals WHERE first = ?", first).Row().Scan(&records); err != nil {
			return nil, err
		}
		newer := Leaves{}
		newer.add(kind, records, func(id int64) bool { return wanted[id] })
		for id, leaves := range newer {
			sealed[id] = leaves
		}
	}
	return sealed, nil
}

// add adds the wanted records of a kind of a stored list.
func (l Leaves) add(kind signature.Kind, records []byte, wanted func(id int64) bool) {
	for code := kind.Code(); len(records) >= signature.ItemSize; records = records[signature.ItemSize:] {
		if id := int64(binary.BigEndian.Uint64(records[1:])); records[0] == code && wanted(id) {
			l[id] = append(l[id], [32]byte(records[9:signature.ItemSize]))
		}
	}
}

// ErrNotNewest reports a signed row that is not the newest state of it in the log: an
// earlier one was put back.
var ErrNotNewest = errors.New("the row is not its newest state in the log")

// VerifyNewest is Verify for a mutable row that is about to be signed again, in a
// transaction that has locked it: the row must also be the newest state that the queue or
// the log has of it. Otherwise the new signature would make an earlier state that was put
// back the newest one. The error is that of Verify, and its cause may also be
// ErrNotNewest.
//
// It reads the queue and a part of the log, so it is not for what happens often.
func (tx *Tx) VerifyNewest(ctx context.Context, r *signature.Record, mac []byte, keyID string) error {
	if err := tx.Verify(ctx, r, mac, keyID); err != nil || tx.db.keys == nil || len(mac) == 0 {
		return err
	}
	// The queue first: what is sealed between the two statements is found in the log.
	leaves, err := tx.queuedOf(r.Kind(), func(id int64) bool { return id == r.ID() })
	if err != nil {
		return err
	}
	if len(leaves[r.ID()]) == 0 {
		if leaves, err = tx.Sealed(r.Kind(), []int64{r.ID()}); err != nil {
			return err
		}
	}
	//mutant:replace slices.Contains(leaves[r.ID()], r.LeafHash(mac)) => true ./internal/customer TestEarlierStateIsNotSignedAgain
	if slices.Contains(leaves[r.ID()], r.LeafHash(mac)) {
		return nil
	}
	return tx.db.unverifiedRow(ctx, r, ErrNotNewest)
}

// unverifiedRow counts and logs a row that may not be used, and returns fault.Unavailable.
func (db *DB) unverifiedRow(ctx context.Context, r *signature.Record, err error) error {
	db.unverified.Add(1)
	slog.ErrorContext(ctx, "database: a row is not as it was signed", "kind", r.Kind(), "id", r.ID(), "error", err)
	return fault.New(fault.Unavailable, "database.verify", "").Because(fmt.Errorf("%s %d: %w", r.Kind(), r.ID(), err))
}
