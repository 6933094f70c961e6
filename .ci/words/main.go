// Words reports the phrases and identifiers of words.txt that stand in the
// project's Go, templ, SQL, shell and Markdown files, with what to write
// instead. Arguments narrow the search to folders and files.
//
// A phrase matches in any case, at word boundaries, also across the line
// breaks of a comment. An identifier matches exactly, as a whole word.
package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

//go:embed words.txt
var list string

// An entry is a line of words.txt.
type entry struct {
	text    string
	instead string
	pattern *regexp.Regexp
}

func main() {
	entries, err := parse(list)
	if err == nil {
		roots := os.Args[1:]
		if len(roots) == 0 {
			roots = []string{"."}
		}
		err = search(os.Stdout, entries, roots)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

// parse reads lines of "text | instead" under the headings [phrases] and
// [identifiers].
func parse(list string) ([]entry, error) {
	var entries []entry
	section := ""
	lines := bufio.NewScanner(strings.NewReader(list))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "["):
			section = line
			continue
		}
		text, instead, ok := strings.Cut(line, " | ")
		if !ok {
			return nil, fmt.Errorf("words.txt: no ' | ' in %q", line)
		}
		e := entry{text: strings.TrimSpace(text), instead: strings.TrimSpace(instead)}
		switch section {
		case "[phrases]":
			words := strings.Fields(e.text)
			for i, word := range words {
				words[i] = regexp.QuoteMeta(word)
			}
			e.pattern = regexp.MustCompile(`(?i)\b` + strings.Join(words, `[\s/#-]+`) + `\b`)
		case "[identifiers]":
			e.pattern = regexp.MustCompile(`\b` + regexp.QuoteMeta(e.text) + `\b`)
		default:
			return nil, fmt.Errorf("words.txt: %q stands under no heading", line)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// searched reports whether a file is one of those that the list is for.
func searched(path string) bool {
	name := filepath.Base(path)
	if strings.HasSuffix(name, "_templ.go") || filepath.Base(filepath.Dir(path)) == "words" {
		return false
	}
	return slices.Contains([]string{".go", ".templ", ".sql", ".sh", ".md", ".yml", ".patch", ".js", ".css"}, filepath.Ext(name)) ||
		name == "Makefile" || filepath.Base(filepath.Dir(path)) == ".ci"
}

// search prints each match as "file:line: phrase: write instead" and returns an
// error when there is one.
func search(out io.Writer, entries []entry, roots []string) error {
	found := 0
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && slices.Contains([]string{".git", "node_modules", "bin", "var"}, d.Name()):
				return filepath.SkipDir
			case !d.Type().IsRegular() || !searched(path):
				return nil
			}
			content, err := os.ReadFile(path)
			found += report(out, entries, path, string(content))
			return err
		})
		if err != nil {
			return err
		}
	}
	if found > 0 {
		return errors.New("phrases of .ci/words/words.txt were found")
	}
	return nil
}

func report(out io.Writer, entries []entry, path, content string) (found int) {
	for _, e := range entries {
		for _, at := range e.pattern.FindAllStringIndex(content, -1) {
			line := 1 + strings.Count(content[:at[0]], "\n")
			fmt.Fprintf(out, "%s:%d: %q: write %s\n", path, line, content[at[0]:at[1]], e.instead)
			found++
		}
	}
	return found
}
