package keyedhash_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"elsom/internal/keyedhash"
)

// The hashes are stored in databases: a release must not change them.
func TestHashesNeverChange(t *testing.T) {
	key, err := keyedhash.Derive([]byte("a secret of thirty-two bytes or more"), "test")
	if err != nil {
		t.Fatal(err)
	}
	want := hmac.New(sha256.New, key.Bytes())
	fmt.Fprintf(want, "%d:%s%d:%s", 2, "ab", 3, "қ1")
	if got := key.Sum("ab", "қ1"); got != hex.EncodeToString(want.Sum(nil)) {
		t.Errorf("Sum: %s", got)
	}
	salted, err := keyedhash.DeriveSalted([]byte("the server's secret"), []byte("pepper"), "elsom dialogue")
	if err != nil {
		t.Fatal(err)
	}
	const goldenSalted = "7add628110221590f90f3bdf59dfed9bde18038786b86c82bf1b2a6310f6dd95"
	if got := hex.EncodeToString(salted.MAC([]byte("golden"))); got != goldenSalted {
		t.Errorf("salted: got %s, want %s", got, goldenSalted)
	}
	const golden = "fd529bd6540ab678291f7215b52290d6e8ef103a4cb7a805722fa4419c9d6821"
	if got := key.Sum("golden", ""); got != golden {
		t.Errorf("got %s, want %s", got, golden)
	}
}

func TestSumSeparatesTexts(t *testing.T) {
	key := keyedhash.New([]byte("key"))
	hashes := []string{key.Sum("ab", "c"), key.Sum("a", "bc"), key.Sum("abc"), key.Sum("", "abc"), key.Sum("ab", "c", ""), keyedhash.New([]byte("other")).Sum("abc")}
	slices.Sort(hashes)
	if len(slices.Compact(hashes)) != 6 {
		t.Error("different inputs have the same hash")
	}
}
