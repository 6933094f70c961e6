package translog_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// restored is a log with a copy of its database at an earlier moment.
type restored struct {
	*fixture // of the copy, with the witness file of the lost log
	earlier  string
	lost     []string // checkpoints that the copy lacks
}

// newRestored returns a log of 10 records, restored from one of 40 records.
func newRestored(t *testing.T, db *database.DB) *restored {
	t.Helper()
	original := newFixture(t, databasetest.SQLite(t))
	r := &restored{fixture: newFixture(t, db)}
	r.keys, r.file = original.keys, original.file
	common := original.records(10)
	for _, f := range []*fixture{original, r.fixture} {
		f.log = translog.New(f.db, translog.Options{Keys: original.keys})
		require.NoError(t, f.db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return insertQueued(tx, 1, common) }))
		f.seal()
	}
	r.queued, r.earlier = 10, require.Value(original.log.Head(t.Context()))(t)
	original.log = original.another()
	for range 2 {
		original.queue(1, 15)
		original.seal()
		r.lost = append(r.lost, require.Value(original.log.Head(t.Context()))(t))
	}
	r.log = r.another()
	return r
}

// The sealer of a database that was restored to an earlier moment stops, also if the log
// has grown again, until a branch is declared.
func TestRestoreStopsTheSealer(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRestored(t, db)
		r.queue(1, 3)
		for range 2 {
			if _, err := r.log.Seal(t.Context()); !errors.Is(err, translog.ErrRestored) {
				t.Errorf("got %v", err)
			}
		}
		if s := require.Value(r.log.Status(t.Context()))(t); !s.Stopped || s.Unsealed != 3 {
			t.Errorf("status %+v", s)
		}
		// A process without the file seals, and reaches the size of what was lost.
		r.queue(1, 30)
		require.Value(translog.New(db, translog.Options{Keys: r.keys}).Seal(t.Context()))(t)
		if _, err := r.log.Seal(t.Context()); !errors.Is(err, translog.ErrForked) {
			t.Errorf("got %v", err)
		}
		text := require.Value(os.ReadFile(r.file))(t)
		if string(text) != r.lost[1] {
			t.Error("the file was replaced")
		}
	})
}

// A running process notices the restore by what it has seen, without a file.
func TestRestoreUnderARunningSealer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, databasetest.SQLite(t))
	f.log = translog.New(f.db, translog.Options{Keys: f.keys})
	f.queue(1, 5)
	f.seal()
	for _, table := range []string{"log_tiles", "log_seals", "log_buckets"} {
		f.exec("DELETE FROM " + table)
	}
	f.exec("UPDATE log_state SET size = 0, checkpoint = ''")
	if _, err := f.log.Seal(t.Context()); !errors.Is(err, translog.ErrRestored) {
		t.Errorf("got %v", err)
	}
}

func TestBranch(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRestored(t, db)
		r.queue(1, 3)
		running := r.another()
		if _, err := running.Seal(t.Context()); err == nil {
			t.Fatal("the sealer goes on")
		}
		branch, err := r.log.StartBranch(t.Context(), "Айбек", "restored\nafter a disk failure", "", nil)
		require.NoError(t, err)
		if branch.Number != 1 || branch.From != 10 || branch.Lost.Size != 40 || branch.Reason != "restored after a disk failure" {
			t.Errorf("branch %+v", branch)
		}
		if head := r.head(); head.Branch != 1 || head.Size != 11 || !strings.HasPrefix(require.Value(r.log.Head(t.Context()))(t), "wallet.example/branch-1\n11\n") {
			t.Errorf("head %v", head)
		}
		r.queued++ // the branch's own record
		for _, log := range []*translog.Log{running, r.another()} {
			r.log = log
			r.queue(1, 2)
			r.seal()
			r.wantWhole()
		}
		if s := require.Value(running.Status(t.Context()))(t); s.Stopped {
			t.Error("the sealer has not continued")
		}
	})
}

// A process whose file has a head of the lost part goes on after the branch, also if that
// head is another one than was declared as lost.
func TestBranchForOtherProcesses(t *testing.T) {
	t.Parallel()
	r := newRestored(t, databasetest.SQLite(t))
	_, err := r.log.StartBranch(t.Context(), "Айбек", "restored", r.lost[0], nil)
	require.NoError(t, err)
	other := filepath.Join(t.TempDir(), "checkpoint")
	require.NoError(t, os.WriteFile(other, []byte(r.lost[1]), 0o600))
	r.log = translog.New(r.db, translog.Options{Keys: r.keys, Witness: other})
	r.queue(1, 4)
	r.seal()
	if r.queued++; r.head().Branch != 1 {
		t.Errorf("head %v", r.head())
	}
	r.wantWhole()
}

// The name and the reason of a branch stay in the log, so an empty name or reason is refused.
func TestBranchNeedsANameAndAReason(t *testing.T) {
	t.Parallel()
	r := newRestored(t, databasetest.SQLite(t))
	for _, c := range []struct{ staff, reason string }{{"", "restored"}, {" \n", "restored"}, {"Айбек", ""}, {"Айбек", "\t "}} {
		if _, err := r.log.StartBranch(t.Context(), c.staff, c.reason, "", nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q, %q: %v", c.staff, c.reason, err)
		}
	}
	_, err := r.log.StartBranch(t.Context(), "Айбек", "restored", "", nil)
	require.NoError(t, err)
}

