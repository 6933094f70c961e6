package arch_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"elsom/internal/testkit/system"
)

// source is a Go file that is not generated.
type source struct {
	path  string // from the top: "internal/ledger/store.go"
	lines int
	file  *ast.File
}

var files = token.NewFileSet()

var sources = sync.OnceValues(func() ([]source, error) {
	var found []source
	top := os.DirFS("../..")
	err := fs.WalkDir(top, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || path == ".git" || path == "var" || path == "bin") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		content, err := fs.ReadFile(top, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, content, parser.ParseComments)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(file) {
			found = append(found, source{path, bytes.Count(content, []byte("\n")), file})
		}
		return nil
	})
	return found, err
})

func allSources(t *testing.T) []source {
	t.Helper()
	found, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 50 {
		t.Fatalf("only %d files were found", len(found))
	}
	return found
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) isStore() bool { return isStore(filepath.Base(s.path)) }

func isStore(name string) bool {
	return name == "store.go" || strings.HasPrefix(name, "store_") && !strings.HasSuffix(name, "_test.go")
}

// unreachable has the transitive imports that are forbidden. depguard checks direct
// imports only.
var unreachable = []struct{ from, to *regexp.Regexp }{
	// R1, R5 to R10: internal packages reach no handler and no page; none reaches cmd.
	{regexp.MustCompile(`^elsom/(internal|migrations|static|templates|web)`), regexp.MustCompile(`^elsom/cmd`)},
	{regexp.MustCompile(`^elsom/(internal|migrations|static)`), regexp.MustCompile(`^elsom/(web|templates)`)},
	{regexp.MustCompile(`^elsom/internal/`), regexp.MustCompile(`^github\.com/(labstack/echo|a-h/templ|gorilla)`)},
	{regexp.MustCompile(`^elsom/internal/(payment|transfer|cashin|wallet|customer|catalog|audit|ledger|outbox|ratelimit|ussdsession)$`), regexp.MustCompile(`^elsom/internal/(biller/osmp|notify/(sms/(kannel|inbox)|email/(smtp|inbox)|push/webpush))$`)},
	// R3, R4: pages reach no database and no service; machine handlers no page.
	{regexp.MustCompile(`^elsom/templates`), regexp.MustCompile(`^elsom/internal/(database|ledger|outbox|payment|transfer|cashin|wallet|customer|catalog|audit|ratelimit|config)|^gorm\.io|^database/sql$`)},
	{regexp.MustCompile(`^elsom/web/(ussd|terminal|smsreceipt)$`), regexp.MustCompile(`^elsom/templates|^github\.com/a-h/templ`)},
	// R6 to R9: services that move no money don't reach the ledger; the ledger reaches
	// no service.
	{regexp.MustCompile(`^elsom/internal/(customer|catalog|ratelimit|ussdsession|outbox|database|notify|biller)`), regexp.MustCompile(`^elsom/internal/(ledger|payment|transfer|cashin|wallet|audit)`)},
	{regexp.MustCompile(`^elsom/internal/ledger$`), regexp.MustCompile(`^elsom/internal/(outbox|customer|catalog|ratelimit|biller|notify|i18n|payment|transfer|cashin)`)},
	{regexp.MustCompile(`^elsom/internal/biller(/|$)`), regexp.MustCompile(`^elsom/internal/database|^gorm\.io`)},
	{regexp.MustCompile(`^elsom/internal/notify/sms/kannel$`), regexp.MustCompile(`^elsom/internal/ledger`)},
	// R10: values reach no service.
	{regexp.MustCompile(`^elsom/internal/(money|phone|inn|fault|i18n|config)$|^elsom/(migrations|static)$`), regexp.MustCompile(`^elsom/internal/(database|ledger|outbox|customer|catalog|biller|notify)|^gorm\.io`)},
	// R11: values and ports reach no SQL driver.
	{regexp.MustCompile(`^elsom/internal/(i18n|money|phone|inn|biller)(/|$)`), regexp.MustCompile(`^database/sql$`)},
}

