package translog_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// The roots and tiles are those that tlog computes.
func TestTree(t *testing.T) {
	t.Parallel()
	leaves := make([]tlog.Hash, 256*256+300)
	var records []byte
	for i := range leaves {
		one := signature.AppendItem(nil, signature.Item{Kind: signature.Payment, ID: int64(i)})
		leaves[i] = tlog.RecordHash(one)
		if i < 1200 {
			records = append(records, one...)
		}
	}
	roots, tiles := translog.GrowTree(leaves)
	for size := 1; size <= 1200; size++ {
		if size > 20 && size%256 > 2 && rand.IntN(50) > 0 {
			continue
		}
		if want := referenceRoot(t, records[:size*signature.ItemSize]); roots[size-1] != want {
			t.Fatalf("the root of %d leaves is %v, want %v", size, roots[size-1], want)
		}
	}
	want := tlog.NewTiles(8, 0, int64(len(leaves)))
	if len(want) != len(tiles) {
		t.Errorf("%d tiles, want %d", len(tiles), len(want))
	}
	for _, tile := range want {
		if got := tiles[[2]int64{int64(tile.L), tile.N}]; len(got) != tile.W*tlog.HashSize {
			t.Errorf("tile %s has %d bytes", tile.Path(), len(got))
		}
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		if f.seal() != 0 {
			t.Error("an empty queue was sealed")
		}
		for _, size := range []int{1, 1, 254, 1, 3, 700} {
			f.queue(1+size/100, 1)
			if size > 100 {
				f.queue(2, size/2)
			}
			f.seal()
			f.wantWhole()
		}
		if n := require.Value(f.log.Status(t.Context()))(t); n.Unsealed != 0 || n.Size != int64(f.queued) || n.Sealed.IsZero() || n.Stopped {
			t.Errorf("status %+v", n)
		}
		text := require.Value(os.ReadFile(f.file))(t)
		if signed := require.Value(f.log.Head(t.Context()))(t); signed != string(text) {
			t.Errorf("the file has %q, want %q", text, signed)
		}
	})
}

// A large queue is sealed in bounded batches.
func TestSealInBatches(t *testing.T) {
	t.Parallel()
	f := newFixture(t, databasetest.SQLite(t))
	f.queue(50, 1000)
	status := require.Value(f.log.Status(t.Context()))(t)
	if status.Unsealed != 50_000 || time.Since(status.Oldest) > time.Minute || status.Oldest.IsZero() {
		t.Errorf("status %+v", status)
	}
	batches := 0
	for {
		n := require.Value(f.log.Seal(t.Context()))(t)
		if n == 0 {
			break
		}
		if batches++; n > 17_000 {
			t.Errorf("a batch has %d records", n)
		}
	}
	if batches < 3 {
		t.Errorf("%d batches", batches)
	}
	f.wantWhole()
}

// Two processes seal while others commit: every record is sealed once.
func TestTwoSealers(t *testing.T) {
	t.Parallel()
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		done := make(chan struct{})
		var sealers sync.WaitGroup
		for range 3 {
			log := translog.New(db, translog.Options{Keys: f.keys})
			sealers.Go(func() {
				for {
					// With serializable transactions three sealers without a pause may run out of
					// tries; a portal's sealer tries again a second later.
					if _, err := log.Seal(context.Background()); err != nil && !fault.Is(err, fault.Unavailable) {
						t.Error(err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for range 60 {
			f.queue(1, 1+rand.IntN(30))
		}
		close(done)
		sealers.Wait()
		f.seal()
		f.wantWhole()
	})
}

// A batch whose log was extended meanwhile is not written.
func TestSealRejectsStaleBatch(t *testing.T) {
	t.Parallel()
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.queue(2, 5)
		other := f.another()
		err := f.log.PrepareThen(t.Context(), func() { require.Value(other.Seal(t.Context()))(t) })
		if !errors.Is(err, translog.ErrChanged) {
			t.Fatalf("got %v", err)
		}
		f.seal()
		f.wantWhole()
	})
}

// A row that has left the queue is not sealed, even if the log is as it was.
func TestSealTakesOnlyWhatIsQueued(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.queue(2, 5)
		err := f.log.PrepareThen(t.Context(), func() { f.exec("DELETE FROM log_queue WHERE id = (SELECT MIN(id) FROM log_queue)") })
		if !errors.Is(err, translog.ErrChanged) {
			t.Fatalf("got %v", err)
		}
		f.queued -= 5
		f.seal()
		f.wantWhole()
	})
}

// A commit whose answer is lost is neither repeated nor left out.
func TestSealAfterLostAnswer(t *testing.T) {
	t.Parallel()
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		for range 4 {
			f.queue(2, 200)
			require.NoError(t, f.log.SealLosingTheAnswer(t.Context()))
			f.queue(1, 3)
		}
		f.seal()
		f.wantWhole()
		// The file is brought up to date by the next look, also of another process.
		require.NoError(t, os.Remove(f.file))
		require.Value(f.another().Seal(t.Context()))(t)
		if _, err := os.Stat(f.file); err != nil {
			t.Error(err)
		}
	})
}

