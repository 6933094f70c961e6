// Guards takes the guards of the house out, one at a time, and wants a test to
// miss each of them. The list stands in guards.go.
//
// The source on disk is never changed: a guard is taken out with the compiler's
// -overlay. A text that is not found exactly once, a test that does not pass
// with the guard in place, that does not exist, or that does not build without
// it or does not end, is an error, as is a guard that no test misses.
//
//	go run ./.ci/guards              all of them
//	go run ./.ci/guards -run ledger  those whose name or file matches
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A guard is a piece of the source that keeps something bad from happening.
type guard struct {
	name        string // what it keeps from happening
	file        string
	text        string // exactly as it stands there, once
	replacement string
	pkg         string
	test        string // the test that must fail without it; "TestX/sub" too
}

func main() {
	only := flag.String("run", "", "take out only the guards whose name or file matches")
	atOnce := flag.Int("p", 2, "how many at once")
	look := flag.Bool("look", false, "only see that the text of each stands where it is said to, and take out none")
	flag.Parse()
	chosen, err := choose(*only)
	switch {
	case err != nil:
	case *look:
		err = lookAt(chosen)
	default:
		err = run(chosen, *atOnce)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guards:", err)
		os.Exit(1)
	}
}

func choose(only string) ([]guard, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	var chosen []guard
	for _, g := range guards {
		if pattern.MatchString(g.name) || pattern.MatchString(g.file) {
			chosen = append(chosen, g)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("none matches %q", only)
	}
	return chosen, nil
}

func lookAt(chosen []guard) error {
	gone := 0
	for _, g := range chosen {
		if _, problem := without(g); problem != "" {
			gone++
			fmt.Printf("%s: %s\n", g.name, problem)
		}
	}
	if gone > 0 {
		return fmt.Errorf("%d of %d are gone", gone, len(chosen))
	}
	fmt.Printf("%d guards stand\n", len(chosen))
	return nil
}

func run(chosen []guard, atOnce int) error {
	folder, err := os.MkdirTemp("", "elsom-guards-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	begin := time.Now()
	verdicts := make([]string, len(chosen))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, g := range chosen {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			started := time.Now()
			verdicts[i] = takeOut(filepath.Join(folder, fmt.Sprint(i)), g)
			word := "missed by " + g.test
			if verdicts[i] != "" {
				word = "WRONG: " + verdicts[i]
			}
			fmt.Printf("%-34s %-52s %5.1fs  %s\n", g.file, g.name, time.Since(started).Seconds(), word)
		})
	}
	all.Wait()
	wrong := 0
	for _, verdict := range verdicts {
		if verdict != "" {
			wrong++
		}
	}
	fmt.Printf("%d guards taken out in %s, %d missed by a test, %d wrong\n",
		len(chosen), time.Since(begin).Round(time.Second), len(chosen)-wrong, wrong)
	if wrong > 0 {
		return fmt.Errorf("%d of %d", wrong, len(chosen))
	}
	return nil
}

// takeOut says what is wrong with a guard, "" where its test misses it.
func takeOut(folder string, g guard) string {
	flags, problem := overlay(folder, g)
	if problem != "" {
		return problem
	}
	if out, err := test(g, ""); err != nil {
		return "the test fails with the guard in place:\n" + tail(out)
	} else if strings.Contains(out, "no tests to run") {
		return "there is no test " + g.test
	}
	out, err := test(g, flags)
	switch {
	case err == nil:
		return "no test misses it: " + g.test + " passes without it"
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "does not build without it:\n" + tail(out)
	case strings.Contains(out, "panic: test timed out"):
		return "the test did not end without it, which tells nothing:\n" + tail(out)
	case !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:"):
		return "the test did not fail, something else did:\n" + tail(out)
	}
	return ""
}

// without gives a guard's file as it is without it.
func without(g guard) (content []byte, problem string) {
	content, err := os.ReadFile(g.file)
	if err != nil {
		return nil, err.Error()
	}
	if n := bytes.Count(content, []byte(g.text)); n != 1 {
		return nil, fmt.Sprintf("its text stands %d times in %s, must stand once", n, g.file)
	}
	return bytes.Replace(content, []byte(g.text), []byte(g.replacement), 1), ""
}

// overlay writes the file without the guard beside the compiler's note on it.
func overlay(folder string, g guard) (flags, problem string) {
	path, err := filepath.Abs(g.file)
	if err != nil {
		return "", err.Error()
	}
	taken, problem := without(g)
	if problem != "" {
		return "", problem
	}
	changed := filepath.Join(folder, filepath.Base(g.file))
	note, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return "", err.Error()
	}
	noted := filepath.Join(folder, "overlay.json")
	for _, err := range []error{
		os.MkdirAll(folder, 0o700), os.WriteFile(changed, taken, 0o600), os.WriteFile(noted, note, 0o600),
	} {
		if err != nil {
			return "", err.Error()
		}
	}
	return "-overlay=" + noted, ""
}

// test runs the guard's test. The flags go by the environment, so that they
// also reach the programs that a test builds.
func test(g guard, flags string) (string, error) {
	parts := strings.Split(g.test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	args := []string{"test", "-trimpath", "-vet=off", "-timeout=120s", "-run", strings.Join(parts, "/")}
	if flags != "" { // a test that only starts our programs looks unchanged to the cache
		args = append(args, "-count=1")
	}
	cmd := exec.Command("go", append(args, g.pkg)...)
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+flags))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return "\t" + strings.Join(lines[max(0, len(lines)-12):], "\n\t")
}
