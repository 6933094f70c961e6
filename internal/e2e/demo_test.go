package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/testkit/system"
)

// demonstrate runs a command of the demo's to its end, in the repository, with
// temporary files of its own.
func demonstrate(t *testing.T, name string, args ...string) system.Output {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	temporary := t.TempDir()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &errs, "../.."
	cmd.Env = system.Environment([]string{"TMPDIR=" + temporary, "MAKEFLAGS="})
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("%s did not end: %v\n%s%s", name, err, out.String(), errs.String())
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "elsom-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("it leaves %q behind, %v", left, err)
	}
	return system.Output{Stdout: out.String(), Stderr: errs.String(), Code: cmd.ProcessState.ExitCode()}
}

// `make demo` plays its whole day, and ends well.
func TestDemo(t *testing.T) {
	t.Parallel()
	told := demonstrate(t, "make", "-s", "demo", "BIN="+filepath.Dir(system.Binary(t, "elsom")))
	if told.Code != 0 {
		t.Fatalf("%d\n%s%s", told.Code, told.Stdout, told.Stderr)
	}
	for _, words := range []string{"the portal is killed (SIGKILL)", "DosTek answers again.", "elsom audit: All holds.", "No money was lost"} {
		if !strings.Contains(told.Stdout, words) {
			t.Errorf("it doesn't say %q:\n%s", words, told.Stdout)
		}
	}
}

// A day that doesn't end as it should ends the demo with an error that says
// which step it was: here the books don't hold.
func TestDemoReportsFailedStep(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.Symlink(system.Binary(t, "sochi"), filepath.Join(folder, "sochi")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "elsom"), []byte(`#!/bin/sh
if [ "$1" = audit ]; then echo "VIOLATION planted"; exit 1; fi
exec '`+system.Binary(t, "elsom")+`' "$@"
`), 0o700))
	told := demonstrate(t, "go", "run", "./.ci/demo", "-bin", folder)
	if told.Code == 0 || strings.Contains(told.Stdout, "No money was lost") {
		t.Errorf("it ends well:\n%s", told.Stdout)
	}
	for _, words := range []string{"Failed: step 11", "VIOLATION planted"} {
		if !strings.Contains(told.Stderr, words) {
			t.Errorf("it doesn't say %q:\n%s", words, told.Stderr)
		}
	}
}
