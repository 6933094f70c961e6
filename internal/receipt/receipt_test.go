package receipt_test

import (
	"strings"
	"testing"

	"elsom/internal/checkpoint"
	"elsom/internal/receipt"
	"elsom/internal/testkit/require"
)

// No text that was not made by the program is accepted, and none makes Verify panic.
func FuzzVerify(f *testing.F) {
	private, err := checkpoint.DevelopmentKey([]byte("a secret of the fuzzing, long enough"))
	require.NoError(f, err)
	keys := require.Value(checkpoint.ParseKeys(private))(f)
	head, err := keys.SignText("elsom.development\n1\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n")
	require.NoError(f, err)
	file, err := receipt.Receipt{Checkpoint: head, End: &receipt.Record{}}.Encode()
	require.NoError(f, err)
	f.Add(string(file))
	f.Add(strings.Replace(string(file), `"id": ""`, `"id": "1", "lines": [["1"]]`, 2))
	f.Fuzz(func(t *testing.T, text string) {
		if paid, err := receipt.Verify(strings.NewReader(text), keys); err == nil {
			t.Errorf("%q is accepted as %+v", text, paid)
		}
	})
}
