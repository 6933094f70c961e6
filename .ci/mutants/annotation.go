package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
)

// A mutant is one annotation and the source of its file after the mutation.
type mutant struct {
	file     string // relative to the module, with slashes
	line     int    // of the annotation
	kind     string // drop, negate or replace
	from, to string // of replace
	pkg      string // of the test: ./internal/ledger
	test     string // TestX or TestX/case
	source   []byte // the mutated file
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d %s %s %s", m.file, m.line, m.kind, m.pkg, m.test)
}

// comments begin the annotations of a file, by its extension.
var comments = map[string]string{".go": "//", ".js": "//", ".sql": "--", ".toml": "#", ".yaml": "#"}

var testName = regexp.MustCompile(`^Test[A-Z0-9]\S*$`)

// parse reads the text behind "mutant:". The test is of the file's own package
// unless the annotation names another.
func parse(file string, line int, text string) (mutant, error) {
	m := mutant{file: file, line: line, pkg: "./" + path.Dir(file)}
	text, _, _ = strings.Cut(text, " // ")
	kind, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	m.kind = kind
	words := strings.Fields(rest)
	if len(words) == 0 || !testName.MatchString(words[len(words)-1]) {
		return m, fmt.Errorf("%s:%d: the annotation names no test", file, line)
	}
	m.test = words[len(words)-1]
	rest = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), m.test))
	if len(words) > 1 && strings.HasPrefix(words[len(words)-2], "./") {
		m.pkg = words[len(words)-2]
		rest = strings.TrimSpace(strings.TrimSuffix(rest, m.pkg))
	}
	switch kind {
	case "drop", "negate":
		if rest != "" {
			return m, fmt.Errorf("%s:%d: %q is not part of %s", file, line, rest, kind)
		}
	case "replace":
		from, to, ok := strings.Cut(rest+" ", " => ")
		m.from, m.to = strings.TrimSpace(from), strings.TrimSpace(to)
		if !ok || m.from == "" {
			return m, fmt.Errorf("%s:%d: write replace OLD => NEW TestX", file, line)
		}
	default:
		return m, fmt.Errorf("%s:%d: there is no kind %q", file, line, kind)
	}
	return m, nil
}

// scan reads all annotations below folders of root, and mutates their files.
func scan(root string, folders ...string) (all []mutant, problems []error) {
	files := os.DirFS(root)
	for _, folder := range folders {
		err := fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules"):
				return fs.SkipDir
			case entry.IsDir() || comments[path.Ext(name)] == "" || strings.HasSuffix(name, "_templ.go"):
				return nil
			}
			source, err := fs.ReadFile(files, name)
			if err != nil || !strings.Contains(string(source), "mutant:") {
				return err
			}
			found, wrong := read(name, source)
			all, problems = append(all, found...), append(problems, wrong...)
			return nil
		})
		if err != nil {
			problems = append(problems, err)
		}
	}
	return all, problems
}

// read returns the mutants of one file.
func read(file string, source []byte) (all []mutant, problems []error) {
	mutate := mutateText
	if path.Ext(file) == ".go" {
		code, err := parseGo(file, source)
		if err != nil {
			return nil, []error{err}
		}
		mutate = code.mutate
	}
	begin := regexp.MustCompile(`^(.*)` + comments[path.Ext(file)] + ` ?mutant:(.*)$`)
	for i, line := range strings.Split(string(source), "\n") {
		match := begin.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		m, err := parse(file, i+1, match[2])
		if strings.TrimSpace(match[1]) != "" {
			err = fmt.Errorf("%s:%d: the annotation follows code on its line; write it on the line above", file, i+1)
		}
		if err == nil {
			m.source, err = mutate(m, source)
		}
		if err == nil && bytes.Equal(m.source, source) {
			err = fmt.Errorf("%s:%d: the mutation changes nothing", file, i+1)
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = append(all, m)
	}
	return all, problems
}

// mutateText changes the line below the annotation, in SQL the lines down to a
// blank one.
func mutateText(m mutant, source []byte) ([]byte, error) {
	if m.kind != "replace" {
		return nil, fmt.Errorf("%s:%d: %s is for Go, write replace", m.file, m.line, m.kind)
	}
	lines := strings.SplitAfter(string(source), "\n")
	begin := m.line
	for begin < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[begin]), comments[path.Ext(m.file)]) {
		begin++
	}
	end := begin
	for end < len(lines) && strings.TrimSpace(lines[end]) != "" && (end == begin || path.Ext(m.file) == ".sql") {
		end++
	}
	before := len(strings.Join(lines[:begin], ""))
	change, err := m.replacement(source, before, before+len(strings.Join(lines[begin:end], "")))
	if err != nil {
		return nil, err
	}
	return apply(source, []edit{change}), nil
}

var wordEdge = regexp.MustCompile(`^\w`)

// replacement finds OLD in source[begin:end], where it must occur once.
func (m mutant) replacement(source []byte, begin, end int) (edit, error) {
	words := strings.Fields(m.from)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	pattern := strings.Join(words, `\s+`)
	if wordEdge.MatchString(m.from) {
		pattern = `\b` + pattern
	}
	if wordEdge.MatchString(m.from[len(m.from)-1:]) {
		pattern += `\b`
	}
	found := regexp.MustCompile(pattern).FindAllIndex(source[begin:end], -1)
	if len(found) != 1 {
		return edit{}, fmt.Errorf("%s:%d: %q occurs %d times below, must occur once", m.file, m.line, m.from, len(found))
	}
	return edit{begin + found[0][0], begin + found[0][1], m.to}, nil
}

// An edit puts text in the place of source[begin:end].
type edit struct {
	begin, end int
	text       string
}

// apply makes edits, which are in order and do not overlap.
func apply(source []byte, edits []edit) []byte {
	var changed []byte
	last := 0
	for _, e := range edits {
		changed = append(append(changed, source[last:e.begin]...), e.text...)
		last = e.end
	}
	return append(changed, source[last:]...)
}