func TestTransitiveImports(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Deps}} {{.}}{{end}}`, "./...")
	list.Dir = "../.."
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	used := make([]bool, len(unreachable))
	for _, row := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		names := strings.Fields(row)
		for i, rule := range unreachable {
			if !rule.from.MatchString(names[0]) {
				continue
			}
			used[i] = true
			for _, reached := range names[1:] {
				if rule.to.MatchString(reached) && reached != names[0] {
					t.Errorf("%s reaches %s", names[0], reached)
				}
			}
		}
	}
	for i, rule := range unreachable {
		if !used[i] {
			t.Errorf("no package matches %s", rule.from)
		}
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	t.Parallel()
	for _, s := range allSources(t) {
		if s.lines > 400 {
			t.Errorf("%s has %d lines, more than 400", s.path, s.lines)
		}
		for _, declaration := range s.file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Body == nil {
				continue
			}
			lines := files.Position(function.Body.Rbrace).Line - files.Position(function.Body.Lbrace).Line - 1
			if lines > 70 {
				t.Errorf("%s: %s has %d lines, more than 70", s.path, function.Name.Name, lines)
			}
		}
	}
}

// A prepared statement with RETURNING * fails when a later release adds a column
// while this one runs. GORM's own queries name their columns.
func TestStatementsNameTheirColumns(t *testing.T) {
	t.Parallel()
	statements := 0
	for _, s := range allSources(t) {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if strings.Contains(literal.Value, "RETURNING ") {
				statements++
			}
			if strings.Contains(literal.Value, "RETURNING *") {
				t.Errorf("%s: name the columns", files.Position(n.Pos()))
			}
			return true
		})
	}
	if statements < 5 {
		t.Errorf("only %d statements were found", statements)
	}
}

// GORM handles are used in store files only.
func TestGORMOnlyInStoreFiles(t *testing.T) {
	t.Parallel()
	stores := 0
	for _, s := range allSources(t) {
		if s.isStore() {
			stores++
		}
		if s.isTest() || s.isStore() || strings.HasPrefix(s.path, "internal/database/") || strings.HasPrefix(s.path, "internal/testkit/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if selected, ok := n.(*ast.SelectorExpr); ok && selected.Sel.Name == "Gorm" {
				t.Errorf("%s: a GORM handle outside a store file", files.Position(n.Pos()))
			}
			return true
		})
	}
	if stores < 5 {
		t.Errorf("only %d store files were found", stores)
	}
}

var writesBooks = regexp.MustCompile(`(?i)\b(INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+["'` + "`" + `]?(accounts|transfers|entries|stripes)\b`)

func TestOnlyLedgerWritesBooks(t *testing.T) {
	t.Parallel()
	found := 0
	for _, s := range allSources(t) {
		if strings.HasPrefix(s.path, "cmd/sochi/") {
			continue // it has a database of its own
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil || !writesBooks.MatchString(text) {
				return true
			}
			if strings.HasPrefix(s.path, "internal/ledger/") {
				found++
			} else if !s.isTest() {
				t.Errorf("%s writes the books: %s", files.Position(n.Pos()), system.OneLine(text))
			}
			return true
		})
	}
	if found < 3 {
		t.Errorf("only %d writing statements of the ledger were found", found)
	}
}

func TestTopLevelFolders(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"cmd", "web", "templates", "static", "internal", "migrations",
		"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md",
		"bin", "var", // never committed
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(allowed, entry.Name()) {
			t.Errorf("%s is at the top level", entry.Name())
		}
	}
}

// Package names are nouns of the domain.
func TestPackageNames(t *testing.T) {
	t.Parallel()
	general := regexp.MustCompile(`^(services?|managers?|utils?|common|models?|types|helpers?|core|base|misc|shared|lib|pkg)$`)
	for _, s := range allSources(t) {
		for _, part := range strings.Split(filepath.Dir(s.path), "/") {
			if general.MatchString(part) {
				t.Errorf("%s: the name %s is too general", s.path, part)
			}
		}
		if name := s.file.Name.Name; general.MatchString(name) {
			t.Errorf("%s: the package name %s is too general", s.path, name)
		}
	}
}

// Every package has one package comment.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	comments := map[string]int{}
	for _, s := range allSources(t) {
		if s.isTest() {
			continue
		}
		folder := filepath.Dir(s.path)
		comments[folder] += 0
		if s.file.Doc != nil {
			comments[folder]++
		}
	}
	for folder, n := range comments {
		if n != 1 {
			t.Errorf("%s: %d files have a package comment, want 1", folder, n)
		}
	}
}
