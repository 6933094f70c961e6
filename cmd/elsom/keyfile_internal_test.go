package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elsom/internal/signature"
)

func TestRotateKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books")
	first, second, third := newBooksKey(), newBooksKey(), newBooksKey()
	idOf := func(key string) string {
		keys, err := signature.ParseKeys(key)
		if err != nil {
			t.Fatal(err)
		}
		return keys.IDs()[0]
	}
	if err := os.WriteFile(path, []byte("# of the bank\n"+first+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		prepare bool
		key     string
		days    int
		want    []string // nil: refused
	}{
		{true, second, 0, []string{first, second}},
		{true, third, 0, nil}, // one is prepared already
		{false, third, 1, []string{second, first}},
		{false, third, 1, nil}, // twice by mistake
		{false, third, 2, []string{third, second, first}},
	} {
		before, _ := os.ReadFile(path)
		ids, err := rotateKeyFile(path, step.prepare, step.key, now.AddDate(0, 0, step.days))
		after, _ := os.ReadFile(path)
		if step.want == nil {
			if err == nil || string(before) != string(after) {
				t.Errorf("%+v: %v, the file:\n%s", step, err, after)
			}
			continue
		}
		var want []string
		for _, key := range step.want {
			want = append(want, idOf(key))
		}
		stored, parseErr := signature.ParseKeys(string(after))
		if err != nil || parseErr != nil || strings.Join(ids, " ") != strings.Join(want, " ") || strings.Join(stored.IDs(), " ") != strings.Join(want, " ") {
			t.Errorf("%+v: %v, %v, %v, want %v", step, ids, err, parseErr, want)
		}
		if !strings.Contains(string(after), "# of the bank") {
			t.Errorf("a comment is lost:\n%s", after)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files are left: %v", left)
	}
}

func TestRotateRefusesOtherFiles(t *testing.T) {
	for what, content := range map[string]string{"empty": "", "comments": "# a\n", "short": "abc\n", "prepared without a key": newBooksKey() + "\n# prepared 2026-12-01\n",
		"a line between": newBooksKey() + "\n# prepared 2026-12-01\n\n" + newBooksKey() + "\n",
	} {
		path := filepath.Join(t.TempDir(), "books")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := rotateKeyFile(path, false, newBooksKey(), time.Now())
		if after, _ := os.ReadFile(path); err == nil || string(after) != content {
			t.Errorf("%s: %v, the file is %q", what, err, after)
		}
	}
	if _, err := rotateKeyFile(filepath.Join(t.TempDir(), "missing"), false, newBooksKey(), time.Now()); err == nil || !strings.Contains(err.Error(), "key new") {
		t.Errorf("missing: %v", err)
	}
}
