// Plant checks that every import rule of .golangci.yml works: it creates a module
// of empty packages in a temporary folder, plants violations of each rule in it,
// runs the linter, and expects each of them to be reported by its rule, and
// nothing else. The source itself is neither copied nor changed.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "plant:", err)
		os.Exit(1)
	}
}

func run() error {
	tree, err := os.MkdirTemp("", "elsom-plant-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	// The linter reports paths without symbolic links.
	if tree, err = filepath.EvalSymlinks(tree); err != nil {
		return err
	}
	if err := build(tree); err != nil {
		return err
	}
	seen, err := lint(tree)
	if err != nil {
		return err
	}
	return compare(seen)
}

// build writes the empty packages, the allowed imports and the planted ones.
func build(tree string) error {
	for _, name := range []string{"go.mod", "go.sum", ".golangci.yml"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if name == "go.mod" {
			content = bytes.Replace(content, []byte("tool github.com/a-h/templ/cmd/templ\n"), nil, 1)
		}
		if err := write(filepath.Join(tree, name), string(content)); err != nil {
			return err
		}
	}
	for _, folder := range folders() {
		name := path.Base(folder)
		if err := write(filepath.Join(tree, folder, "empty.go"), "// Package "+name+" is empty.\npackage "+name+"\n"); err != nil {
			return err
		}
	}
	for i, p := range append(plants, allowed...) {
		name := p.file
		if name == "" {
			name = fmt.Sprintf("planted_%d.go", i)
		}
		body := fmt.Sprintf("package %s\n\n%s\n", path.Base(p.folder), p.code())
		if err := write(filepath.Join(tree, p.folder, name), body); err != nil {
			return err
		}
	}
	return nil
}

func write(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o600)
}

// folders returns, sorted, every folder that has a plant or is imported by one.
func folders() []string {
	found := map[string]bool{}
	for _, p := range append(plants, allowed...) {
		found[p.folder] = true
		if rest, ok := strings.CutPrefix(p.imports, "elsom/"); ok {
			found[rest] = true
		}
	}
	var list []string
	for folder := range found {
		list = append(list, folder)
	}
	sort.Strings(list)
	return list
}

// report is one issue that the linter found.
type report struct{ file, text string }

func lint(tree string) ([]report, error) {
	linter := os.Getenv("GOLANGCI")
	if linter == "" {
		return nil, fmt.Errorf("GOLANGCI is not set; run it by make check")
	}
	cmd := exec.Command("go", "run", linter, "run", "--enable-only", "depguard,forbidigo", "--output.json.path", "stdout",
		"--output.text.path", "stderr", "--show-stats=false", "--max-issues-per-linter", "0", "--max-same-issues", "0", "./...")
	cmd.Dir = tree
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	runErr := cmd.Run() // it fails whenever there are violations; they are in its output
	var result struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct{ Filename string }
		}
	}
	if err := json.NewDecoder(&out).Decode(&result); err != nil {
		return nil, fmt.Errorf("the linter's output can't be read (%w; %w): %s", err, runErr, stderr.String())
	}
	var seen []report
	for _, issue := range result.Issues {
		file := issue.Pos.Filename
		if filepath.IsAbs(file) {
			file, _ = filepath.Rel(tree, file)
		}
		seen = append(seen, report{filepath.ToSlash(file), issue.FromLinter + ": " + issue.Text})
	}
	return seen, nil
}

func compare(seen []report) error {
	wrong := 0
	problem := func(format string, args ...any) {
		wrong++
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
	matched := map[int]bool{}
	for i, p := range plants {
		file := p.folder + "/" + p.file
		if p.file == "" {
			file = fmt.Sprintf("%s/planted_%d.go", p.folder, i)
		}
		found := false
		for j, r := range seen {
			if r.file == file && strings.Contains(r.text, p.rule) && strings.Contains(r.text, p.subject()) {
				found, matched[j] = true, true
			}
		}
		if !found {
			problem("%s: %s in %s is not reported", p.rule, p.subject(), file)
		}
	}
	for j, r := range seen {
		if !matched[j] {
			problem("reported, but not planted: %s: %s", r.file, r.text)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d plants or allowed imports: wrong report", wrong, len(plants)+len(allowed))
	}
	fmt.Printf("%d violations planted and reported, %d allowed imports not reported\n", len(plants), len(allowed))
	return nil
}
