package arch_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// R13: control flow asks for a typed reason (payment.FeeChanged), never for the
// text of a message or its key.
func TestReasonsAreComparedByName(t *testing.T) {
	for _, s := range allSources(t) {
		if !s.isTest() && (strings.HasPrefix(s.path, "internal/") || strings.HasPrefix(s.path, "web/") || strings.HasPrefix(s.path, "cmd/")) &&
			!strings.HasPrefix(s.path, "internal/i18n/") && isService(s.path) {
			for _, at := range comparedReasons(s) {
				t.Errorf("R13: %s: a message or its key is compared with a literal", at)
			}
		}
	}
}

func TestComparedReasonsAreFound(t *testing.T) {
	for code, want := range map[string]int{
		`if f.Reason == "payment.fee_changed" { return }`:                1,
		`if "payment.fee_changed" != fault.As(err).Reason { return }`:    1,
		`if err.Error() == "closed" { return }`:                          1,
		`if strings.Contains(err.Error(), "closed") { return }`:          1,
		`if strings.Contains(err.Error(), "@") { return }`:               0, // keeps addresses out of the log
		`switch f.Reason { case "a", payment.FeeChanged: return }`:       1,
		`if string(f.Reason) == "payment.fee_changed" { return }`:        1,
		`if w.Key == "ussd.end.changed" { return }`:                      1,
		`if f.Reason == payment.FeeChanged || f.Reason == "" { return }`: 0,
		`if errors.Is(err, payment.FeeChanged) { return }`:               0,
		`if p.Key == "" { return }`:                                      0,
	} {
		planted := parsed(t, "web/portal/a.go", "package portal\nfunc handle(err error) {"+code+"}")
		if got := len(comparedReasons(planted)); got != want {
			t.Errorf("%s: %d reported, want %d", code, got, want)
		}
	}
}

// comparedReasons returns where a reason, a message key or the text of an error is
// compared with a literal that isn't empty.
func comparedReasons(s source) (found []string) {
	report := func(n ast.Node) {
		if at := fmt.Sprintf("%s:%d", s.path, files.Position(n.Pos()).Line); !slices.Contains(found, at) {
			found = append(found, at)
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				if isText(n.X) && isMessage(n.Y) || isMessage(n.X) && isText(n.Y) {
					report(n)
				}
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && isMessage(n.Tag) {
				for _, c := range n.Body.List {
					if slices.ContainsFunc(c.(*ast.CaseClause).List, isText) {
						report(c)
					}
				}
			}
		case *ast.CallExpr:
			if call, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 2 && isMessage(n.Args[0]) && isText(n.Args[1]) && strings.ContainsFunc(n.Args[1].(*ast.BasicLit).Value, unicode.IsLetter) {
				if pkg, ok := call.X.(*ast.Ident); ok && pkg.Name == "strings" {
					report(n)
				}
			}
		}
		return true
	})
	return found
}

// isText reports whether an expression is a string literal that isn't empty.
func isText(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	return ok && l.Kind == token.STRING && len(l.Value) > 2
}

// isMessage reports whether an expression is x.Reason, x.Key, x.Message, err.Error(),
// or a conversion of one.
func isMessage(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return slices.Contains([]string{"Reason", "Key", "Message"}, e.Sel.Name)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Error" && len(e.Args) == 0 {
			return true
		}
		if f, ok := e.Fun.(*ast.Ident); ok && f.Name == "string" && len(e.Args) == 1 {
			return isMessage(e.Args[0])
		}
	}
	return false
}
