package translog_test

import (
	"errors"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// Checkpoints of a key that was replaced are verified as long as its public key is kept.
func TestRotatedKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, databasetest.SQLite(t))
	f.queue(1, 3)
	f.seal()
	before := require.Value(f.log.Head(t.Context()))(t)
	old := f.keys.Public()
	f.keys = newKeys(t, "wallet.example")
	f.queue(1, 3)
	if _, err := f.another().Seal(t.Context()); !errors.Is(err, translog.ErrDamaged) {
		t.Errorf("without the old key: %v", err)
	}
	f.keys = newKeys(t, "wallet.example", old)
	f.log = f.another()
	f.seal()
	f.wantWhole()
	require.Value(f.log.Compare(t.Context(), before))(t)
}
