package arch_test

import (
	"go/ast"
	"go/parser"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// R12: a service's dependencies are unexported, so that payments.DB can't be
// reached from a handler that holds payments.
func TestServicesKeepTheirDependenciesUnexported(t *testing.T) {
	var services []source
	for _, s := range allSources(t) {
		if !s.isTest() && isService(s.path) {
			services = append(services, s)
		}
	}
	found := exportedDependencies(services)
	for _, f := range found {
		t.Errorf("R12: %s", f)
	}
}

func TestExportedDependenciesAreFound(t *testing.T) {
	const database = `package database
		type DB struct{ pool int }
		func New() *DB { return nil }
		func (db *DB) Now() int { return 0 }`
	const parts = `package payment
		import "elsom/internal/database"
		type Parts struct { DB *database.DB; Timing int }
		type Service struct { %FIELD% }
		func New(p Parts) *Service { return nil }
		func (s *Service) Pay() {}`
	for field, want := range map[string]bool{
		"Parts":                  true,
		"*Parts":                 true,
		"DB *database.DB":        true,
		"Several []*database.DB": true,
		"*database.DB":           true,
		"parts Parts":            false,
		"db *database.DB":        false,
		"Timing int":             false,
	} {
		planted := []source{parsed(t, "internal/database/a.go", database), parsed(t, "internal/payment/a.go", strings.Replace(parts, "%FIELD%", field, 1))}
		if got := len(exportedDependencies(planted)) > 0; got != want {
			t.Errorf("%s: reported %t, want %t", field, got, want)
		}
	}
}

// isService leaves out what only tests import.
func isService(name string) bool {
	for _, of := range []string{"internal/testkit", "internal/e2e", "internal/bench", "internal/arch", "internal/simulation", "internal/database/databasetest"} {
		if strings.HasPrefix(name, of+"/") {
			return false
		}
	}
	return strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "web/")
}

func parsed(t *testing.T, name, code string) source {
	t.Helper()
	file, err := parser.ParseFile(files, name, code, 0)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: name, file: file}
}

// types are the struct types of the repository, by import path and name.
type types struct {
	structs map[string]*ast.StructType
	in      map[string]*ast.File // the file that declares a struct
	methods map[string]bool      // types that have methods
	made    map[string]bool      // types that a function New… returns
}

// service reports whether a type has methods and is made by a function New….
func (ts types) service(name string) bool {
	return ts.structs[name] != nil && ts.methods[name] && ts.made[name]
}

// exportedDependencies returns the exported fields of services, their own and
// those of embedded structs, whose types are services.
func exportedDependencies(list []source) (found []string) {
	ts := typesOf(list)
	for name := range ts.structs {
		if ts.service(name) {
			for _, field := range ts.exported(name) {
				found = append(found, name+"."+field)
			}
		}
	}
	slices.Sort(found)
	return found
}

func typesOf(list []source) types {
	ts := types{map[string]*ast.StructType{}, map[string]*ast.File{}, map[string]bool{}, map[string]bool{}}
	for _, s := range list {
		pkg := "elsom/" + path.Dir(s.path)
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if t, ok := spec.(*ast.TypeSpec); ok {
						if st, ok := t.Type.(*ast.StructType); ok {
							ts.structs[pkg+"."+t.Name.Name], ts.in[pkg+"."+t.Name.Name] = st, s.file
						}
					}
				}
			case *ast.FuncDecl:
				if d.Recv != nil {
					ts.methods[named(pkg, s.file, d.Recv.List[0].Type)] = true
				} else if strings.HasPrefix(d.Name.Name, "New") && d.Type.Results != nil {
					for _, r := range d.Type.Results.List {
						ts.made[named(pkg, s.file, r.Type)] = true
					}
				}
			}
		}
	}
	return ts
}

// exported returns the exported fields of a struct that hold services. Fields of an
// embedded struct are reached through the outer one, and are among them.
func (ts types) exported(name string) (found []string) {
	st, file, pkg := ts.structs[name], ts.in[name], name[:strings.LastIndex(name, ".")]
	for _, f := range st.Fields.List {
		of := named(pkg, file, f.Type)
		if len(f.Names) == 0 {
			name := of[strings.LastIndex(of, ".")+1:]
			if ts.service(of) && ast.IsExported(name) {
				found = append(found, name)
			} else if ts.structs[of] != nil {
				for _, inner := range ts.exported(of) {
					found = append(found, name+"."+inner)
				}
			}
		}
		for _, n := range f.Names {
			if n.IsExported() && ts.service(of) {
				found = append(found, n.Name)
			}
		}
	}
	return found
}

// named returns the import path and name of a type, of what it points to, or of
// its elements; empty: it has no name.
func named(pkg string, file *ast.File, t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return named(pkg, file, t.X)
	case *ast.ArrayType:
		return named(pkg, file, t.Elt)
	case *ast.MapType:
		return named(pkg, file, t.Value)
	case *ast.IndexExpr:
		return named(pkg, file, t.X)
	case *ast.IndexListExpr:
		return named(pkg, file, t.X)
	case *ast.Ident:
		return pkg + "." + t.Name
	case *ast.SelectorExpr:
		from, ok := t.X.(*ast.Ident)
		if !ok {
			return ""
		}
		for _, i := range file.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if i.Name != nil && i.Name.Name == from.Name || i.Name == nil && path.Base(name) == from.Name {
				return name + "." + t.Sel.Name
			}
		}
	}
	return ""
}
