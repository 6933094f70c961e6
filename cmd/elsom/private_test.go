package main_test

import (
	"os"
	"path/filepath"
	"testing"
)

// Nobody else on the machine reads the database.
func TestDatabaseIsTheOperatorsAlone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "var")
	if told := operate(t, []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(folder, "elsom.db")}, "migrate"); told.code != 0 {
		t.Fatal(told.err)
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
