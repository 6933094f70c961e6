package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A literal is a text in the source that looks like a message key or, where
// something is appended to it, like the beginning of one.
type literal struct {
	text   string
	prefix bool
	where  string
}

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\.?$`)

// literals finds them in all Go files but tests, the generated ones of the
// templates included. The names of acts look alike and are left out: what is
// handed to a parameter or a field called act, and constants whose name begins
// with it.
func literals(t *testing.T) []literal {
	t.Helper()
	set := token.NewFileSet()
	files := sources(t, set)
	takers := map[string]int{}
	for _, file := range files {
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				if i := actParameter(function.Type); i >= 0 {
					takers[function.Name.Name] = i
				}
			}
		}
	}
	var found []literal
	for _, file := range files {
		found = append(found, literalsOf(set, file, takers)...)
	}
	return found
}

func actParameter(function *ast.FuncType) int {
	i := 0
	for _, field := range function.Params.List {
		for _, name := range field.Names {
			if namesOperation(name.Name) {
				return i
			}
			i++
		}
	}
	return -1
}

func sources(t *testing.T, set *token.FileSet) []*ast.File {
	t.Helper()
	var found []*ast.File
	for _, folder := range []string{"cmd", "internal", "templates", "web"} {
		err := fs.WalkDir(os.DirFS("../.."), folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, filepath.Join("../..", path), nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			found = append(found, file)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func literalsOf(set *token.FileSet, file *ast.File, takers map[string]int) []literal {
	var found []literal
	acts := map[ast.Expr]bool{}
	prefixes := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.Field:
			return false // paths and tags
		case *ast.CallExpr:
			if i, takes := takers[nameOf(n.Fun)]; takes && i < len(n.Args) {
				acts[n.Args[i]] = true
			}
		case *ast.KeyValueExpr:
			if nameOf(n.Key) == "Act" {
				acts[n.Value] = true
			}
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				markActs(n, acts)
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD {
				prefixes[n.X] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && !acts[n] && keyShape.MatchString(text) {
				found = append(found, literal{text, prefixes[n], set.Position(n.Pos()).String()})
			}
		}
		return true
	})
	return found
}

// namesOperation reports whether a parameter or constant of that name holds the
// name of an operation, as fault.Error has it, and no message: act, actPay, op.
func namesOperation(name string) bool {
	return name == "op" || strings.HasPrefix(strings.ToLower(name), "act")
}

// markActs leaves out constants that name operations: actPay = "payment.pay".
func markActs(constants *ast.GenDecl, acts map[ast.Expr]bool) {
	for _, spec := range constants.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range value.Names {
			if namesOperation(name.Name) && i < len(value.Values) {
				acts[value.Values[i]] = true
			}
		}
	}
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// notMessages begin like a topic and are no keys.
var notMessages = []string{}

func TestEveryKeyInTheSourceExists(t *testing.T) {
	known := messagesOf(t, RU)
	topic := map[string]bool{}
	for key := range known {
		first, _, _ := strings.Cut(key, ".")
		topic[first] = true
	}
	begins := func(prefix string) bool {
		for key := range known {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
		return false
	}
	checked := 0
	for _, l := range literals(t) {
		if first, _, _ := strings.Cut(l.text, "."); !topic[first] || slices.Contains(notMessages, l.text) {
			continue
		}
		checked++
		if l.prefix {
			if !begins(l.text) {
				t.Errorf("%s: no message begins with %q", l.where, l.text)
			}
		} else if _, ok := known[l.text]; !ok {
			t.Errorf("%s: there is no message %q", l.where, l.text)
		}
	}
	if checked < 20 {
		t.Errorf("only %d keys were found in the source", checked)
	}
}

func TestEveryMessageIsUsed(t *testing.T) {
	used := map[string]bool{}
	var prefixes []string
	for _, l := range literals(t) {
		used[l.text] = true
		if l.prefix || strings.HasSuffix(l.text, ".") {
			prefixes = append(prefixes, l.text)
		}
	}
	for key := range messagesOf(t, RU) {
		begun := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		if !used[key] && !begun {
			t.Errorf("%s is said nowhere", key)
		}
	}
}
