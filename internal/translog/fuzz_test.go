package translog_test

import (
	"bytes"
	"errors"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

func FuzzParseBranch(f *testing.F) {
	f.Add("wallet.example/branch-1\nbranch 1\nfrom 10\nlost 0 40 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime 2026-11-30T21:00:00Z\nstaff a\nreason b\n")
	f.Add("\nbranch \nfrom \nlost \ntime \nstaff \nreason \n")
	f.Fuzz(func(_ *testing.T, text string) { translog.ParseBranch(text) })
}

// Whatever is in the queue, the sealer seals batches and leaves the rest there.
func FuzzSealQueued(f *testing.F) {
	db := databasetest.SQLite(f)
	log := translog.New(db, translog.Options{Keys: newKeys(f, "wallet.example")})
	f.Add(bytes.Repeat([]byte{1}, signature.ItemSize))
	f.Add(bytes.Repeat([]byte{0xff}, 3*signature.ItemSize))
	f.Add([]byte("no record"))
	f.Add(databasetest.Keys().EndBatch(bytes.Repeat([]byte{1}, 2*signature.ItemSize), 1))
	f.Fuzz(func(t *testing.T, records []byte) {
		g := db.Gorm(t.Context())
		require.NoError(t, g.Exec("DELETE FROM log_queue").Error)
		require.NoError(t, g.Exec("INSERT INTO log_queue (id, records) VALUES (1, ?)", append([]byte{}, records...)).Error)
		want := 0
		if databasetest.Keys().IsBatch(records, 1) {
			want = len(records) / signature.ItemSize
		}
		before := require.Value(log.Status(t.Context()))(t)
		n, err := log.Seal(t.Context())
		after := require.Value(log.Status(t.Context()))(t)
		if err != nil || n != want || after.Size != before.Size+int64(want) || want > 0 && after.Unsealed != 0 {
			t.Errorf("%d of %d records, %v, %+v", n, want, err, after)
		}
	})
}

// No other tile than the one that was written is extended.
func FuzzTile(f *testing.F) {
	db := databasetest.SQLite(f)
	keys := newKeys(f, "wallet.example")
	log := translog.New(db, translog.Options{Keys: keys})
	queue := func(id int64) {
		records := bytes.Repeat([]byte{1}, 10*signature.ItemSize)
		require.NoError(f, db.Gorm(f.Context()).Exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", id, databasetest.Keys().EndBatch(records, id)).Error)
	}
	queue(1)
	require.Value(log.Seal(f.Context()))(f)
	queue(2) // so that the sealer has something to do
	var tile []byte
	require.NoError(f, db.Gorm(f.Context()).Raw("SELECT hashes FROM log_tiles").Row().Scan(&tile))
	f.Add(tile[:len(tile)-1])
	f.Add(append(tile[1:], 0))
	f.Fuzz(func(t *testing.T, hashes []byte) {
		if bytes.HasPrefix(hashes, tile) {
			return
		}
		require.NoError(t, db.Gorm(t.Context()).Exec("UPDATE log_tiles SET hashes = ?", append([]byte{}, hashes...)).Error)
		if n, err := translog.New(db, translog.Options{Keys: keys}).Seal(t.Context()); !errors.Is(err, translog.ErrDamaged) {
			t.Errorf("%x: %d, %v", hashes, n, err)
		}
	})
}
