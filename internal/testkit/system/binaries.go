package system

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Root returns the path of the module's top folder.
var Root = sync.OnceValue(func() string {
	at, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; at != "/"; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
	}
	panic("no go.mod above the working directory")
})

// binaries builds both programs, once per test process. All processes share
// one folder below the user's cache, so that only the first has to link. A
// mutated build (with an overlay) has a folder of its own.
var binaries = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil || strings.Contains(os.Getenv("GOFLAGS"), "-overlay") {
		if temporary, err = os.MkdirTemp("", "elsom-bin-"); err != nil {
			return "", err
		}
		return temporary, build(temporary)
	}
	folder := filepath.Join(cache, "elsom-tests", fmt.Sprintf("%x", sha256.Sum256([]byte(Root())))[:12])
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	return folder, build(folder)
})

// temporary is the folder of a mutated build; Main removes it.
var temporary string

func build(folder string) error {
	return locked(folder, exec.Command("make", "-s", "build", "BIN="+folder))
}

// locked runs a build while no other process builds into the same folder.
func locked(folder string, cmd *exec.Cmd) error {
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	cmd.Dir, cmd.Env = Root(), append(os.Environ(), "MAKEFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// ChaosBinary is elsom built with the tag chaos: it reports its commits on
// SQLite, and its clock can be shifted.
const ChaosBinary = "elsom-chaos"

var buildChaos = sync.OnceValue(func() error {
	folder, err := binaries()
	if err != nil {
		return err
	}
	return locked(folder, exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=chaos", "-o", filepath.Join(folder, ChaosBinary), "elsom/cmd/elsom"))
})

// Binary returns the path of a built program: elsom, sochi or ChaosBinary.
func Binary(t testing.TB, name string) string {
	t.Helper()
	folder, err := binaries()
	if err == nil && name == ChaosBinary {
		err = buildChaos()
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}

// Environment returns this process's environment without the programs' own
// variables, and with env and a key of the books, unless env sets it.
func Environment(env []string) []string {
	var clean []string
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "ELSOM_") && !strings.HasPrefix(line, "SOCHI_") {
			clean = append(clean, line)
		}
	}
	if !slices.ContainsFunc(env, func(line string) bool { return strings.HasPrefix(line, "ELSOM_BOOKS_KEY") }) {
		clean = append(clean, BooksKey)
	}
	return append(clean, env...)
}
