package main_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"elsom/internal/testkit/require"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// catalogFile writes a catalog file.
func catalogFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestCatalogCommands(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catalogCommands(t, []string{"ELSOM_DATABASE_URL=" + address})
		})
	}
}

func catalogCommands(t *testing.T, env []string) {
	t.Helper()
	run := func(code int, says string, args ...string) system.Output {
		t.Helper()
		out := system.Run(t, env, append([]string{"catalog"}, args...)...)
		if out.Code != code || !strings.Contains(out.Stdout+out.Stderr, says) {
			t.Errorf("catalog %s: want %d and %q, got %+v", strings.Join(args, " "), code, says, out)
		}
		return out
	}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	first := run(0, "version: 1\n", "export").Stdout
	limit := catalogFile(t, strings.Replace(first, limitOf("100000.00"), limitOf("7.00"), 1))
	const diff = "levels:\n  ~ standard\n      operation: \"100000.00\" → \"7.00\"\n"

	run(0, diff, "import", limit, "--dry-run")
	run(0, "Nothing changes.", "import", catalogFile(t, first))
	run(0, "version: 1\n", "export")
	run(0, diff, "import", limit, "--staff=Bakyt")
	run(0, "version: 2\n", "export")

	// A file of an older version is refused: changes made meanwhile would be lost.
	for _, more := range [][]string{nil, {"--dry-run"}} {
		out := run(1, "elsom: the file is of version 1, but version 2 is in force: run `elsom catalog export`", append([]string{"import", limit}, more...)...)
		if strings.Contains(out.Stdout, "replaced") {
			t.Errorf("output: %s", out.Stdout)
		}
	}
	run(1, "elsom: the file names no version", "import", catalogFile(t, strings.Replace(first, "version: 1\n", "", 1)))

	second := run(0, "", "export").Stdout
	from, to := strings.Index(second, "services:\n"), strings.Index(second, "# Limits of identification")
	empty := catalogFile(t, second[:from]+"services: []\n"+second[to:])
	run(1, "elsom: the file empties services: if that is meant, add --allow-empty", "import", empty)
	run(0, "  - dostek\n", "import", empty, "--allow-empty", "--dry-run")
	run(0, `operation: "7.00"`, "export")
	run(0, "  - hoster\n", "import", empty, "--allow-empty")

	run(1, "elsom: line ", "import", catalogFile(t, strings.Replace(second, "identifier: inn", "identifier: innn", 1)))
	run(80, "", "import", filepath.Join(t.TempDir(), "nothing"))
	run(1, "version 9 is not stored", "restore", "9", "--staff=Bakyt", "--reason=wrong limits")
	run(0, "  + dostek\n", "restore", "1", "--dry-run")
	run(0, "  + dostek\n", "restore", "1", "--staff=Bakyt", "--reason=wrong limits")
	run(0, strings.Replace(first, "version: 1\n", "version: 4\n", 1), "export")
	run(0, first, "export", "1")

	here, err := user.Current()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(run(0, "Bakyt", "history").Stdout), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[1], "4 ") || !strings.HasSuffix(lines[1], "restore of 1") ||
		!strings.HasPrefix(lines[3], "2 ") || !strings.Contains(lines[3], "Bakyt  "+here.Username+"  ") || !strings.HasSuffix(lines[4], "seed") {
		t.Errorf("history:\n%s", strings.Join(lines, "\n"))
	}
	if out := system.Run(t, []string{"ELSOM_DATABASE_URL=postgres://elsom:p1anted@" + system.FreeAddress(t) + "/elsom"}, "catalog", "import", limit); out.Code != 2 || strings.Contains(out.Stderr, "p1anted") {
		t.Errorf("unreachable database: %+v", out)
	}
	catalogImportsAtOnce(t, env, run(0, "", "export").Stdout)
}

// catalogImportsAtOnce imports several files of the current version at once: one is
// imported, the others are refused.
func catalogImportsAtOnce(t *testing.T, env []string, fourth string) {
	t.Helper()
	var all sync.WaitGroup
	var out [4]system.Output
	for i := range out {
		file := catalogFile(t, strings.Replace(fourth, limitOf("100000.00"), limitOf(string(rune('1'+i))+".00"), 1))
		all.Go(func() { out[i] = system.Run(t, env, "catalog", "import", file) })
	}
	all.Wait()
	won := 0
	for _, a := range out {
		if a.Code == 0 {
			won++
		} else if a.Code != 1 || !strings.Contains(a.Stderr, "version 5 is in force") {
			t.Errorf("%+v", a)
		}
	}
	if won != 1 {
		t.Errorf("%d imports of one version are in force", won)
	}
}

// limitOf is the part of an exported file with the standard level's limit of one
// operation.
func limitOf(operation string) string {
	return "balance: \"800000.00\"\n    operation: \"" + operation + "\""
}
