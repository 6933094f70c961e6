package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// code is a parsed Go file.
type code struct {
	set    *token.FileSet
	file   *ast.File
	source []byte
}

func parseGo(name string, source []byte) (code, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
	return code{set, file, source}, err
}

func (c code) offset(p token.Pos) int { return c.set.Position(p).Offset }
func (c code) text(n ast.Node) string { return string(c.source[c.offset(n.Pos()):c.offset(n.End())]) }

// mutate applies an annotation to the code below it.
func (c code) mutate(m mutant, source []byte) ([]byte, error) {
	node, parent := c.below(m.line)
	if node == nil {
		return nil, fmt.Errorf("%s:%d: there is no code below the annotation", m.file, m.line)
	}
	var edits []edit
	switch m.kind {
	case "drop":
		edits = c.drop(node, parent)
	case "negate":
		edits = c.negate(node, parent)
	case "replace":
		begin, end := c.header(node)
		change, err := m.replacement(source, begin, end)
		if err != nil {
			return nil, err
		}
		edits = []edit{change}
	}
	if edits == nil {
		return nil, fmt.Errorf("%s:%d: can't %s this (%T), write replace", m.file, m.line, m.kind, node)
	}
	changed, err := c.keepImports(apply(source, edits))
	if err != nil {
		return nil, fmt.Errorf("%s:%d: the mutant is not valid Go: %w", m.file, m.line, err)
	}
	return changed, nil
}

// below returns the outermost node that begins the line behind the comments
// that the annotation stands in, and its parent. In front of "} else if" it is
// the second if.
func (c code) below(line int) (node, parent ast.Node) {
	target := 0
	for _, group := range c.file.Comments {
		if c.set.Position(group.Pos()).Line <= line && line <= c.set.Position(group.End()).Line {
			target = c.set.Position(group.End()).Line + 1
		}
	}
	return c.at(target)
}

// at returns the outermost node that begins a line.
func (c code) at(target int) (node, parent ast.Node) {
	if target == 0 || target > c.set.File(c.file.Pos()).LineCount() {
		return nil, nil
	}
	begin := c.offset(c.set.File(c.file.Pos()).LineStart(target))
	rest := string(c.source[begin:])
	begin += len(rest) - len(strings.TrimLeft(rest, " \t"))
	const elseIf = "} else "
	if strings.HasPrefix(string(c.source[begin:]), elseIf+"if ") {
		begin += len(elseIf)
	}
	var stack []ast.Node
	ast.Inspect(c.file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if node == nil && c.offset(n.Pos()) == begin {
			switch n.(type) {
			case *ast.File, *ast.FieldList, *ast.BlockStmt, *ast.Comment, *ast.CommentGroup:
			case ast.Stmt, ast.Expr, ast.Decl, ast.Spec, *ast.Field:
				node, parent = n, stack[len(stack)-1]
				if _, ok := parent.(*ast.BlockStmt); ok && len(stack) > 1 { // of a switch
					parent = stack[len(stack)-2]
				}
			}
		}
		stack = append(stack, n)
		return true
	})
	return node, parent
}

// header returns where replace looks: without the bodies of statements.
func (c code) header(node ast.Node) (begin, end int) {
	last := node.End()
	switch n := node.(type) {
	case *ast.IfStmt:
		last = n.Body.Lbrace + 1
	case *ast.ForStmt:
		last = n.Body.Lbrace + 1
	case *ast.RangeStmt:
		last = n.Body.Lbrace + 1
	case *ast.SwitchStmt:
		last = n.Body.Lbrace + 1
	case *ast.TypeSwitchStmt:
		last = n.Body.Lbrace + 1
	case *ast.SelectStmt:
		last = n.Body.Lbrace + 1
	case *ast.CaseClause:
		last = n.Colon + 1
	case *ast.CommClause:
		last = n.Colon + 1
	}
	return c.offset(node.Pos()), c.offset(last)
}

func (c code) wrap(n ast.Node, before, after string) edit {
	return edit{c.offset(n.Pos()), c.offset(n.End()), before + c.text(n) + after}
}

