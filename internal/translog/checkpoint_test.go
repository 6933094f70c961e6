package translog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	private, public, err := translog.NewKey("wallet.example")
	require.NoError(t, err)
	other, otherPublic, err := translog.NewKey("wallet.before")
	require.NoError(t, err)
	development := require.Value(translog.DevelopmentKey([]byte("development's secret, long enough")))(t)
	if again := require.Value(translog.DevelopmentKey([]byte("development's secret, long enough")))(t); again != development {
		t.Error("development's key changes")
	}
	for text, signs := range map[string]bool{
		private: true, public: false, "\n# now\r\n" + private + "\n" + otherPublic + "\n" + development: true, otherPublic + "\n" + private: false, other + "\n" + private: true,
	} {
		keys, err := translog.ParseKeys(text)
		if err != nil || keys.CanSign() != signs || (keys.Public() != "") != signs {
			t.Errorf("%v, %v", keys, err)
		}
		if printed := fmt.Sprintf("%v %+v %s", keys, keys, keys); strings.Contains(printed, "+") {
			t.Errorf("printed as %s", printed)
		}
	}
	if keys, err := translog.ParseKeys("\n# none\n"); keys != nil || err != nil || keys.CanSign() || keys.Public() != "" {
		t.Errorf("no keys: %v, %v", keys, err)
	}
	for _, text := range []string{
		"x", private[:len(private)-1], private + "x", strings.Replace(private, "wallet", "wallex", 1), "PRIVATE+KEY+", "PRIVATE+KEY+a+b", public[1:],
		private + "\n" + public, public + "\n" + public, strings.Repeat(other, 3),
	} {
		if _, err := translog.ParseKeys(text); err == nil || strings.Contains(err.Error(), "PRIVATE") || len(err.Error()) > 80 {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "ж", "a\nb", "a/branch-1", strings.Repeat("a", 101)} {
		if _, _, err := translog.NewKey(name); err == nil {
			t.Errorf("a key named %q was made", name)
		}
	}
}

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

func FuzzOpen(f *testing.F) {
	private, _, err := translog.NewKey("wallet.example")
	require.NoError(f, err)
	keys := require.Value(translog.ParseKeys(private))(f)
	f.Add("wallet.example\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\ntime 2026-11-30T21:00:00Z\n\n— wallet.example abcdefgh\n")
	f.Add("wallet.example/branch-2\n5\nx\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := keys.Open(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
		translog.ParseText(text)
	})
}
