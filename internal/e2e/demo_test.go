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

// demonstrate runs a command in the repository, with a temporary folder of its own.
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
		t.Fatalf("%s did not exit: %v\n%s%s", name, err, out.String(), errs.String())
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "elsom-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("it left %q behind, %v", left, err)
	}
	return system.Output{Stdout: out.String(), Stderr: errs.String(), Code: cmd.ProcessState.ExitCode()}
}

// `make demo` runs all its steps.
func TestDemo(t *testing.T) {
	t.Parallel()
	out := demonstrate(t, "make", "-s", "demo", "BIN="+filepath.Dir(system.Binary(t, "elsom")))
	if out.Code != 0 {
		t.Fatalf("%d\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
	for _, words := range []string{"the portal is killed (SIGKILL)", "DosTek answers again.", "elsom audit: All holds.", "No money was lost"} {
		if !strings.Contains(out.Stdout, words) {
			t.Errorf("it doesn't say %q:\n%s", words, out.Stdout)
		}
	}
}

// If a step fails the demo exits with an error that names the step: here the audit.
func TestDemoReportsFailedStep(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.Symlink(system.Binary(t, "sochi"), filepath.Join(folder, "sochi")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "elsom"), []byte(`#!/bin/sh
if [ "$1" = audit ]; then echo "VIOLATION planted"; exit 1; fi
exec '`+system.Binary(t, "elsom")+`' "$@"
`), 0o700))
	out := demonstrate(t, "go", "run", "./.ci/demo", "-bin", folder)
	if out.Code == 0 || strings.Contains(out.Stdout, "No money was lost") {
		t.Errorf("it succeeds:\n%s", out.Stdout)
	}
	for _, words := range []string{"Failed: step 11", "VIOLATION planted"} {
		if !strings.Contains(out.Stderr, words) {
			t.Errorf("it doesn't say %q:\n%s", words, out.Stderr)
		}
	}
}