func (c code) remove(from, to token.Pos) []edit { return []edit{{c.offset(from), c.offset(to), ""}} }

// conditions of a case are boolean if its switch has no value.
func conditions(n *ast.CaseClause, parent ast.Node) []ast.Expr {
	if s, ok := parent.(*ast.SwitchStmt); ok && s.Tag == nil {
		return n.List
	}
	return nil
}

// drop leaves the node out. Statements stay in the file behind "if false", so
// that what they use counts as used.
func (c code) drop(node, parent ast.Node) []edit {
	switch n := node.(type) {
	case *ast.IfStmt:
		if _, elseIf := parent.(*ast.IfStmt); n.Else != nil || elseIf {
			return []edit{c.wrap(n.Cond, "false && (", ")")}
		}
		return []edit{c.wrap(n, "if false { ", " }")}
	case *ast.CaseClause:
		var edits []edit
		for _, condition := range conditions(n, parent) {
			edits = append(edits, c.wrap(condition, "false && (", ")"))
		}
		if edits == nil {
			return c.remove(n.Pos(), n.End())
		}
		return edits
	case *ast.CommClause, ast.Decl, ast.Spec, *ast.Field:
		return c.remove(n.Pos(), n.End())
	case *ast.DeclStmt, *ast.LabeledStmt:
		return nil
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return nil
		}
		return []edit{c.wrap(n, "if false { ", " }")}
	case ast.Stmt:
		return []edit{c.wrap(n, "if false { ", " }")}
	case ast.Expr:
		if p, ok := parent.(*ast.BinaryExpr); ok {
			return c.remove(p.X.End(), p.Y.End())
		}
		end := n.End()
		rest := string(c.source[c.offset(end):])
		if trimmed := strings.TrimLeft(rest, " \t\n"); strings.HasPrefix(trimmed, ",") {
			end += token.Pos(len(rest) - len(trimmed) + 1)
		}
		return c.remove(n.Pos(), end)
	}
	return nil
}

// negate negates the node's condition or only value.
func (c code) negate(node, parent ast.Node) []edit {
	var value ast.Expr
	switch n := node.(type) {
	case *ast.IfStmt:
		value = n.Cond
	case *ast.ForStmt:
		value = n.Cond
	case *ast.CaseClause:
		list := conditions(n, parent)
		if len(list) == 1 {
			value = list[0]
		}
	case *ast.ReturnStmt:
		if len(n.Results) == 1 {
			value = n.Results[0]
		}
	case *ast.AssignStmt:
		if len(n.Rhs) == 1 {
			value = n.Rhs[0]
		}
	case *ast.KeyValueExpr:
		value = n.Value
	case ast.Expr:
		value = n
	}
	if value == nil {
		return nil
	}
	return []edit{c.wrap(value, "!(", ")")}
}

// keepImports parses a mutant, and makes imports blank that lost their last use.
func (c code) keepImports(source []byte) ([]byte, error) {
	mutated, err := parseGo("mutant.go", source)
	if err != nil {
		return nil, err
	}
	before, after := c.qualifiers(), mutated.qualifiers()
	var edits []edit
	for _, spec := range mutated.file.Imports {
		name, begin := importName(spec), mutated.offset(spec.Pos())
		if before[name] && !after[name] {
			edits = append(edits, edit{begin, mutated.offset(spec.Path.Pos()), "_ "})
		}
	}
	return apply(source, edits), nil
}

// qualifiers returns every X of an X.Y.
func (c code) qualifiers() map[string]bool {
	found := map[string]bool{}
	ast.Inspect(c.file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				found[x.Name] = true
			}
		}
		return true
	})
	return found
}

// importName returns the name of an import, as far as its path shows it.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	name, _ := strconv.Unquote(spec.Path.Value) // parsed before
	base := path.Base(name)
	if strings.Trim(base, "v0123456789") == "" {
		base = path.Base(path.Dir(name))
	}
	return base
}
