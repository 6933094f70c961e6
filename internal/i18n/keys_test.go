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

// literal is a string in the source that has the form of a message key or, if
// something is appended to it, of the beginning of one.
type literal struct {
	text   string
	prefix bool
	where  string
}

var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\.?$`)

// literals returns the literals of all Go files except tests, including those
// generated from templates. Names of operations have the same form and are left
// out: arguments of parameters, fields and constants that namesOperation accepts.
func literals(t *testing.T) []literal {
	t.Helper()
	set := token.NewFileSet()
	files := sources(t, set)
	opParameters := map[string]int{}
	for _, file := range files {
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				if i := opParameter(function.Type); i >= 0 {
					opParameters[function.Name.Name] = i
				}
			}
		}
	}
	var found []literal
	for _, file := range files {
		found = append(found, literalsOf(set, file, opParameters)...)
	}
	return found
}

func opParameter(function *ast.FuncType) int {
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

func literalsOf(set *token.FileSet, file *ast.File, opParameters map[string]int) []literal {
	var found []literal
	operations := map[ast.Expr]bool{}
	prefixes := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.Field:
			return false // paths and tags
		case *ast.CallExpr:
			if i, has := opParameters[nameOf(n.Fun)]; has && i < len(n.Args) {
				operations[n.Args[i]] = true
			}
		case *ast.KeyValueExpr:
			if namesOperation(nameOf(n.Key)) {
				operations[n.Value] = true
			}
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				markOperations(n, operations)
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD {
				prefixes[n.X] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && !operations[n] && keyShape.MatchString(text) {
				found = append(found, literal{text, prefixes[n], set.Position(n.Pos()).String()})
			}
		}
		return true
	})
	return found
}

// namesOperation reports whether a parameter, field or constant of that name
// holds an operation, as in fault.Error, and not a message key: op, opPay, Op.
func namesOperation(name string) bool {
	return operationName.MatchString(name)
}

var operationName = regexp.MustCompile(`^(op|Op|act|Act)([A-Z]|$)`)

// markOperations marks the values of constants that name operations:
// opPay = "payment.pay".
func markOperations(constants *ast.GenDecl, operations map[ast.Expr]bool) {
	for _, spec := range constants.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range value.Names {
			if namesOperation(name.Name) && i < len(value.Values) {
				operations[value.Values[i]] = true
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

// notMessages are strings that begin with the topic of messages but are no keys.
var notMessages = []string{"catalog.yaml", "payment.accept", "payment.settle", "payment.refund", "wallet.transfer", "template.db", "paylist.accept"} // files, operations

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
			t.Errorf("%s is not used", key)
		}
	}
}
