package main

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// unused matches an error that is ignored: an import which only an omitted body
// uses. Imports that the mutation left unused are handled by keepImports.
var unused = regexp.MustCompile(`" imported (as \w+ )?and not used$`)

// typeErrors type-checks the mutants of Go files. Each is checked against its
// package without the bodies of functions that it does not change, which makes
// hundreds of mutants a matter of seconds.
func typeErrors(all []mutant) (problems []error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}\t{{.Dir}} {{.GoFiles}}", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return []error{fmt.Errorf("go list: %w", err)}
	}
	here, err := filepath.Abs(".")
	if err != nil {
		return []error{err}
	}
	exports, files := map[string]string{}, map[string][]string{} // by path, by folder
	for line := range strings.Lines(string(out)) {
		compiled, sources, _ := strings.Cut(strings.TrimSpace(line), "\t")
		name, export, _ := strings.Cut(compiled, " ")
		folder, names, _ := strings.Cut(sources, " ")
		exports[name] = export
		files[folder] = strings.Fields(strings.Trim(names, "[]"))
	}
	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })
	parsed := map[string]*ast.File{}
	for _, m := range all {
		if path.Ext(m.file) != ".go" {
			continue
		}
		original, err := os.ReadFile(m.file)
		if err != nil {
			return append(problems, err)
		}
		mutated, err := parser.ParseFile(set, m.file, m.source, parser.SkipObjectResolution)
		if err != nil {
			return append(problems, err)
		}
		unchanged := 0
		for unchanged < len(original) && unchanged < len(m.source) && original[unchanged] == m.source[unchanged] {
			unchanged++
		}
		withoutBodies(mutated, set.File(mutated.Pos()).Pos(unchanged))
		group := []*ast.File{mutated}
		folder := filepath.Join(here, path.Dir(m.file))
		for _, name := range files[folder] {
			name = filepath.Join(folder, name)
			if name == filepath.Join(here, m.file) {
				continue
			}
			if parsed[name] == nil {
				if parsed[name], err = parser.ParseFile(set, name, nil, parser.SkipObjectResolution); err != nil {
					return append(problems, err)
				}
				withoutBodies(parsed[name], token.NoPos)
			}
			group = append(group, parsed[name])
		}
		var first error
		config := types.Config{Importer: imports, Error: func(err error) {
			if first == nil && !unused.MatchString(err.Error()) {
				first = err
			}
		}}
		if _, err := config.Check(path.Dir(m.file), set, group, nil); err != nil && first != nil {
			problems = append(problems, fmt.Errorf("%s:%d: the mutant does not compile: %w", m.file, m.line, first))
		}
	}
	return problems
}

// withoutBodies removes the bodies of all functions except the one at a position.
func withoutBodies(file *ast.File, keep token.Pos) {
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if ok && f.Type.TypeParams == nil && f.Name.Name != "init" && f.Name.Name != "main" && (keep < f.Pos() || f.End() < keep) {
			f.Body = nil
		}
	}
}
