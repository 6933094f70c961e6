package main_test

import (
	"debug/elf"
	"runtime"
	"strings"
	"testing"

	"elsom/internal/testkit/system"
)

// The programs of `make build` are static, so that they run on any Linux and in an
// empty container.
func TestProgramsAreStatic(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Log("only Linux has static programs")
		return
	}
	for _, name := range []string{"elsom", "sochi"} {
		file, err := elf.Open(system.Binary(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for _, p := range file.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: has a segment %s: it is linked dynamically", name, p.Type)
			}
		}
		if libraries, err := file.ImportedLibraries(); err == nil && len(libraries) > 0 {
			t.Errorf("%s: needs %v", name, libraries)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out := system.Run(t, nil, "--version")
	words := strings.TrimSpace(out.Stdout)
	if out.Code != 0 || !strings.HasPrefix(words, "elsom ") || !strings.Contains(words, runtime.Version()) || strings.Contains(words, "\n") {
		t.Errorf("%+v", out)
	}
}
