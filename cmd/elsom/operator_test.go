package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// Operators read words, and what to do.
func TestPlainWordsForOperators(t *testing.T) {
	t.Parallel()
	env := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "elsom.db"), "ELSOM_MODE=development"}
	if told := operate(t, env, "payment", "hanging"); told.code == 0 || !strings.Contains(told.err, "run `elsom migrate` first") {
		t.Errorf("an empty database: %d %s", told.code, told.err)
	}
}
