package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// missingTests returns an error for each annotation whose test does not exist.
// It does not check subtests: a mutant with a wrong subtest name survives.
func missingTests(all []mutant) (problems []error) {
	tests := map[string]map[string]bool{}
	for _, m := range all {
		if tests[m.pkg] == nil {
			tests[m.pkg] = map[string]bool{}
			names, _ := filepath.Glob(filepath.Join(m.pkg, "*_test.go")) // the pattern is well-formed
			for _, name := range names {
				source, err := os.ReadFile(name)
				if err != nil {
					problems = append(problems, err)
				}
				for _, match := range testFunction.FindAllSubmatch(source, -1) {
					tests[m.pkg][string(match[1])] = true
				}
			}
		}
		if !tests[m.pkg][topLevel(m.test)] {
			problems = append(problems, fmt.Errorf("%s:%d: %s has no %s", m.file, m.line, m.pkg, topLevel(m.test)))
		}
	}
	return problems
}

// A record keeps a hash of each mutant that was caught, with its test's package.
type record struct {
	file   *os.File
	hashes map[string]bool
}

// openRecord reads a record; without a name, nothing is recorded.
func openRecord(name string) (record, error) {
	if name == "" {
		return record{}, nil
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return record{}, err
	}
	content, err := os.ReadFile(name)
	hashes := map[string]bool{}
	for _, hash := range strings.Fields(string(content)) {
		hashes[hash] = true
	}
	return record{file, hashes}, err
}

func (r record) caught(m mutant) bool { return r.hashes[m.hash()] }

func (r record) add(m mutant) {
	if r.file != nil {
		fmt.Fprintln(r.file, m.hash())
	}
}

// hash returns the hash of the mutated file, the Go files of its folder and those of its test's package.
func (m mutant) hash() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s %s\n%s", m.file, m.pkg, m.test, m.source)
	for _, folder := range []string{filepath.Dir(m.file), m.pkg} {
		names, _ := filepath.Glob(filepath.Join(folder, "*.go")) // the pattern is well-formed
		for _, name := range names {
			source, err := os.ReadFile(name)
			fmt.Fprintf(sum, "%s %v\n%s", name, err, source)
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
