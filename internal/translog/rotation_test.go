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

func FuzzParseBranch(f *testing.F) {
	f.Add("wallet.example/branch-1\nbranch 1\nfrom 10\nlost 0 40 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime 2026-11-30T21:00:00Z\nstaff a\nreason b\n")
	f.Add("\nbranch \nfrom \nlost \ntime \nstaff \nreason \n")
	f.Fuzz(func(_ *testing.T, text string) { translog.ParseBranch(text) })
}
