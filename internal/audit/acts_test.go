package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"elsom/internal/audit"
)

// The audit knows the acts that the house posts: no other, none less.
func TestKnownActsAreThoseThatArePosted(t *testing.T) {
	var posted []string
	for _, top := range []string{"internal", "web", "cmd"} {
		err := filepath.WalkDir(filepath.Join("..", "..", top), func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				posted = append(posted, actsIn(t, path)...)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var known []string
	for _, act := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(audit.KnownActs, -1) {
		known = append(known, act[1])
	}
	slices.Sort(posted)
	slices.Sort(known)
	if !slices.Equal(slices.Compact(posted), known) {
		t.Errorf("posted are %q, known %q", posted, known)
	}
}

// actsIn gives the acts of the postings that a file writes out.
func actsIn(t *testing.T, path string) (acts []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{} // constants of the file
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
			for i, value := range spec.Values {
				if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING {
					texts[spec.Names[i].Name] = text.Value
				}
			}
		}
		return true
	})
	ast.Inspect(file, func(n ast.Node) bool {
		posting, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if of, ok := posting.Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "Posting" {
			return true
		}
		for _, element := range posting.Elts {
			field := element.(*ast.KeyValueExpr)
			if field.Key.(*ast.Ident).Name != "Op" {
				continue
			}
			var text string
			switch value := field.Value.(type) {
			case *ast.BasicLit:
				text = value.Value
			case *ast.Ident:
				text = texts[value.Name]
			}
			act, err := strconv.Unquote(text)
			if err != nil {
				t.Fatalf("%s: what act a posting has can't be told: write it out, or as a constant of the same file", path)
			}
			acts = append(acts, act)
		}
		return true
	})
	return acts
}
