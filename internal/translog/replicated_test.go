package translog_test

import (
	"context"
	"os"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// A tree that is on the primary alone, because the wait for the standby was canceled, is
// neither remembered nor published nor extended: the standby's log would contradict it
// after a failover.
func TestHeadIsUnknownWithoutTheStandby(t *testing.T) {
	t.Parallel()
	db, server := databasetest.DedicatedPostgres(t)
	server.CancelCommitWaits(t)
	r := newReceipts(t, db)
	r.queued = r.seal()
	before := require.Value(os.ReadFile(r.fixture.file))(t)
	head := require.Value(r.log.PublishedHead(t.Context()))(t)
	require.Value(r.log.Receipt(t.Context(), r.completed))(t)

	require.NoError(t, server.SetSynchronousStandbys("nobody"))
	unknown := func(what string, err error) {
		t.Helper()
		if !fault.Is(err, fault.Unknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	queue := func() {
		unknown("a row of the queue", db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
			return insertQueued(tx, db.NewID(), r.records(3))
		}))
	}
	queue()
	_, err := r.log.Seal(t.Context())
	unknown("a batch", err)
	if now := require.Value(r.log.Head(t.Context()))(t); now == head {
		t.Fatal("the primary's log is as before: nothing was tried")
	}
	queue()
	for range 2 {
		_, err = r.log.Seal(t.Context())
		unknown("a batch after it", err)
		_, err = r.another().Seal(t.Context())
		unknown("a batch of another process", err)
		_, err = r.log.PublishedHead(t.Context())
		unknown("the checkpoint", err)
		_, err = r.log.Receipt(t.Context(), r.completed)
		unknown("a receipt", err)
	}
	if now := require.Value(os.ReadFile(r.fixture.file))(t); string(now) != string(before) {
		t.Errorf("the file has %q", now)
	}
	require.NoError(t, server.SetSynchronousStandbys(""))
	r.seal()
	r.wantWhole()
	require.Value(r.log.PublishedHead(t.Context()))(t)
}
