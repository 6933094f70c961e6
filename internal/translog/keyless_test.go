package translog_test

import (
	"errors"
	"os"
	"testing"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// Without a key the log grows and has no checkpoint. A process without a key doesn't
// extend a log that has checkpoints.
func TestSealWithoutKey(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		signing := f.log
		keyless := func() (logs []*translog.Log) {
			for _, keys := range []*checkpoint.Keys{nil, require.Value(checkpoint.ParseKeys(f.keys.Public()))(t)} {
				logs = append(logs, translog.New(db, translog.Options{Keys: keys, Witness: f.file}))
			}
			return logs
		}
		for _, log := range keyless() {
			f.log = log
			f.queue(2, 3)
			f.seal()
			if _, err := f.log.Head(t.Context()); err == nil {
				t.Error("there is a checkpoint")
			}
			if _, err := os.Stat(f.file); err == nil {
				t.Error("there is a file")
			}
		}
		f.log = signing
		_, err := f.log.StartBranch(t.Context(), "Айбек", "checkpoints begin", "", nil)
		require.NoError(t, err)
		f.queue(1, 1)
		f.seal()
		f.queued++ // the branch
		f.wantWhole()
		f.queue(1, 1)
		for _, log := range keyless() {
			if n, err := log.Seal(t.Context()); n > 0 || !errors.Is(err, translog.ErrNoCheckpointKey) {
				t.Errorf("%d, %v", n, err)
			}
		}
	})
}

// A log that has records without a checkpoint is not extended by a process that could sign
// one, until a branch is declared: something without the key may have made them.
func TestNoCheckpointStopsTheSealer(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.queue(1, 3)
		f.seal()
		// What is as this process or its file has seen it is signed again.
		for _, log := range []*translog.Log{f.log, f.another()} {
			f.exec("UPDATE log_state SET checkpoint = ''")
			f.log = log
			f.queue(1, 3)
			f.seal()
			f.wantWhole()
		}
		f.exec("UPDATE log_state SET checkpoint = ''")
		f.queue(1, 3)
		fresh := translog.New(db, translog.Options{Keys: f.keys})
		if n, err := fresh.Seal(t.Context()); n > 0 || !errors.Is(err, translog.ErrNoCheckpoint) {
			t.Errorf("%d, %v", n, err)
		}
		require.Value(translog.New(db, translog.Options{}).Seal(t.Context()))(t) // without a key
		f.queue(1, 3)
		for _, log := range []*translog.Log{f.log, f.another(), fresh} {
			for range 2 {
				if n, err := log.Seal(t.Context()); n > 0 || !errors.Is(err, translog.ErrNoCheckpoint) {
					t.Errorf("%d, %v", n, err)
				}
			}
			if s := require.Value(log.Status(t.Context()))(t); !s.Stopped || s.Stops != 1 {
				t.Errorf("status %+v", s)
			}
		}
		branch, err := f.log.StartBranch(t.Context(), "Айбек", "a portal had no key", "", nil)
		require.NoError(t, err)
		if branch.From != int64(f.queued-3) {
			t.Errorf("branch %+v", branch)
		}
		f.queued++
		f.seal()
		f.wantWhole()
		if n := require.Value(fresh.Status(t.Context()))(t); n.Unsealed != 0 {
			t.Errorf("status %+v", n)
		}
	})
}
