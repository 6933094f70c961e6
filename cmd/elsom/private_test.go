package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"elsom/internal/testkit/system"
)

// The database is readable by its owner only.
func TestDatabaseIsPrivate(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "var")
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(folder, "elsom.db")}, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	for _, path := range []string{folder, filepath.Join(folder, "elsom.db")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
	}
}
