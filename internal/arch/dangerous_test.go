package arch_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// dangerousImports are packages that the programs never need: memory without checks,
// other programs, code loaded at run time, templates made of text, and formats that
// name the types to build.
var dangerousImports = []string{"unsafe", "C", "os/exec", "plugin", "text/template", "html/template", "encoding/gob", "net/rpc"}

// sqlStatement matches a format that is a statement.
var sqlStatement = regexp.MustCompile(`(?i)^[\s(]*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|CALL)\s`)

// unescaped matches the functions of templ whose argument is written as it is.
var unescaped = regexp.MustCompile(`\btempl\.(Raw|SafeCSS|SafeScript|JSUnsafeFuncCall|ComponentScript)\b`)

// formats are functions whose first text is a format.
var formats = map[string]bool{"Sprintf": true, "Appendf": true, "Fprintf": true, "NewReplacer": true}

// dangers returns what a file does that could turn input into code, memory errors or
// SQL.
func dangers(s source) (found []string) {
	at := func(n ast.Node, what string) { found = append(found, files.Position(n.Pos()).String()+": "+what) }
	for _, i := range s.file.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		for _, dangerous := range dangerousImports {
			if name == dangerous {
				at(i, "imports "+name)
			}
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, _ := called.X.(*ast.Ident)
		switch {
		case of != nil && of.Name == "templ" && unescaped.MatchString("templ."+called.Sel.Name):
			at(n, "writes text into a page without escaping it")
		case formats[called.Sel.Name]:
			for _, argument := range call.Args {
				literal, ok := argument.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				text, _ := strconv.Unquote(literal.Value)
				if sqlStatement.MatchString(text) && strings.Contains(text, "%") {
					at(n, "formats values into a statement; bind them")
				}
				break
			}
		}
		return true
	})
	return found
}

// The programs start no others, have no memory without checks, build no templates from
// text and format no values into SQL.
func TestNothingDangerous(t *testing.T) {
	t.Parallel()
	for _, s := range allSources(t) {
		if s.isTest() || !isService(s.path) || strings.HasPrefix(s.path, ".ci/") {
			continue
		}
		for _, danger := range dangers(s) {
			t.Error(danger)
		}
	}
	pages := 0
	err := fs.WalkDir(os.DirFS("../../templates"), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".templ") {
			return err
		}
		pages++
		content, err := os.ReadFile(filepath.Join("../../templates", path))
		if unescaped.Match(content) {
			t.Errorf("%s writes text into a page without escaping it", path)
		}
		return err
	})
	if err != nil || pages < 20 {
		t.Errorf("%d pages, %v", pages, err)
	}
}

func TestDangersAreFound(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		`import _ "unsafe"`: 1, `import "os/exec"`: 1, `import "text/template"`: 1, `import "os"`: 0,
		`func f(name string) string { return fmt.Sprintf("SELECT id FROM customers WHERE name = '%s'", name) }`: 1,
		"func f(name string) string { return fmt.Sprintf(`\n\tupdate pins SET tries = %d`, name) }":             1,
		`func f(n int) string { return fmt.Sprintf("with %d tries", n) }`:                                       1,
		`func f(n int) string { return fmt.Sprintf("%d tries", n) }`:                                            0,
		`func f(name string) templ.Component { return templ.Raw(name) }`:                                        1,
		`func f(tx *gorm.DB, id int64) { tx.Raw("SELECT id FROM customers WHERE id = ?", id) }`:                 0,
	} {
		if got := dangers(parsed(t, "internal/payment/a.go", "package payment\n"+code)); len(got) != want {
			t.Errorf("%s: %v, want %d", code, got, want)
		}
	}
}
