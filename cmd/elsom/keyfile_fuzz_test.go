package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/signature"
)

// A rotation never loses a key: a file that is accepted has all earlier keys and one
// more, or the prepared one first; one that is refused is as it was.
func FuzzRotateKeyFile(f *testing.F) {
	first, second := strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)
	f.Add("# of the bank\n"+first+"\n", true)
	f.Add(first+"\n"+preparedMark+"2026-12-01\n"+second, false)
	f.Add(first+"\n"+preparedMark+"\n\n"+second+"\n", false)
	const fresh = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	path := filepath.Join(f.TempDir(), "books")
	f.Fuzz(func(t *testing.T, content string, prepare bool) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := rotateKeyFile(path, prepare, fresh, time.Unix(0, 0))
		after, _ := os.ReadFile(path)
		if err != nil {
			if string(after) != content {
				t.Errorf("refused (%v), but %q became %q", err, content, after)
			}
			return
		}
		old, errOld := signature.ParseKeys(content)
		now, errNow := signature.ParseKeys(string(after))
		if errOld != nil || errNow != nil || old == nil {
			t.Fatalf("%q became %q: %v, %v", content, after, errOld, errNow)
		}
		for _, id := range old.IDs() {
			if !slices.Contains(now.IDs(), id) {
				t.Errorf("%q became %q, without %s", content, after, id)
			}
		}
		if signer := now.IDs()[0]; prepare != (signer == old.IDs()[0]) {
			t.Errorf("%q became %q: %s signs", content, after, signer)
		}
	})
}
