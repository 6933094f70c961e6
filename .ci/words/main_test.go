package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every entry is reported when it is planted in a file of each kind, also
// where a comment's line ends within the phrase.
func TestPlantedWordsAreReported(t *testing.T) {
	entries, err := parse(list)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 50 {
		t.Fatalf("words.txt has %d entries", len(entries))
	}
	for _, e := range entries {
		folder := t.TempDir()
		broken := strings.Join(strings.Fields(e.text), "\n// ")
		for name, text := range map[string]string{
			"a.go": "package a\n\n// x " + broken + " y\n", "b.md": "x " + e.text + " y\n", "c.sql": "-- " + e.text + "\n",
			"d.templ": "// " + e.text + "\n", "e.sh": "# " + e.text + "\n",
		} {
			file := filepath.Join(folder, name)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if search(&out, entries, []string{file}) == nil || !strings.Contains(out.String(), name+":") {
				t.Errorf("%q planted in %s was not reported", e.text, name)
			}
		}
	}
}

func TestOtherTextPasses(t *testing.T) {
	entries, err := parse("[phrases]\nthe house | the application\n[identifiers]\nBell | Notifier\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"the housekeeping", "bell", "Bells", "дом the", ""} {
		if n := report(io.Discard, entries, "a.go", text); n != 0 {
			t.Errorf("%q was reported", text)
		}
	}
}

func TestMalformedList(t *testing.T) {
	for _, text := range []string{"[phrases]\nno bar\n", "a | b\n"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
