package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"elsom/internal/signature"
)

// preparedMark begins the comment above a key that was added to verify only, and is the
// next to sign.
const preparedMark = "# prepared "

// rotateKeyFile makes another key the first in a file of keys: the prepared one, which
// every portal already verifies, or newKey. With prepare it adds newKey as the prepared
// one instead. Keys are never removed. It returns the keys' ids.
func rotateKeyFile(path string, prepare bool, newKey string, now time.Time) (ids []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w; `elsom key new` prints a first key", err)
	}
	content, err := os.ReadFile(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, err
	}
	if keys, err := signature.ParseKeys(string(content)); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	} else if keys == nil {
		return nil, fmt.Errorf("%s has no key; `elsom key new` prints one", path)
	}
	lines := strings.Split(strings.TrimRight(string(content), "\r\n"), "\n")
	mark := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, preparedMark) })
	switch {
	case prepare && mark >= 0:
		return nil, fmt.Errorf("%s has a prepared key already; run elsom key rotate without --prepare when all portals have it", path)
	case prepare:
		lines = append(lines, preparedMark+day(now), newKey)
	case mark >= 0 && mark+1 < len(lines) && isKeyLine(lines[mark+1]):
		prepared := lines[mark+1]
		lines = slices.Concat([]string{"# signs since " + day(now), prepared}, lines[:mark], lines[mark+2:])
	case mark >= 0:
		return nil, fmt.Errorf("%s has no key in the line below %q", path, lines[mark])
	//mutant:drop TestRotateKeyFile
	case lines[0] == "# signs since "+day(now):
		return nil, fmt.Errorf("the first key of %s signs since today already; copy the file to all portals and restart them. For a further key run elsom key rotate --prepare first", path)
	default:
		lines = slices.Concat([]string{"# signs since " + day(now), newKey}, lines)
	}
	text := strings.Join(lines, "\n") + "\n"
	keys, err := signature.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return keys.IDs(), replaceFile(path, text, info)
}

// isKeyLine reports whether a line of a file of keys is a key.
func isKeyLine(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && !strings.HasPrefix(line, "#")
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// replaceFile replaces a file's content at once, so that a crash leaves the one or the
// other.
func replaceFile(path, content string, info os.FileInfo) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".elsom-key-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	if err := errors.Join(keepOwner(temporary, info), temporary.Chmod(info.Mode().Perm())); err != nil {
		return errors.Join(err, temporary.Close())
	}
	_, err = temporary.WriteString(content)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
