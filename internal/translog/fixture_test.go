package translog_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// fixture is a log of a database with what was queued so far.
type fixture struct {
	t      *testing.T
	db     *database.DB
	log    *translog.Log
	keys   *checkpoint.Keys
	file   string // of the witness
	queued int
}

func newFixture(t *testing.T, db *database.DB) *fixture {
	t.Helper()
	f := &fixture{t: t, db: db, file: filepath.Join(t.TempDir(), "checkpoint"), keys: newKeys(t, "wallet.example")}
	f.log = f.another()
	return f
}

func newKeys(t testing.TB, name string, also ...string) *checkpoint.Keys {
	t.Helper()
	private, _, err := checkpoint.NewKey(name)
	require.NoError(t, err)
	for _, key := range also {
		private += "\n" + key
	}
	return require.Value(checkpoint.ParseKeys(private))(t)
}

// another returns the log as another process has it.
func (f *fixture) another() *translog.Log {
	return translog.New(f.db, translog.Options{Keys: f.keys, Witness: f.file})
}

// queue commits rows of the queue with some records each.
func (f *fixture) queue(rows, records int) {
	f.t.Helper()
	lists := make([][]byte, rows) // made once: the transaction may run again
	for i := range lists {
		lists[i] = f.records(records)
	}
	require.NoError(f.t, f.db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		for _, list := range lists {
			if err := insertQueued(tx, f.db.NewID(), slices.Clone(list)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// records returns so many records, without the one that insertQueued adds.
func (f *fixture) records(n int) (list []byte) {
	f.queued += n
	for i := range n - 1 {
		list = signature.AppendItem(list, signature.Item{
			Kind: signature.Payment, ID: f.db.NewID(), Leaf: sha256.Sum256(binary.AppendVarint(nil, int64(f.queued-i))),
		})
	}
	return list
}

// insertQueued inserts a row into the queue, as a batch.
func insertQueued(tx *database.Tx, id int64, records []byte) error {
	return tx.Gorm().Exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", id, databasetest.Keys().EndBatch(records, id)).Error
}

// seal seals until nothing is queued and returns the number of records.
func (f *fixture) seal() (records int) {
	f.t.Helper()
	for {
		n, err := f.log.Seal(f.t.Context())
		require.NoError(f.t, err)
		if records += n; n == 0 {
			return records
		}
	}
}

// sealed returns the records of the log, by its seals, which must have no gaps.
func (f *fixture) sealed() (records []byte) {
	f.t.Helper()
	rows, err := f.db.Gorm(f.t.Context()).Raw("SELECT first, count, records FROM log_seals ORDER BY first").Rows()
	require.NoError(f.t, err)
	defer rows.Close()
	for rows.Next() {
		var first, count int
		var part []byte
		require.NoError(f.t, rows.Scan(&first, &count, &part))
		if first*signature.ItemSize != len(records) || count*signature.ItemSize != len(part) {
			f.t.Fatalf("a seal begins at %d with %d records, after %d bytes", first, count, len(records))
		}
		records = append(records, part...)
	}
	return records
}

// referenceRoot returns the root of the tree of records, as tlog computes it.
func referenceRoot(t testing.TB, records []byte) tlog.Hash {
	t.Helper()
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			list[i] = hashes[index]
		}
		return list, nil
	})
	var n int64
	for ; len(records) > 0; records = records[signature.ItemSize:] {
		more, err := tlog.StoredHashes(n, records[:signature.ItemSize], reader)
		require.NoError(t, err)
		hashes = append(hashes, more...)
		n++
	}
	return require.Value(tlog.TreeHash(n, reader))(t)
}

// head returns the newest checkpoint, verified.
func (f *fixture) head() checkpoint.Checkpoint {
	f.t.Helper()
	signed, err := f.log.Head(f.t.Context())
	require.NoError(f.t, err)
	return require.Value(f.keys.Open(signed))(f.t)
}

// wantWhole compares the newest checkpoint with the records of the seals.
func (f *fixture) wantWhole() {
	f.t.Helper()
	records := f.sealed()
	head := f.head()
	if int(head.Size)*signature.ItemSize != len(records) || head.Root != referenceRoot(f.t, records) {
		f.t.Errorf("%v is not the tree of %d records", head, len(records)/signature.ItemSize)
	}
	seen := map[string]bool{}
	for ; len(records) > 0; records = records[signature.ItemSize:] {
		if one := string(records[:signature.ItemSize]); seen[one] {
			f.t.Fatalf("the record %x was sealed twice", one)
		} else {
			seen[one] = true
		}
	}
	if len(seen) != f.queued {
		f.t.Errorf("%d records were sealed, %d were queued", len(seen), f.queued)
	}
}

// exec changes the database by hand.
func (f *fixture) exec(statement string, args ...any) {
	f.t.Helper()
	result := f.db.Gorm(f.t.Context()).Exec(statement, args...)
	require.NoError(f.t, result.Error)
	if result.RowsAffected == 0 {
		f.t.Fatalf("%s changed nothing", statement)
	}
}
