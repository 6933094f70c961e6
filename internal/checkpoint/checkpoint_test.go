package checkpoint_test

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"elsom/internal/checkpoint"
	"elsom/internal/testkit/require"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	private, public, err := checkpoint.NewKey("wallet.example")
	require.NoError(t, err)
	other, otherPublic, err := checkpoint.NewKey("wallet.before")
	require.NoError(t, err)
	development := require.Value(checkpoint.DevelopmentKey([]byte("development's secret, long enough")))(t)
	if again := require.Value(checkpoint.DevelopmentKey([]byte("development's secret, long enough")))(t); again != development {
		t.Error("development's key changes")
	}
	for text, signs := range map[string]bool{
		private: true, public: false, "\n# now\r\n" + private + "\n" + otherPublic + "\n" + development: true, otherPublic + "\n" + private: false, other + "\n" + private: true,
	} {
		keys, err := checkpoint.ParseKeys(text)
		if err != nil || keys.CanSign() != signs || (keys.Public() != "") != signs {
			t.Errorf("%v, %v", keys, err)
		}
		if printed := fmt.Sprintf("%v %+v %s", keys, keys, keys); strings.Contains(printed, "+") {
			t.Errorf("printed as %s", printed)
		}
	}
	if keys, err := checkpoint.ParseKeys("\n# none\n"); keys != nil || err != nil || keys.CanSign() || keys.Public() != "" {
		t.Errorf("no keys: %v, %v", keys, err)
	}
	// A key made elsewhere, with the name of a branch.
	raw, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	branch := require.Value(note.NewEd25519VerifierKey("wallet.example/branch-1", raw))(t)
	for _, text := range []string{
		branch, "x", private[:len(private)-1], private + "x", strings.Replace(private, "wallet", "wallex", 1), "PRIVATE+KEY+", "PRIVATE+KEY+a+b", public[1:],
		private + "\n" + public, public + "\n" + public, strings.Repeat(other, 3),
	} {
		if _, err := checkpoint.ParseKeys(text); err == nil || strings.Contains(err.Error(), "PRIVATE") || len(err.Error()) > 80 {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "ж", "a\nb", "a/branch-1", strings.Repeat("a", 101)} {
		if _, _, err := checkpoint.NewKey(name); err == nil {
			t.Errorf("a key named %q was made", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	private, _, err := checkpoint.NewKey("wallet.example")
	require.NoError(f, err)
	keys := require.Value(checkpoint.ParseKeys(private))(f)
	f.Add("wallet.example\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\ntime 2026-11-30T21:00:00Z\n\n— wallet.example abcdefgh\n")
	f.Add("wallet.example/branch-2\n5\nx\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := keys.Open(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
		_, _ = checkpoint.ParseText(text)
	})
}

// A file of keys signs what it verifies, and an error shows no private key.
func FuzzParseKeys(f *testing.F) {
	private, public, err := checkpoint.NewKey("wallet.example")
	require.NoError(f, err)
	f.Add(private + "\n# before\n" + public)
	f.Add(public + "\n" + private)
	f.Add("PRIVATE+KEY+wallet.example+00000000+AA==\n")
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := checkpoint.ParseKeys(text)
		if err != nil {
			if strings.Contains(err.Error(), "PRIVATE+KEY") {
				t.Errorf("an error shows a key: %v", err)
			}
			return
		}
		if !keys.CanSign() {
			return
		}
		tree := checkpoint.Tree{Branch: 1, Size: 5}
		signed, err := keys.Sign(tree, time.Unix(1_800_000_000, 0))
		require.NoError(t, err)
		if opened, err := keys.Open(signed); err != nil || opened.Tree != tree {
			t.Errorf("%q is opened as %+v, %v", signed, opened, err)
		}
		if again, err := checkpoint.ParseKeys(keys.Public()); err != nil || again.CanSign() {
			t.Errorf("the public key %q: %v", keys.Public(), err)
		}
	})
}