// A transaction that commits later than another one, with a smaller id, is not left out.
func TestSealIDsOutOfOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, databasetest.Postgres(t))
	first, second, third := f.db.NewID(), f.db.NewID(), f.db.NewID()
	records := [][]byte{f.records(3), f.records(3), f.records(3)}
	err := f.db.InTx(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		require.NoError(t, insertQueued(tx, second, records[1]))
		for i, id := range map[int]int64{0: first, 2: third} {
			require.NoError(t, f.db.InTx(ctx, func(_ context.Context, other *database.Tx) error { return insertQueued(other, id, records[i]) }))
		}
		if n := f.seal(); n != 6 {
			t.Errorf("%d records were sealed, want 6", n)
		}
		return nil
	})
	require.NoError(t, err)
	if n := f.seal(); n != 3 {
		t.Errorf("%d records were sealed, want 3", n)
	}
	f.wantWhole()
}

// left returns the number of rows of the queue.
func (f *fixture) left() (rows int64) {
	f.t.Helper()
	require.NoError(f.t, f.db.Gorm(f.t.Context()).Raw("SELECT COUNT(*) FROM log_queue").Scan(&rows).Error)
	return rows
}

// A row of the queue that is malformed, or that something without the key wrote or changed,
// is left there and counted, and stops nothing.
func TestForgedBatchesAreNotSealed(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		keys := databasetest.Keys()
		record := func(id int64) []byte { return signature.AppendItem(nil, signature.Item{Kind: signature.Agent, ID: id}) }
		other := require.Value(signature.ParseKeys("another-key-of-the-books-0123456789abcdef"))(t)
		f.queue(3, 2)
		for i, records := range [][]byte{
			[]byte("forty-one bytes are a record, not this one"), {}, record(1), keys.EndBatch(record(1), 1000), other.EndBatch(record(1), 4),
			keys.EndBatch(append(record(1), record(2)...), 5)[signature.ItemSize:],
			append(keys.EndBatch(record(1), 6), record(2)...),
		} {
			f.exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", i, records)
		}
		f.queue(3, 2)
		f.seal()
		f.wantWhole()
		if n := require.Value(f.log.Status(t.Context()))(t); n.Refused != 7 || f.left() != 7 {
			t.Errorf("status %+v, %d rows are left in the queue", n, f.left())
		}
		// A portal that has the other key seals that one.
		database.WithKeys(require.Value(signature.ParseKeys("another-key-of-the-books-0123456789abcdef\n"+databasetest.Key))(t), false)(db)
		f.queued += 2
		f.seal()
		f.wantWhole()
		f.exec("DELETE FROM log_queue")
		f.seal()
		if n := require.Value(f.log.Status(t.Context()))(t); n.Refused != 0 {
			t.Errorf("status %+v", n)
		}
	})
}

// A batch that is in the log is not sealed again, also by a process that has not sealed it.
func TestSealedBatchIsNotSealedAgain(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.queue(2, 3)
		databasetest.Tamper(t, db, "CREATE TABLE earlier AS SELECT * FROM log_queue")
		f.seal()
		f.queue(1, 3)
		f.seal()
		databasetest.Tamper(t, db, "INSERT INTO log_queue SELECT * FROM earlier")
		for _, log := range []*translog.Log{f.log, f.another()} {
			f.log = log
			f.queue(1, 3)
			f.seal()
			f.wantWhole()
			if n := require.Value(f.log.Status(t.Context()))(t); n.Refused != 2 || f.left() != 2 {
				t.Errorf("status %+v, %d rows are left in the queue", n, f.left())
			}
		}
	})
}

// The sealer extends no log whose tiles, state or checkpoint were changed.
func TestSealerRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(f *fixture){
		"tile":             func(f *fixture) { f.exec("UPDATE log_tiles SET hashes = ? WHERE level = 0", make([]byte, 10*32)) },
		"short tile":       func(f *fixture) { f.exec("UPDATE log_tiles SET hashes = ? WHERE level = 0", make([]byte, 9*32)) },
		"missing tile":     func(f *fixture) { f.exec("DELETE FROM log_tiles") },
		"no state":         func(f *fixture) { f.exec("DELETE FROM log_state") },
		"smaller state":    func(f *fixture) { f.exec("UPDATE log_state SET size = 9") },
		"larger state":     func(f *fixture) { f.exec("UPDATE log_state SET size = 11") },
		"branch":           func(f *fixture) { f.exec("UPDATE log_state SET branch = 1") },
		"other checkpoint": func(f *fixture) { f.exec("UPDATE log_state SET checkpoint = 'x'") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := databasetest.SQLite(t)
			f := newFixture(t, db)
			f.queue(1, 10)
			f.seal()
			damage(f)
			f.queue(1, 1)
			for _, log := range []*translog.Log{f.log, f.another(), translog.New(db, translog.Options{Keys: f.keys})} {
				if _, err := log.Seal(t.Context()); !errors.Is(err, translog.ErrDamaged) {
					t.Errorf("got %v", err)
				}
			}
			if s, err := f.log.Status(t.Context()); err == nil && !s.Stopped {
				t.Error("the sealer has not stopped")
			}
		})
	}
}
