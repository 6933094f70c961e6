package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Other users of the machine can't read the database.
func TestDatabaseIsPrivate(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "var")
	program(t, filepath.Join(folder, "sochi.db"))
	for _, path := range []string{folder, filepath.Join(folder, "sochi.db")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
	}
}
