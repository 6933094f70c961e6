package signature_test

import (
	"bytes"
	"strings"
	"testing"

	"elsom/internal/signature"
)

// A list of records that is parsed is written as the same bytes.
func FuzzParseItems(f *testing.F) {
	f.Add(signature.AppendItem(nil, signature.Item{Kind: signature.Payment, ID: 5, Leaf: sample().LeafHash(nil)}))
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, list []byte) {
		items, ok := signature.ParseItems(list)
		if !ok {
			return
		}
		var again []byte
		for _, item := range items {
			again = signature.AppendItem(again, item)
		}
		if !bytes.Equal(again, list) {
			t.Errorf("%x is written as %x", list, again)
		}
	})
}

// A file of keys has as many keys as lines that are none of the comments, all with their
// own id, and an error shows no key.
func FuzzParseKeys(f *testing.F) {
	f.Add("# of the bank\n" + keyA + "\r\n\n" + strings.Repeat("abcdefgh", 8) + "\n")
	f.Add("short\n")
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := signature.ParseKeys(text)
		lines := 0
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if lines++; err != nil && len(line) > 12 && strings.Contains(err.Error(), line) {
				t.Errorf("an error shows the key %q", line)
			}
		}
		if err != nil {
			return
		}
		if (keys == nil) != (lines == 0) || len(keys.IDs()) != lines {
			t.Errorf("%d keys in %d lines", len(keys.IDs()), lines)
		}
		if keys != nil {
			mac, id := keys.Sign(sample())
			if id != keys.IDs()[0] || keys.Verify(sample(), mac, id) != nil {
				t.Errorf("the first key %s doesn't sign, %s does", keys.IDs()[0], id)
			}
		}
	})
}
