package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// timeout limits one test run with a mutant; without one, every test takes less than half of it.
const timeout = 2 * time.Minute

// run tests the mutants, several at once, and prints a line for each.
func run(chosen []mutant, atOnce int, results string) error {
	folder, err := os.MkdirTemp("", "elsom-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	seen, err := openRecord(results)
	if err != nil {
		return err
	}
	begin := time.Now()
	var caught, recorded int
	var mutex sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	broken := baseline(chosen, slots)
	fmt.Printf("%6.1fs  the tests without mutants, %d fail\n", time.Since(begin).Seconds(), len(broken))
	for i, m := range chosen {
		if seen.caught(m) {
			caught, recorded = caught+1, recorded+1
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			started := time.Now()
			problem := broken[m.pkg+" "+topLevel(m.test)]
			if problem == "" {
				problem = try(filepath.Join(folder, fmt.Sprint(i)), m)
			}
			mutex.Lock()
			defer mutex.Unlock()
			word := "caught"
			if problem == "" {
				caught++
				seen.add(m)
			} else {
				word = "WRONG: " + problem
			}
			fmt.Printf("%6.1fs  %s: %s\n", time.Since(started).Seconds(), m, word)
		})
	}
	all.Wait()
	fmt.Printf("%d mutants in %s: %d caught (%d of them recorded before), %d wrong\n",
		len(chosen), time.Since(begin).Round(time.Second), caught, recorded, len(chosen)-caught)
	if caught < len(chosen) {
		return fmt.Errorf("%d of %d", len(chosen)-caught, len(chosen))
	}
	return nil
}

func topLevel(test string) string {
	name, _, _ := strings.Cut(test, "/")
	return name
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// baseline runs each test without a mutant, one run a package, and returns the
// output of those that fail, by package and test.
func baseline(chosen []mutant, slots chan struct{}) map[string]string {
	tests := map[string][]string{}
	for _, m := range chosen {
		if name := topLevel(m.test); !slices.Contains(tests[m.pkg], name) {
			tests[m.pkg] = append(tests[m.pkg], name)
		}
	}
	broken := map[string]string{}
	var mutex sync.Mutex
	var all sync.WaitGroup
	for pkg, names := range tests {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			out, err := goTest(pkg, "^("+strings.Join(names, "|")+")$", "", 10*timeout)
			if err == nil {
				return
			}
			wrong := names
			if strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:") {
				wrong = nil
				for _, match := range failed.FindAllStringSubmatch(out, -1) {
					wrong = append(wrong, match[1])
				}
			}
			mutex.Lock()
			defer mutex.Unlock()
			for _, name := range wrong {
				broken[pkg+" "+name] = "the test fails without the mutation:\n" + tail(out)
			}
		})
	}
	all.Wait()
	return broken
}

// try returns what is wrong with a mutant, "" if its test fails.
func try(folder string, m mutant) string {
	flags, err := overlay(folder, m)
	if err != nil {
		return err.Error()
	}
	parts := strings.Split(m.test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	out, err := goTest(m.pkg, strings.Join(parts, "/"), flags, timeout)
	switch {
	case err == nil:
		return "it survives, " + m.test + " passes"
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "it does not build:\n" + tail(out)
	case strings.Contains(out, "panic: test timed out"):
		return "the test did not end, which proves nothing:\n" + tail(out)
	case !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:"):
		return "something else failed than the test:\n" + tail(out)
	}
	return ""
}

// overlay writes the mutated file and the overlay file that makes the compiler read it, and returns the flag.
func overlay(folder string, m mutant) (flags string, err error) {
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(folder, filepath.Base(m.file))
	replacements, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(changed, m.source, 0o600); err != nil {
		return "", err
	}
	name := filepath.Join(folder, "overlay.json")
	return "-overlay=" + name, os.WriteFile(name, replacements, 0o600)
}

// goTest runs tests. The flags go by the environment, so that they also reach
// the programs that a test builds.
func goTest(pkg, pattern, flags string, limit time.Duration) (string, error) {
	args := []string{"test", "-trimpath", "-vet=off", "-timeout=" + limit.String(), "-run", pattern}
	if flags != "" { // the cache does not see that programs which a test builds have changed
		args = append(args, "-count=1")
	}
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+flags))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return "\t" + strings.Join(lines[max(0, len(lines)-12):], "\n\t")
}