func TestBranchIsRefusedWithoutNeed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, databasetest.SQLite(t))
	f.queue(1, 3)
	f.seal()
	f.queue(1, 3)
	require.Value(translog.New(f.db, translog.Options{Keys: f.keys}).Seal(t.Context()))(t) // the file is behind
	refused := func(log *translog.Log, want error) {
		t.Helper()
		if _, err := log.StartBranch(t.Context(), "Айбек", "restored", "", nil); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	refused(f.log, translog.ErrNotNeeded)
	refused(translog.New(f.db, translog.Options{Keys: f.keys}), translog.ErrNoHead)
	refused(translog.New(f.db, translog.Options{Witness: f.file}), translog.ErrNoKey)
	require.NoError(t, os.WriteFile(f.file, []byte("garbage"), 0o600))
	if _, err := f.log.StartBranch(t.Context(), "Айбек", "restored", "", nil); !errors.Is(err, translog.ErrForked) {
		t.Errorf("got %v", err)
	}
}

// A branch that the key has not signed excuses nothing.
func TestForgedBranchIsRefused(t *testing.T) {
	t.Parallel()
	r := newRestored(t, databasetest.SQLite(t))
	forger := translog.New(r.db, translog.Options{Keys: newKeys(t, "wallet.example", r.keys.Public()), Witness: r.file})
	_, err := forger.StartBranch(t.Context(), "Айбек", "restored", "", nil)
	require.NoError(t, err)
	r.exec("UPDATE log_state SET checkpoint = ''")
	require.NoError(t, os.WriteFile(r.file, []byte(r.lost[1]), 0o600))
	r.queue(1, 1)
	if _, err := r.log.Seal(t.Context()); !errors.Is(err, translog.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if _, err := r.log.Compare(t.Context(), r.lost[0]); !errors.Is(err, translog.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		var heads []string
		for _, n := range []int{1, 4, 251, 1, 600} {
			f.queue(1, n)
			f.seal()
			heads = append(heads, require.Value(f.log.Head(t.Context()))(t))
		}
		for _, head := range heads {
			result, err := f.log.Compare(t.Context(), head)
			if err != nil || result.Abandoned != nil || result.Today.Size != int64(f.queued) {
				t.Errorf("%+v, %v", result, err)
			}
		}
		changed := strings.Replace(heads[1], "\n5\n", "\n4\n", 1)
		for text, want := range map[string]error{
			changed: checkpoint.ErrBadSignature, "": checkpoint.ErrNotANote, "x": checkpoint.ErrNotANote,
			strings.Repeat(heads[0], 100):                                  checkpoint.ErrNotANote,
			strings.ReplaceAll(heads[0], "wallet.example", "wallet.other"): checkpoint.ErrUnknownKey,
		} {
			if _, err := f.log.Compare(t.Context(), text); !errors.Is(err, want) {
				t.Errorf("%.40q: got %v, want %v", text, err, want)
			}
		}
		// A log in which an earlier record was replaced, with all its hashes.
		other := newFixture(t, databasetest.SQLite(t))
		other.keys, other.queued = f.keys, 7000
		other.log = other.another()
		other.queue(1, 900)
		other.seal()
		if _, err := other.log.Compare(t.Context(), heads[2]); !errors.Is(err, translog.ErrForked) {
			t.Errorf("got %v", err)
		}
		if _, err := newFixture(t, databasetest.SQLite(t)).log.Compare(t.Context(), heads[0]); !errors.Is(err, checkpoint.ErrUnknownKey) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCompareWithAbandonedBranch(t *testing.T) {
	t.Parallel()
	r := newRestored(t, databasetest.SQLite(t))
	if _, err := r.log.Compare(t.Context(), r.lost[0]); !errors.Is(err, translog.ErrRestored) {
		t.Errorf("got %v", err)
	}
	_, err := r.log.StartBranch(t.Context(), "Айбек", "the disk failed", "", nil)
	require.NoError(t, err)
	r.queue(1, 100)
	r.seal()
	for _, head := range r.lost {
		result := require.Value(r.log.Compare(t.Context(), head))(t)
		if b := result.Abandoned; b == nil || b.Reason != "the disk failed" || b.Number != 1 || b.From != 10 {
			t.Errorf("abandoned by %+v", b)
		}
	}
	for _, head := range []string{r.earlier, require.Value(r.log.Head(t.Context()))(t)} {
		if result := require.Value(r.log.Compare(t.Context(), head))(t); result.Abandoned != nil {
			t.Errorf("abandoned by %+v", result.Abandoned)
		}
	}
}

// A branch explains what it lacks, not that a record from before it is another one.
func TestBranchAbandonsOnlyWhatItLacks(t *testing.T) {
	t.Parallel()
	r := newRestored(t, databasetest.SQLite(t))
	_, err := r.log.StartBranch(t.Context(), "Айбек", "the disk failed", "", nil)
	require.NoError(t, err)
	for size, want := range map[int64]error{9: translog.ErrForked, 10: translog.ErrForked, 11: nil} {
		other := require.Value(r.keys.Sign(checkpoint.Tree{Size: size, Root: tlog.Hash{1}}, time.Now()))(t)
		if _, err := r.log.Compare(t.Context(), other); !errors.Is(err, want) {
			t.Errorf("another state of %d records: %v, want %v", size, err, want)
		}
	}
}
