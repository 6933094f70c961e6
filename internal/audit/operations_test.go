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

// The audit accepts exactly the operations that the program posts, and each posting
// names its subject.
func TestKnownOpsMatchPostings(t *testing.T) {
	var posted []string
	for _, top := range []string{"internal", "web", "cmd"} {
		err := filepath.WalkDir(filepath.Join("..", "..", top), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testkit" {
				return filepath.SkipDir // used by tests only
			}
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				posted = append(posted, opsIn(t, path)...)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var known []string
	for _, op := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(audit.KnownOps, -1) {
		known = append(known, op[1])
	}
	slices.Sort(posted)
	slices.Sort(known)
	if !slices.Equal(slices.Compact(posted), known) {
		t.Errorf("posted are %q, known %q", posted, known)
	}
}

// opsIn returns the operations of the postings in a file.
func opsIn(t *testing.T, path string) (ops []string) {
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
		subject := len(posting.Elts) == 0 // returned with an error
		for _, element := range posting.Elts {
			field := element.(*ast.KeyValueExpr)
			subject = subject || field.Key.(*ast.Ident).Name == "Subject"
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
			op, err := strconv.Unquote(text)
			if err != nil {
				t.Fatalf("%s: the operation of a posting must be a literal or a constant of the same file", path)
			}
			ops = append(ops, op)
		}
		if !subject {
			t.Errorf("%s: a posting names no subject", path)
		}
		return true
	})
	return ops
}
